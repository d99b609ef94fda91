"""Diagnose recorded traces.

    tracediag analyze server.strace
    strace -f ./server 2>&1 | tracediag analyze

Each TRACE is the output of strace, plain or compressed; "-" is standard input, and may be omitted after a pipe. The
files of `strace -ff`, or their prefix, count as one trace. The report goes to standard output, a one-line summary to
standard error. Several traces are reported one after the other; the exit code is the worst of them. From a pipe, or
with --follow, findings are reported while the trace is read.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tracediag.commands.errors import CommandError, ExitCode, UsageError
from tracediag.commands.inforce import Applied, in_force, publish_entries, selected
from tracediag.commands.judging import JudgingOptions, Publisher, add_judging, exit_code
from tracediag.commands.output import look_of, say
from tracediag.commands.progress import progress_of
from tracediag.commands.traces import add_traces, traces_of
from tracediag.results.report import Report

if TYPE_CHECKING:
    from tracediag.reading import Followed, Source
    from tracediag.snapshot import Snapshot


class Options(JudgingOptions, kw_only=True):
    """What `tracediag analyze` takes."""

    traces: list[str]
    strict: bool = False
    follow: bool = False
    here: bool = False
    stacks: str | None = None
    fds: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument(
        "--strict", action="store_true", help="treat damaged files and lines that are not strace output as errors"
    )
    parser.add_argument("--follow", action="store_true", help="keep reading while the trace grows, until Ctrl-C")
    parser.add_argument(
        "--here",
        action="store_true",
        help="also look at this host, now, for what the findings name: paths, listeners, locks, limits; it only reads",
    )
    parser.add_argument(
        "--stacks",
        metavar="FILE",
        help="show where each thread is in its program: gdb's 'thread apply all bt', eu-stack, py-spy dump, jstack, Go",
    )
    parser.add_argument(
        "--fds",
        metavar="FILE",
        help="take what was open before the trace from a listing: ls -l /proc/PID/fd, lsof -nP, ss -tanp",
    )
    add_judging(parser)


def run(options: Options) -> int:
    """Analyse the traces one by one; one that cannot be read does not prevent the others."""
    from tracediag.reading import NotUnderstoodError, UnreadableError

    options, applied = in_force(options)
    traces = traces_of(options.traces)
    look = look_of(sys.stdout, options.color)
    code = ExitCode.CLEAN
    reports: list[Report] = []
    with Publisher(options, look, traces) as publisher, _sources(traces, options) as sources:
        for source in sources:
            try:
                report = _judge(source, options, applied, publisher)
            except (UnreadableError, NotUnderstoodError) as error:
                name = source if isinstance(source, str) else source.name
                said = str(error) if isinstance(error, UnreadableError) else f"{name}: {error}"
                say(_without_secrets(said) if options.redact else said)
                code = max(code, ExitCode.UNREADABLE)
            else:
                reports.append(report)
        publish_entries(publisher, reports, options, applied.acceptance, complete=code is ExitCode.CLEAN)
    return max(code, exit_code(reports, options))


@contextlib.contextmanager
def _sources(traces: list[str], options: Options) -> Iterator[list[str | Source]]:
    """Yield the sources to read; with --follow, Ctrl-C ends the reading, not the program."""
    from tracediag.reading import Followed, ProcessSet, grouped

    if not options.follow or traces == ["-"]:
        sources: list[str | Source] = list(grouped(traces))
        for source in sources:
            if isinstance(source, ProcessSet) and not source.merged:
                options.tell(f"{source.name}: its files have no times and are read one after another")
        yield sources
        return
    if len(traces) > 1:
        raise UsageError("--follow takes one trace")
    followed = Followed(traces[0])
    with _stopped_by_interrupt(followed):
        yield [followed]


@contextlib.contextmanager
def _stopped_by_interrupt(followed: Followed) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, lambda _number, _frame: followed.stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _finished(options: Options) -> Callable[[Report], Report]:
    """Return what is done to a report before it is written: with --here, a look at this host."""
    if not options.here:
        return _same
    from tracediag.here import look_here

    return look_here


def _handed(source: str | Source, options: Options) -> Snapshot | None:
    """Return the snapshot beside a trace with what was handed along; None where nothing was."""
    if options.stacks is None and options.fds is None:
        return None
    from tracediag.snapshot import Snapshot, SnapshotError, beside
    from tracediag.snapshot.listings import load_listing
    from tracediag.snapshot.stacks import load_stacks

    try:
        known = beside(source) or Snapshot()
        if options.stacks is not None:
            known.stacks = load_stacks(Path(options.stacks))
        if options.fds is not None:
            known.before = load_listing(Path(options.fds))
    except SnapshotError as error:
        raise CommandError(str(error)) from error
    return known


def _without_secrets(said: str) -> str:
    from tracediag.redaction import Redactor

    return Redactor().text(said)


def _same(report: Report) -> Report:
    return report


def _judge(source: str | Source, options: Options, applied: Applied, publisher: Publisher) -> Report:
    from tracediag.analysis import Analysis

    path = source if isinstance(source, str) else source.name
    with progress_of(path, quiet=options.quiet) as progress:
        analysis = Analysis(
            source,
            select=selected(options),
            ignore=options.ignore or (),
            rules=applied.rules,
            progress=progress,
            strict=options.strict,
            debug=options.debug,
            known=_handed(source, options),
            adjust=applied.acceptance,
        )
        if publisher.is_live and (path == "-" or options.follow or options.format == "jsonl"):
            return publisher.publish_live(analysis, "<stdin>" if path == "-" else path, _finished(options))
        for _ in analysis:
            pass
    report = _finished(options)(analysis.report())
    publisher.publish(report)
    return report
