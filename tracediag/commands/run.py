"""Record a command under strace, and diagnose it while it runs.

    tracediag run --keep server.strace -- ./server --port 8080

The command keeps its standard input, output and error. The report follows when the command has ended. Ctrl-C reaches
the command as usual; a second Ctrl-C sends SIGTERM to every traced process, a third SIGKILL. SIGTERM, SIGHUP or SIGQUIT
to tracediag sends SIGTERM to every traced process, and SIGKILL ten seconds later. The exit code is that of the
diagnosis; with --exit-with-command it is the status of a command that fails, or 128 + N after signal N.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from pathlib import Path

import msgspec

from tracediag.commands.errors import CommandError, UsageError
from tracediag.commands.judging import JudgingOptions, Publisher, add_judging, check_rules, exit_code
from tracediag.commands.output import look_of, say
from tracediag.recording import Ending, Interruption, Recording, RecordingError, Strace, find_strace
from tracediag.results.report import CommandEnd, Report


class Options(JudgingOptions, kw_only=True):
    """What `tracediag run` takes."""

    command: list[str]
    keep: str | None = None
    exit_with_command: bool = False


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = "tracediag run [OPTIONS] -- COMMAND [ARGUMENT...]"
    parser.add_argument("--keep", metavar="FILE", help="keep the trace in FILE")
    add_judging(parser)
    parser.add_argument(
        "--exit-with-command",
        action="store_true",
        help="if the command fails, exit with its status, or 128 + N for signal N, whatever is found",
    )
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="the command, with its arguments")


def run(options: Options) -> int:
    """Record and analyse."""
    check_rules(options.select, options.ignore)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    _check_command(command)
    check_keep(options.keep)
    with Interruption(_hint) as interruption:
        try:
            strace = find_strace()
            look = look_of(sys.stdout, options.color)
            with Publisher(options, look, kept(options.keep)) as publisher:
                report, ending = _record(interruption, strace, command, options)
                publisher.publish(report)
        except RecordingError as error:
            raise CommandError(str(error)) from error
    if options.exit_with_command and ending is not None and ending.shell_status:
        return ending.shell_status
    return exit_code([report], options)


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
    name = command[0]
    if shutil.which(name) is not None:
        return
    if "/" in name and os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        raise UsageError(f"{name}: a directory, not a command")
    if "/" in name and os.path.exists(name):  # noqa: PTH110
        raise UsageError(f"{name}: not executable")
    raise UsageError(f"{name}: no such command")


def _record(
    interruption: Interruption, strace: Strace, command: list[str], options: Options
) -> tuple[Report, Ending | None]:
    """Return the report on a command, and how the command ended."""
    from tracediag.api import analyze

    name = f"<{Path(command[0]).name}>" if options.keep is None else options.keep
    with interruption.guarding(lambda: Recording(strace, command, options.keep)) as recording:
        report = analyze(recording.follow(name), select=options.select, ignore=options.ignore)
        recording.check()
        ending = recording.ending()
    if ending is None:
        say("strace was killed before the command had ended")
        return report, None
    end = CommandEnd(argv=tuple(command), status=ending.status, signal=ending.signal_name)
    return msgspec.structs.replace(report, command=end), ending


def _hint() -> None:
    """Say what more Ctrl-C does; past the buffer of standard error that the signal may have interrupted."""
    with contextlib.suppress(OSError):
        os.write(2, b"\ntracediag: waiting for the command to end; press Ctrl-C again for SIGTERM, then SIGKILL\n")
