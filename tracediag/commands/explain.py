"""Print the page of a rule.

RULE is a name (epipe-still-registered) or a code (TD101). The page says what the rule finds, why it is a bug, how to
fix it and when it is fine; then the details, a trace with the fault and one without. On a terminal it is shown through
$PAGER (`less -R` where that is not set).
"""

from __future__ import annotations

import argparse
import sys

from tracediag.commands.errors import UsageError
from tracediag.commands.output import look_of
from tracediag.commands.paging import page_out
from tracediag.commands.parser import CommonOptions
from tracediag.report import Look

_WIDEST = 100


class Options(CommonOptions, kw_only=True):
    """What `tracediag explain` takes."""

    rule: str
    no_pager: bool = False


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rule", metavar="RULE", help="name or code of a rule; `tracediag rules` lists them")
    parser.add_argument("--no-pager", action="store_true", help="print to the terminal without a pager")


def run(options: Options) -> int:
    """Print the page: rendered on a device with colour, as Markdown elsewhere."""
    from tracediag.rules import UnknownRuleError, find_rule
    from tracediag.rules.pages import parse_page

    try:
        rule = find_rule(options.rule)
    except UnknownRuleError as error:
        raise UsageError(str(error)) from None
    page = parse_page(rule.page()).for_readers()
    look = look_of(sys.stdout, options.color)
    page_out(_rendered(page, look) if look.colour else page, wanted=not options.no_pager)
    return 0


def _rendered(page: str, look: Look) -> str:
    from rich.markdown import Markdown

    from tracediag.report.console import console_of, take

    console = console_of(Look(colour=True, width=min(look.width or _WIDEST, _WIDEST)))
    console.print(Markdown(page))
    return take(console)
