"""Reading waits on non-blocking descriptors: a read that fails with EAGAIN is not the end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tracediag.reading import Reader, UnreadableError
from tracediag.reading.sources import Stream

TRACE = b"close(3) = 0\n" * 500


def feed(writing: int, times: int) -> threading.Thread:
    """Write the trace in pieces, with pauses in which the pipe is empty."""

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as end:
            for _ in range(times):
                end.write(TRACE)
                drained.wait(0.05)

    drained = threading.Event()
    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_a_pipe_that_is_empty_for_a_moment() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    thread = feed(writing, 10)
    with os.fdopen(reading, "rb", buffering=0) as end:
        reader = Reader(Stream("<pipe>", end))  # type: ignore[arg-type]
        assert len(list(reader)) == 5000
    thread.join()


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
@pytest.mark.parametrize("command", ["summary", "analyze"])
def test_standard_input(command: str, name: str) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    process = subprocess.Popen(
        [sys.executable, "-m", "tracediag", command, name],
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(reading)
    thread = feed(writing, 10)
    said = process.communicate(timeout=120)[1]
    thread.join()
    assert "5,000 lines" in said
    assert process.returncode == 0


def test_a_high_descriptor() -> None:
    reading, writing = os.pipe()
    high = os.dup2(reading, 1500) if _may_have(1500) else reading
    os.close(reading) if high != reading else None
    thread = feed(writing, 2)
    with os.fdopen(high, "rb", buffering=0) as end:
        assert len(list(Reader(Stream("<pipe>", end)))) == 1000  # type: ignore[arg-type]
    thread.join()


def _may_have(number: int) -> bool:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] > number


def test_a_closed_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # the interpreter's value for a closed descriptor 0
    trace = tmp_path / "trace"
    trace.write_bytes(TRACE)
    assert len(list(Reader(trace))) == 500
    with pytest.raises(UnreadableError, match="<stdin>: standard input is closed"):
        Reader("-")
