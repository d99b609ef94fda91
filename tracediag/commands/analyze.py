"""Diagnose recorded traces.

    tracediag analyze server.strace
    strace -f ./server 2>&1 | tracediag analyze

Each TRACE is the output of strace, plain or compressed; "-" is standard input, and may be omitted after a pipe. The
files of `strace -ff`, or their prefix, count as one trace. The report goes to standard output, a one-line summary to
standard error. Several traces are reported one after the other; the exit code is the worst of them. With -j they are
analysed several at a time, and the report tells what they have in common: each finding once, with the traces that have
it. From a pipe, or with --follow, findings are reported while the trace is read.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tracediag.commands.analysing import analysis_of, name_of, reason
from tracediag.commands.distinct import expanded
from tracediag.commands.errors import CommandError, ExitCode, UsageError
from tracediag.commands.hiding import secrets_if, shown
from tracediag.commands.inforce import Applied, in_force, publish_entries
from tracediag.commands.judging import JudgingOptions, add_judging, exit_code
from tracediag.commands.many import judge_many, number_of_jobs
from tracediag.commands.output import look_of, say
from tracediag.commands.progress import progress_of
from tracediag.commands.publishing import Publisher
from tracediag.commands.traces import add_traces, traces_of
from tracediag.results.report import Report

if TYPE_CHECKING:
    from tracediag.analysis import Analysis
    from tracediag.reading import Followed, Source
    from tracediag.redaction import Secrets
    from tracediag.snapshot import Snapshot


class Options(JudgingOptions, kw_only=True):
    """What `tracediag analyze` takes."""

    traces: list[str]
    strict: bool = False
    follow: bool = False
    here: bool = False
    stacks: str | None = None
    fds: str | None = None
    jobs: int | None = None


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
        help="read what was open before the trace from a listing: ls -l /proc/PID/fd, lsof -nP, ss -tanp",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=number_of_jobs,
        help="analyse N traces at a time (auto: one for each processor) and report what they have in common",
    )
    add_judging(parser)


def run(options: Options) -> int:
    """Analyse the traces; one that cannot be read does not prevent the others."""
    options, applied = in_force(options)
    traces = traces_of(options.traces if options.jobs is None else expanded(options.traces))
    look = look_of(sys.stdout, options.color)
    together = options.jobs is not None
    if together and (options.follow or "-" in traces):
        raise UsageError("-j takes files: leave it out for --follow and for standard input")
    with Publisher(options, look, traces, many=together) as publisher, _sources(traces, options) as sources:
        if options.jobs is None:
            reports, code = _in_turn(sources, options, applied, publisher)
        else:

            def judge(source: str | Source, secrets: Secrets | None) -> Report:
                return _judge(source, options, applied, secrets)

            reports, code = judge_many(sources, options, applied, publisher, judge, options.jobs)
        complete = code is ExitCode.CLEAN
        entries = publish_entries(publisher, reports, options, applied.acceptance, complete=complete)
    return max(code, exit_code(reports, options, entries))


def _in_turn(
    sources: list[str | Source], options: Options, applied: Applied, publisher: Publisher
) -> tuple[list[Report], ExitCode]:
    """Analyse the traces one by one; return the reports, and the code for the traces that could not be read."""
    from tracediag.reading import NotUnderstoodError, UnreadableError

    code = ExitCode.CLEAN
    reports: list[Report] = []
    for source in sources:
        secrets = secrets_if(options.redact)
        try:
            if publisher.is_live and _is_live(source, options):
                reports.append(_judge_live(source, options, applied, publisher, secrets))
            else:
                reports.append(_judge(source, options, applied, secrets))
                publisher.publish(reports[-1])
        except (UnreadableError, NotUnderstoodError) as error:
            say(reason(source, error, secrets))
            code = ExitCode.UNREADABLE
    return reports, code


def _is_live(source: str | Source, options: Options) -> bool:
    """Return whether findings are written as they are found; a later line may give away a secret that one shows."""
    return options.follow or (not options.redact and (source == "-" or options.format == "jsonl"))


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


def _finished(report: Report, options: Options, secrets: Secrets | None) -> Report:
    """Return a report as it is to be written: with --here, after a look at this host."""
    if options.here:
        from tracediag.here import look_here

        report = look_here(report)
    return shown(report, secrets)


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


def _judge(source: str | Source, options: Options, applied: Applied, secrets: Secrets | None) -> Report:
    """Analyse a trace."""
    with progress_of(name_of(source), quiet=options.quiet or options.jobs is not None) as progress:
        analysis = _analysis(source, options, applied, progress, secrets)
        for _ in analysis:
            pass
    return _finished(analysis.report(), options, secrets)


def _judge_live(
    source: str | Source, options: Options, applied: Applied, publisher: Publisher, secrets: Secrets | None
) -> Report:
    """Analyse a trace; its findings are written as they are found."""
    path = name_of(source)
    with progress_of(path, quiet=options.quiet) as progress:
        analysis = _analysis(source, options, applied, progress, secrets)
        finish = partial(_finished, options=options, secrets=secrets)
        return publisher.publish_live(analysis, "<stdin>" if path == "-" else path, finish, secrets)


def _analysis(
    source: str | Source,
    options: Options,
    applied: Applied,
    progress: Callable[[int], None] | None,
    secrets: Secrets | None,
) -> Analysis:
    known = _handed(source, options)
    return analysis_of(source, options, applied, progress=progress, strict=options.strict, known=known, secrets=secrets)
