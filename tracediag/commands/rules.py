"""List the rules: code, name, severity, and what each finds."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Literal

from tracediag.commands.output import look_of, write
from tracediag.commands.parser import CommonOptions
from tracediag.report import Look

if TYPE_CHECKING:
    from tracediag.rules import Rule


class Options(CommonOptions, kw_only=True):
    """What `tracediag rules` takes."""

    format: Literal["table", "json"] = "table"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="(default: table)")


def run(options: Options) -> int:
    """Print all rules, by their codes."""
    from tracediag.rules import all_rules

    rules = all_rules()
    write(_json(rules) if options.format == "json" else _table(rules, look_of(sys.stdout, options.color)))
    return 0


def _json(rules: tuple[type[Rule], ...]) -> str:
    fields = ("code", "name", "severity", "maturity", "summary")
    listed = [{name: getattr(rule, name) for name in fields} | {"needs": list(rule.needs)} for rule in rules]
    return json.dumps(listed, indent=2) + "\n"


def _table(rules: tuple[type[Rule], ...], look: Look) -> str:
    from tracediag.report.canvas import Canvas

    canvas = Canvas(look)
    width = max((len(rule.name) for rule in rules), default=0)
    for rule in rules:
        maturity = "" if rule.maturity == "stable" else f" ({rule.maturity})"
        canvas.line(
            (f"{rule.code}  ", "place"),
            (f"{rule.name:<{width}}  ", "name"),
            (f"{rule.severity:<7}  ", rule.severity),
            (f"{rule.summary}{maturity}", "plain"),
        )
    return canvas.take()
