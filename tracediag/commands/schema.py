"""Print the JSON Schema of a JSON document that tracediag prints.

    tracediag schema > report.schema.json
    tracediag schema config > tracediag.schema.json

With --format json, `analyze`, `run` and `demo` print a report, `summary` prints a
summary, `tree` a tree, `state` a state, `explain TRACE:LINE` an explanation, `follow`
a life, `why` a cause, `grep` a search, `grep --by` groups, `files` files, `lives` lives,
`peers` peers, `rules check` a check, and `doctor` what can be recorded. `config` is the
configuration: tracediag.toml, and the table `tool.tracediag` of pyproject.toml.
"""

from __future__ import annotations

import argparse
import json

from tracediag.commands.output import write
from tracediag.commands.parser import CommonOptions

_CONFIG = "config"


class Options(CommonOptions, kw_only=True):
    """What `tracediag schema` takes."""

    document: str = "report"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from tracediag.report.document import DOCUMENTS

    parser.add_argument(
        "document",
        metavar="DOCUMENT",
        choices=(*DOCUMENTS, _CONFIG),
        nargs="?",
        default="report",
        help=f"{', '.join(DOCUMENTS)} or {_CONFIG} (default: report)",
    )


def run(options: Options) -> int:
    """Print the schema."""
    if options.document == _CONFIG:
        from tracediag.config.schema import schema as config_schema

        found = config_schema()
    else:
        from tracediag.report.schema import schema

        found = schema(options.document)
    write(json.dumps(found, indent=2) + "\n")
    return 0
