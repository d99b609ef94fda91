"""Runs the command many times: a process that has imported and used all of it once, and forks for each run.

Each run is a process with descriptors, a working directory and an environment of its own, as if it were started by
itself; only the half of a second is saved in which modules are imported and tables, patterns and pages are read and
kept in memory, and the taking down of all that at the end. `command_line.py` is the other side. A request is one
message on the socket of standard input: the arguments of `run` as JSON, with the three standard descriptors. The
answers are the process id and, when the process has ended, its exit code (that of a signal is negative).
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import tracediag
from tracediag.__main__ import main
from tracediag.ownrules.plugins import plugins

REQUEST_BYTES = 1 << 20
SAMPLE = Path(__file__).parents[1] / "samples" / "epollserver" / "accept-once.strace"
USES = (
    ("analyze", SAMPLE, "-o", f"json:{os.devnull}", "-o", f"markdown:{os.devnull}"),
    ("explain", f"{SAMPLE}:797"),
    ("summary", SAMPLE),
    ("tree", SAMPLE),
    ("rules",),
)
"""Commands that between them read most of what a run keeps in memory."""


def warm_up() -> None:
    """Import each module and use it, so that no run has to; what collections would look at again is set aside."""
    for module in pkgutil.walk_packages(tracediag.__path__, "tracediag."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        for words in USES:
            main([str(word) for word in words])
    plugins.cache_clear()  # they depend on the PYTHONPATH of each run
    gc.collect()
    gc.freeze()


def serve(requests: socket.socket) -> None:
    """Answer requests until the other side closes the socket."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, REQUEST_BYTES, 3)
        if not message:
            return
        process = os.fork()
        if process == 0:
            requests.close()
            run(descriptors, **json.loads(message))
        for descriptor in descriptors:
            os.close(descriptor)
        requests.send(str(process).encode())
        requests.send(str(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])).encode())


def run(descriptors: list[int], arguments: list[str], folder: str, mask: int, environment: dict[str, str]) -> None:
    """Be the command: never returns."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, max(descriptors) + 1)
    os.chdir(folder)
    os.umask(mask)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep) if "PYTHONPATH" in environment else []
    sys.stdin, sys.stdout, sys.stderr = (stream(number, environment) for number in range(3))
    sys.argv = ["tracediag", *arguments]
    end(main)


def end(program: Callable[[], int]) -> NoReturn:
    """Run the program and end as the interpreter does, but leave it to the kernel to take the memory back."""
    try:
        code = program()
    except BaseException:  # noqa: BLE001 - the interpreter shows each of them
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    os._exit(code)


def stream(number: int, environment: dict[str, str]) -> io.TextIOWrapper:
    """Open a standard stream as the interpreter does."""
    encoding, _, errors = environment.get("PYTHONIOENCODING", "utf-8").partition(":")
    raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
    buffer = io.BufferedReader(raw) if number == 0 else io.BufferedWriter(raw)
    usual = "backslashreplace" if number == 2 else "strict"
    line_by_line = number == 2 or (number == 1 and raw.isatty())
    return io.TextIOWrapper(buffer, encoding=encoding, errors=errors or usual, line_buffering=line_by_line)


if __name__ == "__main__":
    server = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warm_up()
    serve(server)
