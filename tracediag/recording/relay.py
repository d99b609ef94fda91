"""Copies standard input to standard output: the process between strace and the file of the trace.

strace would print one message for each line that does not fit on a full disk, into the command's own standard error.
This process takes every line: where the file cannot be written, it writes the error's number to standard error, once,
and drops the rest. It is a process of its own, so that the trace is complete even if tracediag is killed.

It is run by its path, without the site and without tracediag: it must be there before strace has filled the pipe.
"""

from __future__ import annotations

import contextlib
import os
import signal

_PIECE = 1 << 16
"""Bytes that a pipe holds."""


def main() -> None:
    """Copy until every writer has closed the pipe; no signal but SIGKILL ends it earlier."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    fits = True
    while piece := os.read(0, _PIECE):
        if fits:
            fits = _write(piece)


def _write(piece: bytes) -> bool:
    """Write all bytes to the file; return whether they fit."""
    rest = memoryview(piece)
    try:
        while rest:
            rest = rest[os.write(1, rest) :]
    except OSError as error:
        with contextlib.suppress(OSError):
            os.write(2, str(error.errno).encode())
        return False
    return True


if __name__ == "__main__":
    main()
