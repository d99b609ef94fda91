"""The entry point: the command line as a whole, its errors and its exit code."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; the only place where errors become messages."""
    from tracediag.commands.output import finish

    arguments = sys.argv[1:] if arguments is None else arguments
    _open_streams()
    try:
        code = _run(arguments)
    except SystemExit as stop:  # argparse: help was printed, or the usage is wrong
        code = stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        _die_of_interrupt()
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes one line and an exit code
        code = _complain(error, debug="--debug" in arguments)
    try:
        finish()
    except OSError as error:
        code = _complain(error, debug="--debug" in arguments)
    return code


def _run(arguments: Sequence[str]) -> int:
    from tracediag.commands.parser import parse

    module, options = parse(arguments)
    # The model of a long trace is many small objects that stay: to visit them less often saves a tenth of the time.
    gc.set_threshold(10_000, 20, 50)
    return module.run(options)


def _open_streams() -> None:
    """See that no text can make a stream fail, whatever its encoding; nor its absence (`>&-`)."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _die_of_interrupt() -> None:
    """End as the shell expects of a program that Ctrl-C stopped, so that a loop around it stops too."""
    sys.stderr.write("\n")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


def _complain(error: Exception, *, debug: bool) -> int:
    """Tell an error in one line, and return its exit code."""
    from tracediag.commands.errors import CommandError, ExitCode
    from tracediag.commands.output import say

    if debug:
        import traceback

        sys.stderr.writelines(traceback.format_exception(error))
    if isinstance(error, CommandError):
        say(str(error))
        return ExitCode.FAULT
    # If it is what reading raises, that module is loaded; to import it here could be the very thing that failed.
    unreadable = getattr(sys.modules.get("tracediag.reading"), "UnreadableError", ())
    if isinstance(error, unreadable):
        say(str(error))
        return ExitCode.UNREADABLE
    first = str(error).partition("\n")[0]
    say(f"internal fault: {type(error).__name__}: {first} (--debug shows where)")
    return ExitCode.FAULT


if __name__ == "__main__":
    sys.exit(main())
