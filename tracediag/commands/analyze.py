"""Diagnose recorded traces.

Each TRACE is the output of strace, plain or compressed; "-" is standard input. The report goes to standard
output, its summary to standard error. Of several traces each is reported in turn, and the exit code is the worst.
"""

from __future__ import annotations

import argparse
import sys

from tracediag.commands.errors import ExitCode
from tracediag.commands.judging import JudgingOptions, Publisher, add_judging, check_rules, exit_code
from tracediag.commands.output import look_of, say
from tracediag.commands.progress import progress_of
from tracediag.findings import Report


class Options(JudgingOptions, kw_only=True):
    """What `tracediag analyze` takes."""

    traces: list[str]
    strict: bool = False


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("traces", metavar="TRACE", nargs="+", help='a trace; "-" for standard input')
    parser.add_argument("--strict", action="store_true", help="a line that is not understood is an error")
    add_judging(parser, "-o", "--report")


def run(options: Options) -> int:
    """Analyse the traces one after the other; one that cannot be read does not keep the others from it."""
    from tracediag.reading import NotUnderstoodError, UnreadableError

    check_rules([*options.select, *options.ignore])
    code = ExitCode.CLEAN
    with Publisher(options, look_of(sys.stdout, options.color)) as publisher:
        for trace in options.traces:
            try:
                report = _analyze(trace, options)
            except (UnreadableError, NotUnderstoodError) as error:
                say(str(error) if isinstance(error, UnreadableError) else f"{trace}: {error}")
                code = max(code, ExitCode.UNREADABLE)
            else:
                publisher.publish(report)
                code = max(code, exit_code([report], options))
    return code


def _analyze(trace: str, options: Options) -> Report:
    from tracediag.api import analyze

    with progress_of(trace) as progress:
        return analyze(trace, select=options.select, ignore=options.ignore, progress=progress, strict=options.strict)
