"""Print the page of a rule.

RULE is a name (epipe-still-registered) or a code (TD101). The page tells what the rule finds, shows a trace with
the fault and one without, and says why it is a bug, how to fix it and when it is fine.
"""

from __future__ import annotations

import argparse
import sys

from tracediag.commands.judging import check_rules
from tracediag.commands.output import look_of, write
from tracediag.commands.parser import CommonOptions
from tracediag.report import Look

_WIDEST = 100


class Options(CommonOptions, kw_only=True):
    """What `tracediag explain` takes."""

    rule: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rule", metavar="RULE", help="name or code of a rule; `tracediag rules` lists them")


def run(options: Options) -> int:
    """Print the page: rendered where there is colour, as written elsewhere."""
    from tracediag.rules import find_rule

    check_rules([options.rule])
    page = find_rule(options.rule).page()
    look = look_of(sys.stdout, options.color)
    write(_rendered(page, look) if look.colour else f"{page.rstrip()}\n")
    return 0


def _rendered(page: str, look: Look) -> str:
    import io

    from rich.console import Console
    from rich.markdown import Markdown

    stream = io.StringIO()
    width = min(look.width or _WIDEST, _WIDEST)
    Console(file=stream, force_terminal=True, color_system="standard", width=width).print(Markdown(page))
    return stream.getvalue()
