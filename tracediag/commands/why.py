"""Find out why a program printed a message.

    tracediag why "No such file or directory" server.strace

MESSAGE is what the program printed, or a part of it, on any line; case and blanks do not matter. The command finds the
write that printed it, also if it was written in pieces, to fd 1 or 2, a log or syslog, and what led to it: the
failed call, the child that failed or the peer that sent the text. Where nothing did, the text is the program's own.
"""

from __future__ import annotations

import argparse
import sys
from typing import Literal

import msgspec

from tracediag.commands.errors import CommandError, ExitCode, UsageError
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.commands.traces import add_traces, asked_of
from tracediag.report import Look


class Options(CommonOptions, kw_only=True):
    """What `tracediag why` takes."""

    message: str
    traces: list[str]
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("message", metavar="MESSAGE", help="words that the program printed")
    add_traces(parser)
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print what is behind the message, for each trace that shows it; it is an error if none does."""
    from tracediag.overviews.why.cause import NotPrintedError
    from tracediag.reading import UnreadableError

    if not options.message.strip():
        raise UsageError("the message is empty")
    message, traces = asked_of("why", "MESSAGE", options.message, options.traces)
    options = msgspec.structs.replace(options, message=message)
    code, missing = ExitCode.CLEAN, []
    with ReportFiles(options.report, traces) as files:
        for trace in traces:
            try:
                _show(trace, options, files, titled=len(traces) > 1)
            except UnreadableError as error:
                say(str(error))
                code = ExitCode.UNREADABLE
            except NotPrintedError as error:
                missing.append(str(error))
        if len(missing) == len(traces):
            raise CommandError(missing[0] if len(missing) == 1 else f"no trace shows {options.message!r}")
    return code


def _show(trace: str, options: Options, files: ReportFiles, *, titled: bool) -> None:
    from tracediag.overviews.why.cause import find_cause
    from tracediag.report.cause import document, picture
    from tracediag.report.visible import visible

    def rendered(form: str, look: Look) -> str:
        if form == "json":
            return document(cause)
        return (f"{visible(trace)}\n" if titled else "") + picture(cause, look)

    with progress_of(trace, quiet=options.quiet) as progress:
        cause = find_cause(trace, options.message, progress)
    write(rendered(options.format, look_of(sys.stdout, options.color)))
    files.write(lambda name: [rendered(name, Look())])
    if cause.damage is not None:
        say(f"{trace}: {cause.damage}")
