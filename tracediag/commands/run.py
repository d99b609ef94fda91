"""Record a command under strace, and diagnose it while it runs.

    tracediag run -o server.strace -- ./server --port 8080

The command's own input and output are left alone. The report comes when the command has ended; Ctrl-C reaches the
command as always, pressed again it ends it by SIGTERM, and then by SIGKILL. The exit code is that of the diagnosis.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import msgspec

from tracediag.commands.errors import CommandError, UsageError
from tracediag.commands.judging import JudgingOptions, Publisher, add_judging, check_rules, exit_code
from tracediag.commands.output import look_of
from tracediag.recording import Recording, RecordingError, Strace, find_strace, trace_file
from tracediag.results.report import Report


class Options(JudgingOptions, kw_only=True):
    """What `tracediag run` takes."""

    command: list[str]
    output: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = "tracediag run [OPTIONS] -- COMMAND [ARGUMENT...]"
    parser.add_argument("-o", "--output", metavar="FILE", help="keep the trace in FILE")
    add_judging(parser, "--report")
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="the command, with its arguments")


def run(options: Options) -> int:
    """Record and analyse."""
    check_rules(options.select, options.ignore)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    strace = _ready(command)
    with Publisher(options, look_of(sys.stdout, options.color)) as publisher, trace_file(options.output) as trace:
        report = _record(strace, command, trace, options)
        publisher.publish(report)
    return exit_code([report], options)


def _ready(command: list[str]) -> Strace:
    """Return the strace to use, once it is clear that there is something to run."""
    if not command:
        raise UsageError("no command to run: tracediag run [OPTIONS] -- COMMAND [ARGUMENT...]")
    if shutil.which(command[0]) is None:
        raise UsageError(f"{command[0]}: no such command")
    strace = find_strace()
    if strace is None:
        raise CommandError("strace is not installed; on Debian and Ubuntu: apt-get install strace")
    return strace


def _record(strace: Strace, command: list[str], trace: Path, options: Options) -> Report:
    from tracediag.api import analyze

    try:
        recording = Recording(strace, command, trace)
        with _interruptible(recording):
            report = analyze(recording.lines(), select=options.select, ignore=options.ignore)
        recording.check()
    except RecordingError as error:
        raise CommandError(str(error)) from error
    shown = msgspec.structs.replace(report.input, path=options.output or f"<{Path(command[0]).name}>")
    return msgspec.structs.replace(report, input=shown)


@contextlib.contextmanager
def _interruptible(recording: Recording) -> Iterator[None]:
    """Let Ctrl-C end the command and not us; whatever else ends us ends the command too."""
    # The terminal has sent the first interrupt to the command as well.
    stopping = iter((None, signal.SIGTERM))

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        number = next(stopping, signal.SIGKILL)
        if number is None:
            _write_at_once("\ntracediag: waiting for the command to end; once more sends SIGTERM, then SIGKILL\n")
        else:
            recording.signal(number)

    def on_terminate(_number: int, _frame: FrameType | None) -> None:
        recording.signal(signal.SIGTERM)

    before = {
        number: signal.signal(number, handler)
        for number, handler in ((signal.SIGINT, on_interrupt), (signal.SIGTERM, on_terminate))
    }
    try:
        yield
    finally:
        if recording.running:
            recording.kill()
        for number, handler in before.items():
            signal.signal(number, handler)


def _write_at_once(text: str) -> None:
    """Write to standard error from a signal handler, past the buffer that the handler may have interrupted."""
    with contextlib.suppress(OSError):
        os.write(2, text.encode())
