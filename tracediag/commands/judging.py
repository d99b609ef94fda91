"""What `analyze` and `run` share: which rules apply, how the report is written, when it means failure."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TextIO

import msgspec

from tracediag.commands.errors import ExitCode, UsageError, no_such
from tracediag.commands.output import say, write
from tracediag.commands.parser import CommonOptions
from tracediag.report import FORMATS, Format, Look, formatter
from tracediag.report.summary import summary
from tracediag.results.findings import Severity
from tracediag.results.report import Report

if TYPE_CHECKING:
    from tracediag.api import Analysis

FAIL_ON = (*Severity, "never")


class Destination(msgspec.Struct, frozen=True):
    """A file that gets a report too."""

    format: str
    path: str


class JudgingOptions(CommonOptions, kw_only=True):
    """What `add_judging` declares."""

    format: Literal["full", "concise", "json"] = "full"
    report: tuple[Destination, ...] = ()
    fail_on: Literal["error", "warning", "note", "never"] = "warning"
    exit_zero: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def add_judging(parser: argparse.ArgumentParser, *report_flags: str) -> None:
    """Declare the options; `report_flags` are the flags that name a further file for the report."""
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="of the report (default: full)")
    parser.add_argument(
        *report_flags,
        dest="report",
        metavar="FORMAT:FILE",
        action="append",
        type=_destination,
        default=[],
        help="write the report to FILE too; may be repeated",
    )
    parser.add_argument(
        "--fail-on", choices=FAIL_ON, default="warning", help="exit 1 from this severity on (default: warning)"
    )
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 whatever is found")
    for flag, what in (("--select", "apply only these rules"), ("--ignore", "leave these rules out")):
        parser.add_argument(
            flag, metavar="RULES", action="extend", type=_names, default=[], help=f"{what}: names or codes, with commas"
        )


def _destination(text: str) -> Destination:
    name, colon, path = text.partition(":")
    if not colon or not path or name not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r} is not FORMAT:FILE with {', '.join(FORMATS)} as FORMAT")
    if path == "-":
        raise argparse.ArgumentTypeError(f"standard output has its own option: --format {name}")
    return Destination(name, path)


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def check_rules(names: Iterable[str]) -> None:
    """Raise `UsageError` for a rule that does not exist, with the names that may have been meant."""
    from tracediag.rules import all_rules, find_rule

    for name in names:
        try:
            find_rule(name)
        except KeyError:
            raise no_such("rule", name, (word for rule in all_rules() for word in (rule.name, rule.code))) from None


class Publisher:
    """Writes each report to standard output and to the further files, and its summary to standard error."""

    def __init__(self, options: JudgingOptions, look: Look) -> None:
        self._files = contextlib.ExitStack()
        self._writers: list[tuple[Format, TextIO]] = [
            (formatter(each.format), self._files.enter_context(_opened(each.path))) for each in options.report
        ]
        self._formatter = formatter(options.format, look)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def publish(self, report: Report) -> None:
        """Write one report everywhere."""
        for piece in self._formatter.report(report):
            write(piece)
        self._file(report)

    def publish_live(self, analysis: Analysis, path: str) -> Report:
        """Write each finding as soon as it shows, and at the end their order of rank; return the report."""
        told: list[str] = []
        for finding in analysis:
            write(self._formatter.finding(finding, path))
            told.append(finding.fingerprint)
        report = analysis.report()
        write(self._formatter.closing(report))
        ranked = report.findings
        if told != [finding.fingerprint for finding in ranked]:
            say("ranked: " + ", ".join(f"{finding.name} ({finding.count:,})" for finding in ranked))
        self._file(report)
        return report

    def _file(self, report: Report) -> None:
        for each, stream in self._writers:
            stream.writelines(each.report(report))
            stream.flush()
        say(summary(report))


@contextlib.contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """Open a file for a report; early, so that a wrong path does not waste a long analysis."""
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(Path(path).open("w", encoding="utf-8", errors="backslashreplace"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: {error.strerror if isinstance(error, OSError) else error}") from error
        yield stream


def exit_code(reports: Sequence[Report], options: JudgingOptions) -> ExitCode:
    """Return what the findings mean for the shell; a rule that raised is our own fault, whatever was found."""
    if any(report.broken for report in reports):
        return ExitCode.FAULT
    if options.exit_zero or options.fail_on == "never":
        return ExitCode.CLEAN
    limit = Severity(options.fail_on)
    failing = any(cause.severity >= limit for report in reports for cause in report.causes)
    return ExitCode.FINDINGS if failing else ExitCode.CLEAN
