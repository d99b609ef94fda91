"""Explain one call of a trace, or print the page of a rule.

    tracediag explain server.strace:1324
    tracediag explain epipe-still-registered
    tracediag explain connect ECONNREFUSED

TRACE:LINE is a call: the command says what it does, on which descriptors and since when, what its result means and
whether that is normal, what happened before and after on the same object, and which findings have it as a step.

RULE is a name (epipe-still-registered) or a code (TD101). The page says what the rule finds, why it is a bug, how to
fix it and when it is fine; then the details, a trace with the fault and one without. On a terminal it is shown through
$PAGER (`less -R` where that is not set).

CALL ERRNO, or ERRNO alone, is answered without a trace: what the error means for the call, and what helps.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Literal

from tracediag.commands.configured import ConfiguredOptions, add_configured
from tracediag.commands.errors import CommandError, UsageError
from tracediag.commands.output import look_of, say, write
from tracediag.commands.ownrules import rule_set_of
from tracediag.commands.paging import page_out
from tracediag.commands.places import is_file, split_place
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.commands.unexplained import check_words, unknown
from tracediag.report import Look

if TYPE_CHECKING:
    from tracediag.rules import Rule

_WIDEST = 100


class Options(ConfiguredOptions, kw_only=True):
    """What `tracediag explain` takes."""

    what: list[str]
    no_pager: bool = False
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = "%(prog)s [OPTIONS] RULE | TRACE:LINE | [CALL] ERRNO"
    parser.add_argument(
        "what",
        metavar="RULE|TRACE:LINE|ERRNO",
        nargs="+",
        help="name or code of a rule (`tracediag rules` lists them), a call of a trace, or an error, alone or with the"
        " name of a call: connect ECONNREFUSED",
    )
    parser.add_argument("--no-pager", action="store_true", help="print to the terminal without a pager")
    add_report(parser, ("full", "json"))
    add_configured(parser)


def run(options: Options) -> int:
    """Print the page of a rule, or the explanation of a call; a rule's name or code comes first."""
    from tracediag.rules import UnknownRuleError, find_rule

    check_words(options.what)
    what = " ".join(options.what)
    rules = rule_set_of(options).rules
    try:
        rule = find_rule(what, rules)
    except UnknownRuleError as error:
        if (page := _entry_page(what)) is not None:
            write(page)
            return 0
        if not is_file(what) and (meaning := _meaning(what)) is not None:
            _refuse_formats(options, "what an error means")
            write(f"{meaning}\n")
            return 0
        trace, line = split_place(what)
        if line is not None:
            return _explain(trace, line, options, rules)
        if is_file(trace):
            raise UsageError(f"{trace} is a trace: name one of its lines, tracediag explain {trace}:LINE") from None
        raise UsageError(unknown(what, error)) from None
    _refuse_formats(options, "the page of a rule")
    from tracediag.rules.pages import parse_page

    try:
        page = parse_page(rule.page()).for_readers(rule.summary)
    except (OSError, ValueError):  # a Python rule of an installed package
        raise CommandError(f"{rule.name} has no page: {rule.summary}") from None
    look = look_of(sys.stdout, options.color)
    page_out(_rendered(page, look) if look.colour else page, wanted=not options.no_pager)
    return 0


def _entry_page(word: str) -> str | None:
    """Return the page of a finding about the configuration or the baseline, which is no rule."""
    from tracediag.accepting import PAGES

    page = PAGES.get(word.upper()) or PAGES.get(word.lower())
    return None if page is None else page.text


def _refuse_formats(options: Options, what: str) -> None:
    if options.format != "full" or options.report:
        raise UsageError(f"{what} has no other format; for all rules: tracediag rules --format json")


def _meaning(words: str) -> str | None:
    """Return what an error means for a call; None if the words name no error."""
    from tracediag.library.meanings import explain_error

    try:
        return explain_error(words)
    except LookupError as error:
        raise UsageError(str(error)) from None


def _explain(trace: str, line: int, options: Options, rules: tuple[type[Rule], ...]) -> int:
    from tracediag.library.lines import explain_line
    from tracediag.overviews.explaining.call import NoCallError
    from tracediag.report.explanation import document, picture

    def rendered(form: str, look: Look) -> str:
        return document(explanation) if form == "json" else picture(explanation, look)

    with ReportFiles(options.report, [trace]) as files:
        try:
            with progress_of(trace, quiet=options.quiet) as progress:
                explanation = explain_line(trace, line, progress, rules)
        except NoCallError as error:
            raise UsageError(str(error)) from None
        write(rendered(options.format, look_of(sys.stdout, options.color)))
        files.write(lambda name: [rendered(name, Look())])
    if explanation.damage is not None:
        say(f"{trace}: {explanation.damage}")
    return 0


def _rendered(page: str, look: Look) -> str:
    from rich.markdown import Markdown

    from tracediag.report.console import console_of, take

    console = console_of(Look(colour=True, width=min(look.width or _WIDEST, _WIDEST)))
    console.print(Markdown(page))
    return take(console)
