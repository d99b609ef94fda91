"""Runs a command under strace: the one place that finds strace, knows its options and follows what it writes.

strace writes into a file and not into a pipe of ours: the command then never waits for the analysis, and the trace
survives whatever happens to us. We follow the file as it grows.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

OPTIONS = ("-f", "-ttt", "-T", "-yy", "-s", "128")
"""All processes, exact times, durations, what each descriptor is, and enough of each buffer to know it by."""

_PLAIN_OPTIONS = ("-f", "-ttt", "-T", "-s", "128")
_FIRST_WITH_DESCRIPTORS = (4, 10)
"""The first strace that has -yy."""

_PAUSE = 0.02
"""Seconds between two looks at a file that does not grow."""


class RecordingError(Exception):
    """Nothing could be recorded; the message is one clear line."""


class Strace(msgspec.Struct, frozen=True):
    """An strace that can be run."""

    path: str
    version: tuple[int, int]

    @property
    def options(self) -> tuple[str, ...]:
        """The best options that this version knows."""
        return OPTIONS if self.version >= _FIRST_WITH_DESCRIPTORS else _PLAIN_OPTIONS

    @property
    def label(self) -> str:
        """What to call it."""
        return f"strace {self.version[0]}.{self.version[1]}"


def find_strace() -> Strace | None:
    """Return the strace on the path, or None where there is none that runs."""
    path = shutil.which("strace")
    if path is None:
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=True)
        version = re.search(r"version (\d+)\.(\d+)", said.stdout + said.stderr)
        return Strace(path, (int(version[1]), int(version[2])) if version else (0, 0))
    return None


@contextlib.contextmanager
def trace_file(kept: str | None) -> Iterator[Path]:
    """Yield the file to record into: the one to be kept, or one that is gone afterwards."""
    if kept is not None:
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="tracediag-") as folder:
        yield Path(folder, "trace.strace")


class Recording:
    """A command that runs under strace, and its growing trace."""

    def __init__(self, strace: Strace, command: Sequence[str], trace: Path, *, stdout: int | None = None) -> None:
        self.trace = trace
        self.command = [strace.path, *strace.options, "-o", str(trace), "--", *command]
        try:
            trace.write_bytes(b"")  # there from the start, so that it can be followed
            self.process = subprocess.Popen(self.command, stdout=stdout)
        except OSError as error:
            raise RecordingError(f"{error.filename}: {error.strerror}") from error

    @property
    def running(self) -> bool:
        """Whether strace, and so some process of the command, still runs."""
        return self.process.poll() is None

    def lines(self) -> Iterator[str]:
        """Yield the lines of the trace while they are written, until strace has ended."""
        with self.trace.open("rb") as stream:
            yield from self._follow(stream)

    def signal(self, number: int) -> None:
        """Send a signal to all that is traced; strace itself is deaf to the keyboard's while it writes a file."""
        for pid in self._traced():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for the end; say whether it came in time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End the command and strace at once."""
        self.signal(9)
        if not self.wait(2):
            self.process.kill()
            self.process.wait()

    def check(self) -> None:
        """Raise `RecordingError` if strace ended without having traced anything; it has said why on stderr."""
        if not self.running and self.trace.stat().st_size == 0:
            raise RecordingError(f"strace could not trace the command (exit code {self.process.returncode})")

    def _follow(self, stream: BinaryIO) -> Iterator[str]:
        kept = b""
        while True:
            ended = not self.running  # asked before reading: what strace wrote last must not be missed
            while piece := stream.readline():
                kept += piece
                if kept.endswith(b"\n"):
                    yield kept.decode("utf-8", "surrogateescape")
                    kept = b""
            if ended:
                break
            time.sleep(_PAUSE)
        if kept:
            yield kept.decode("utf-8", "surrogateescape")

    def _traced(self) -> Iterator[int]:
        """Yield the processes under this strace, whoever their parents are by now: proc_pid_status(5)."""
        mark = f"TracerPid:\t{self.process.pid}\n"
        for folder in Path("/proc").glob("[0-9]*") if self.running else ():
            with contextlib.suppress(OSError):
                if mark in (folder / "status").read_text(errors="replace"):
                    yield int(folder.name)
