"""Print the JSON Schema of a JSON document that tracediag prints.

    tracediag schema > report.schema.json

With --format json, `analyze`, `run` and `demo` print a report, `summary` prints a
summary, `tree` a tree, `state` a state, `explain TRACE:LINE` an explanation, `follow`
a life, `why` a cause, `grep` a search, `grep --by` groups, `files` files, `lives` lives,
`peers` peers and `rules check` a check.
"""

from __future__ import annotations

import argparse
import json

from tracediag.commands.output import write
from tracediag.commands.parser import CommonOptions


class Options(CommonOptions, kw_only=True):
    """What `tracediag schema` takes."""

    document: str = "report"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from tracediag.report.document import DOCUMENTS

    parser.add_argument(
        "document",
        metavar="DOCUMENT",
        choices=DOCUMENTS,
        nargs="?",
        default="report",
        help=f"{', '.join(DOCUMENTS[:-1])} or {DOCUMENTS[-1]} (default: report)",
    )


def run(options: Options) -> int:
    """Print the schema."""
    from tracediag.report.schema import schema

    write(json.dumps(schema(options.document), indent=2) + "\n")
    return 0
