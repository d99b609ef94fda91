"""Runs the real command for the tests: in a process of its own, whose imports were done before if that may be."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import pytest

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without the variables that affect colour and width."""
    left_out = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in left_out} | changes


def first_finding(report: str) -> str:
    """Return the first line of the first finding in a full report, below its head."""
    return next(line for line in report.splitlines() if line.startswith(("error[", "warning[", "note[")))


def fresh_tracediag(*arguments: object, env: Mapping[str, str] | None = None, **options: Any) -> Any:
    """Start an interpreter for the command, as a user does; for what the start itself decides."""
    command = [sys.executable, "-m", "tracediag", *map(str, arguments)]
    options = {"capture_output": True, "text": True, "timeout": 120, "stdin": subprocess.DEVNULL} | options
    if "input" in options:
        del options["stdin"]
    return subprocess.run(command, env=environment(**(env or {})), check=False, **options)


def tracediag(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] = ".",
    input: str | bytes | None = None,  # noqa: A002 - the name that subprocess.run has
    text: bool = True,
    **streams: int | IO[Any],
) -> subprocess.CompletedProcess[Any]:
    """Run the command in a process of its own and return what it prints, as `subprocess.run` does.

    Its imports are done before, in `warm_server.py`. `streams` are `stdin`, `stdout` and `stderr`, if not captured.
    """
    words = [str(argument) for argument in arguments]
    request = {"arguments": words, "folder": str(Path(cwd).absolute()), "environment": environment(**(env or {}))}
    request |= {"mask": _mask()}
    with contextlib.ExitStack() as open_here, ThreadPoolExecutor(3) as threads:
        theirs, printed = _standard_streams(open_here, threads, input, streams)
        server = _server()
        socket.send_fds(server, [json.dumps(request).encode()], theirs)
        open_here.close()
        code = _wait(server)
        output = [None if each is None else each.result() for each in printed]
    shown = [each.decode().replace("\r\n", "\n") if text and each is not None else each for each in output]
    return subprocess.CompletedProcess(words, code, *shown)


def _mask() -> int:
    """Return the mask of new files; to read it is to set it."""
    os.umask(mask := os.umask(0))
    return mask


def _standard_streams(
    open_here: contextlib.ExitStack,
    threads: ThreadPoolExecutor,
    given: str | bytes | None,
    streams: Mapping[str, int | IO[Any]],
) -> tuple[list[int], list[Future[bytes] | None]]:
    """Return the three descriptors of the command, and what will be read of its output; `open_here` closes ours."""
    theirs: list[int] = []
    printed: list[Future[bytes] | None] = []
    if given is not None:
        reading, writing = os.pipe()
        threads.submit(_write_all, writing, given.encode() if isinstance(given, str) else given)
        theirs.append(_closed_by(open_here, reading))
    elif (stdin := streams.get("stdin")) is not None:
        theirs.append(_number(stdin))
    else:
        theirs.append(_closed_by(open_here, os.open(os.devnull, os.O_RDONLY)))
    for name in ("stdout", "stderr"):
        if (stream := streams.get(name)) is not None:
            theirs.append(_number(stream))
            printed.append(None)
        else:
            reading, writing = os.pipe()
            theirs.append(_closed_by(open_here, writing))
            printed.append(threads.submit(_read_all, reading))
    return theirs, printed


def _closed_by(open_here: contextlib.ExitStack, descriptor: int) -> int:
    open_here.callback(os.close, descriptor)
    return descriptor


def _number(stream: int | IO[Any]) -> int:
    return stream if isinstance(stream, int) else stream.fileno()


def _read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb") as stream:
        return stream.read()


def _write_all(descriptor: int, text: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(descriptor, "wb") as stream:
        stream.write(text)


@functools.cache
def _server() -> socket.socket:
    """Start the process that forks for each run; it ends when this one closes the socket, or ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen([sys.executable, Path(__file__).with_name("warm_server.py")], stdin=theirs)
    atexit.register(lambda: (ours.close(), server.wait()))
    ours.settimeout(120)  # seconds: as a process that hangs would otherwise stop all tests
    return ours


def _wait(server: socket.socket) -> int:
    """Return the exit code of the run; a process that takes too long is killed."""
    process = int(server.recv(100))
    try:
        return int(server.recv(100))
    except TimeoutError:
        os.kill(process, signal.SIGKILL)
        raise
