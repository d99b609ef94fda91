"""Record a command, or a running process, under strace, and diagnose it.

    tracediag run --keep server.strace -- ./server --port 8080
    tracediag run -p 4711 --for 5s
    tracediag run -p nginx

With -p strace is attached to a process, or to all processes of that name, and leaves it running: Ctrl-C, and the time
of --for, end the tracing only. What /proc shows of descriptors, epoll sets, locks and threads before and after is used,
and stands beside a kept trace as FILE.proc.json; docs/attach.md explains it.

A command keeps its standard input, output and error. The report follows when the command has ended. Ctrl-C reaches the
command as usual; a second Ctrl-C sends SIGTERM to every traced process, a third SIGKILL. SIGTERM, SIGHUP or SIGQUIT to
tracediag, and the end of the time of --for, sends SIGTERM to every traced process, and SIGKILL ten seconds later. The
exit code is that of the diagnosis; with --exit-with-command it is the status of a command that fails, or 128 + N after
signal N. With --only-on-failure a command that succeeds is not diagnosed at all: no report, no trace, exit code 0.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tracediag.commands.analysing import analysis_of
from tracediag.commands.errors import CommandError, ExitCode, UsageError
from tracediag.commands.hiding import secrets_if, shown
from tracediag.commands.inforce import Applied, in_force, publish_entries
from tracediag.commands.judging import JudgingOptions, add_judging, exit_code
from tracediag.commands.keeping import Keeping
from tracediag.commands.output import look_of, say
from tracediag.commands.publishing import Publisher
from tracediag.recording import Attached, Ending, Interruption, Recording, RecordingError, Strace, find_strace, pids_of
from tracediag.recording.command import check_command
from tracediag.results.report import CommandEnd, Report
from tracediag.trace.quantities import in_seconds

if TYPE_CHECKING:
    from tracediag.redaction import Secrets

_LONGEST = 10 * 365 * 86400.0
"""Seconds of --for."""


class Options(JudgingOptions, kw_only=True):
    """What `tracediag run` takes."""

    command: list[str]
    pids: list[str]
    seconds: float | None = None
    stacks: bool = False
    keep: str | None = None
    exit_with_command: bool = False
    only_on_failure: bool = False


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = "tracediag run [OPTIONS] -- COMMAND [ARGUMENT...]\n       tracediag run [OPTIONS] -p PID"
    parser.add_argument(
        "-p",
        "--pid",
        dest="pids",
        metavar="PID",
        action="append",
        default=[],
        help="attach to a running process, by pid or by name; may be repeated",
    )
    parser.add_argument(
        "--for",
        dest="seconds",
        metavar="TIME",
        type=duration,
        help="end the recording after this time, such as 5s, 500ms or 2m; with a command, end the command",
    )
    parser.add_argument("--keep", metavar="FILE", help="keep the trace in FILE")
    parser.add_argument(
        "-k",
        "--stack-traces",
        dest="stacks",
        action="store_true",
        help="record the stack of each call (strace -k), which names the function; the command becomes much slower",
    )
    add_judging(parser)
    parser.add_argument(
        "--exit-with-command",
        action="store_true",
        help="if the command fails, exit with its status, or 128 + N for signal N, whatever is found",
    )
    parser.add_argument(
        "--only-on-failure",
        action="store_true",
        help="report, and keep the trace, only if the command fails; otherwise exit 0",
    )
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="the command, with its arguments")


def run(options: Options) -> int:
    """Record and analyse."""
    options, applied = in_force(options)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not options.pids:
        _check_command(command)
    elif command:
        raise UsageError("-p attaches to a running process: it takes no command")
    elif options.only_on_failure:
        raise UsageError("--only-on-failure needs a command: with -p there is none")
    if options.symbols and not options.stacks:
        raise UsageError("--symbols finds the lines of stacks, which -k records: tracediag run -k --symbols")
    check_keep(options.keep)
    with Interruption(_hint) as interruption:
        try:
            strace = msgspec.structs.replace(find_strace(), stacks=options.stacks)
            look = look_of(sys.stdout, options.color)
            with Publisher(options, look, kept(options.keep)) as publisher:
                report, ending = (
                    _attach(interruption, strace, options, applied)
                    if options.pids
                    else _record(interruption, strace, command, options, applied)
                )
                if report is None:
                    options.tell("the command exited with status 0: no report and no trace (--only-on-failure)")
                    return ExitCode.CLEAN
                publisher.publish(report)
                entries = publish_entries(publisher, [report], options, applied.acceptance)
        except RecordingError as error:
            raise CommandError(str(error)) from error
    if options.exit_with_command and ending is not None and ending.shell_status:
        return ending.shell_status
    return exit_code([report], options, entries)


def check_keep(path: str | None) -> None:
    """Raise `UsageError` for a trace without a name, or on standard output, which is the command's and the report's."""
    if path == "":
        raise UsageError("--keep takes a file: its name is empty")
    if path == "-":
        raise UsageError("--keep takes a file: standard output belongs to the command and to the report")


def kept(path: str | None) -> tuple[str, ...]:
    """Return the trace that no report may replace, where there is one."""
    return () if path is None else (path,)


def _check_command(command: list[str]) -> None:
    """Raise `UsageError` where there is nothing that can be run."""
    if not command:
        raise UsageError("no command to run: tracediag run [OPTIONS] -- COMMAND [ARGUMENT...]")
    try:
        check_command(command)
    except RecordingError as error:
        raise UsageError(str(error)) from None


def duration(text: str) -> float:
    """Return the seconds of a time such as "5s", "500ms", "2m" or "5"; ArgumentTypeError for any other text."""
    try:
        seconds = in_seconds(text if text.endswith(("s", "m", "h")) else f"{text}s")
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write 500ms, 5s, 2m or 1h") from None
    return seconds


def _record(
    interruption: Interruption, strace: Strace, command: list[str], options: Options, applied: Applied
) -> tuple[Report | None, Ending | None]:
    """Return the report on a command, and how the command ended; no report where only a failure would have one."""
    name = f"<{Path(command[0]).name}>" if options.keep is None else options.keep
    secrets = secrets_if(options.redact)
    keeping = Keeping(options.keep, redact=options.redact, late=options.only_on_failure)
    start = partial(Recording, strace, command, keeping.recorded, seconds=options.seconds)
    with interruption.guarding(start) as recording, keeping.of(recording):
        if options.only_on_failure and _succeeds(recording, name):
            keeping.drop()
            return None, None
        report = _analyzed(recording, name, options, applied, keeping, secrets)
        ending = recording.ending()
    if ending is None:
        say("strace was killed before the command had ended")
        return shown(report, secrets), None
    end = CommandEnd(argv=tuple(command), status=ending.status, signal=ending.signal_name)
    return shown(msgspec.structs.replace(report, command=end), secrets), ending


def _succeeds(recording: Recording, name: str) -> bool:
    """Wait for the end of the command; return whether it succeeded, and its trace is there to tell so."""
    recording.follow(name).wait()
    recording.check()
    ending = recording.ending()
    return ending is not None and ending.shell_status == 0


def _attach(interruption: Interruption, strace: Strace, options: Options, applied: Applied) -> tuple[Report, None]:
    """Return the report on processes that run already."""
    pids = sorted({pid for wanted in options.pids for pid in pids_of(wanted)})
    name = f"<{', '.join(options.pids)}>" if options.keep is None else options.keep
    secrets = secrets_if(options.redact)
    keeping = Keeping(options.keep, redact=options.redact)
    start = partial(Attached, strace, pids, keeping.recorded, seconds=options.seconds)
    with interruption.guarding(start) as recording, keeping.of(recording):
        limit = "until Ctrl-C" if options.seconds is None else f"for {options.seconds:,.12g} s, or until Ctrl-C"
        traced = f"{'process' if len(pids) == 1 else 'processes'} {', '.join(map(str, pids))}"
        options.tell(f"tracing {traced} {limit}, which ends the tracing only")
        return shown(_analyzed(recording, name, options, applied, keeping, secrets), secrets), None


def _analyzed(
    recording: Recording, name: str, options: Options, applied: Applied, keeping: Keeping, secrets: Secrets | None
) -> Report:
    """Return the report on a recording, once it is complete; its snapshot is kept beside a kept trace."""
    from tracediag.snapshot import store

    source = recording.follow(name)
    analysis = analysis_of(source, options, applied, known=recording.snapshot, secrets=secrets)
    for _ in analysis:
        pass
    report = analysis.report()
    recording.check(answered=bool(report.waiting))
    if options.keep is not None:
        try:
            store(keeping.snapshot(recording.snapshot, secrets), options.keep)
        except OSError as error:
            say(f"{error.filename}: {error.strerror}")
    return report


def _hint(recording: Recording) -> None:
    """Detach from what was attached; else say what more Ctrl-C does.

    It writes past the buffer of standard error, which the signal may have interrupted.
    """
    if isinstance(recording, Attached):
        recording.detach()
        return
    with contextlib.suppress(OSError):
        os.write(2, b"\ntracediag: waiting for the command to end; press Ctrl-C again for SIGTERM, then SIGKILL\n")
