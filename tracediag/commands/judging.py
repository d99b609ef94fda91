"""Common parts of `analyze` and `run`: which rules apply, where the report goes, which findings mean failure."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tracediag.commands.configured import ConfiguredOptions, add_configured
from tracediag.commands.errors import ExitCode
from tracediag.commands.reports import Destination, add_report
from tracediag.report import FORMATS
from tracediag.results.limits import parse_limits
from tracediag.results.report import Report

_USUAL = "warning"
_FORMS = "names, codes, prefixes or families, comma-separated"


class JudgingOptions(ConfiguredOptions, kw_only=True):
    """The options that `add_judging` declares; None for one that the configuration may set."""

    format: str | None = None
    report: tuple[Destination, ...] | None = None
    fail_on: str | None = None
    exit_zero: bool = False
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    symbols: bool = False
    redact: bool = False
    baseline: str | None = None
    baseline_strict: bool = False


def add_judging(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_report(parser, FORMATS)
    parser.add_argument(
        "--fail-on",
        metavar="LIMIT",
        type=_limits,
        help="exit 1 for findings of this severity or worse (default: warning); also of this confidence, or that"
        " many, or in that share of the traces: error:likely, warning:certain>=3, error>=2/10 traces; never",
    )
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 even with findings (same as --fail-on never)")
    parser.add_argument(
        "--baseline", metavar="FILE", help="leave out the findings that FILE holds: tracediag baseline writes it"
    )
    parser.add_argument(
        "--baseline-strict",
        action="store_true",
        help="fail for a finding of the baseline that is fixed, until it is removed from FILE",
    )
    add_selection(parser)
    parser.add_argument(
        "--symbols",
        action="store_true",
        help="find the lines of source code of stacks (strace -k) in the programs on this host, by addr2line",
    )
    add_redact(parser)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Declare the options that select rules, and those of the configuration."""
    for flag, what in (
        ("--select", "only these rules"),
        ("--extend-select", "these rules, besides those that are selected"),
        ("--ignore", "all rules except these"),
    ):
        parser.add_argument(flag, metavar="RULES", action="extend", type=_names, help=f"{what} ({_FORMS})")
    add_configured(parser)


def add_redact(parser: argparse.ArgumentParser) -> None:
    """Declare --redact."""
    parser.add_argument(
        "--redact",
        action="store_true",
        help="hide passwords, tokens, keys, cookies and environments in reports and in a kept trace",
    )


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def _limits(text: str) -> str:
    try:
        parse_limits(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def exit_code(reports: Sequence[Report], options: JudgingOptions, entries: Sequence[Report] = ()) -> ExitCode:
    """Return the exit code for the findings of the traces, and for those about the entries of the configuration.

    A rule that raised is an internal error, whatever was found.
    """
    if any(report.broken for report in reports):
        return ExitCode.FAULT
    if options.exit_zero:
        return ExitCode.CLEAN
    causes = [report.causes for report in reports]
    told = [cause for entry in entries for cause in entry.causes]
    failing = any(limit.reached(causes, told) for limit in parse_limits(options.fail_on or _USUAL))
    return ExitCode.FINDINGS if failing else ExitCode.CLEAN
