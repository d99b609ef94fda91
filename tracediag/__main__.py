"""The entry point: runs the command line, and turns errors into messages and exit codes."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; the only place where errors become messages."""
    # What is imported stays, and the model of a long trace is many small, long-lived objects: fewer collections save
    # a tenth of the time of both.
    gc.set_threshold(20_000, 20, 50)
    from tracediag.commands.errors import ExitCode
    from tracediag.commands.output import finish, open_streams

    arguments = sys.argv[1:] if arguments is None else arguments
    open_streams()
    try:
        with _stopped_in_order():
            code = _run(arguments)
    except _Stopped as stop:
        _die_of(stop.number)
        raise
    except SystemExit as stop:  # argparse: help was printed, or the usage is wrong
        code = stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        _die_of_interrupt()
        raise
    return code if finish() else ExitCode.FAULT


def _run(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code or that of its error."""
    from tracediag.commands.parser import parse

    debug = False
    try:
        module, options = parse(arguments)
        debug = options.debug
        return module.run(options)
    except Exception as error:  # noqa: BLE001 - any error becomes one line and an exit code
        return _complain(error, debug=debug)


class _Stopped(BaseException):
    """A signal that ends the program; it passes through all that is open, so that each closes or removes its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def _stopped_in_order() -> Iterator[None]:
    """Let the signals that end a program leave no half-written file; a signal that is ignored stays so (nohup)."""
    numbers = [each for each in _ENDING if signal.getsignal(each) is signal.SIG_DFL]

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in numbers:  # a second signal would break off the removing
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped(number)

    try:
        for each in numbers:
            signal.signal(each, stop)
        yield
    finally:
        for each in numbers:
            signal.signal(each, signal.SIG_DFL)


def _die_of_interrupt() -> None:
    """Die of SIGINT, as the shell expects of a program that Ctrl-C stopped, so that a loop around it stops too."""
    from tracediag.commands.output import write_error

    write_error("\n")
    _die_of(signal.SIGINT)


def _die_of(number: int) -> None:
    """End by a signal, after the work is undone, as without our handling of it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _complain(error: Exception, *, debug: bool) -> int:
    """Report an error in one line, with `debug` after its traceback, and return its exit code."""
    from tracediag.commands.errors import CommandError, ExitCode
    from tracediag.commands.output import say, write_error
    from tracediag.report.visible import visible

    if debug:
        import traceback

        lines = "".join(traceback.format_exception(error)).splitlines()
        write_error("".join(f"{visible(line)}\n" for line in lines))
    if isinstance(error, CommandError):
        say(str(error))
        return ExitCode.FAULT
    # If reading raised it, that module is loaded; importing it here could fail for the same reason.
    unreadable = getattr(sys.modules.get("tracediag.reading"), "UnreadableError", ())
    if isinstance(error, unreadable):
        say(str(error))
        return ExitCode.UNREADABLE
    first = str(error).partition("\n")[0]
    say(f"internal error: {type(error).__name__}: {first} (--debug shows where)")
    return ExitCode.FAULT


if __name__ == "__main__":
    sys.exit(main())
