"""A command that runs under strace, from its start until all of its processes have ended.

strace is handed a pipe by its place under /proc, never the name of the trace: `strace -o` takes a leading `|` or `!`
for a command to run. At the other end of the pipe a `relay` writes the file, so the command never waits for the
analysis, and the file is read while it grows.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tracediag.recording import tracees
from tracediag.recording.ending import Ending, how, name_of
from tracediag.recording.errors import RecordingError
from tracediag.recording.following import Growing
from tracediag.recording.owned import Owned
from tracediag.recording.proc import look, reduce_mounts
from tracediag.recording.strace import Strace
from tracediag.recording.writing import created, start_relay
from tracediag.snapshot import Snapshot

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""
_PATIENCE = 2.0
"""Seconds in which strace must end once its tracees are dead."""


class Recording:
    """A command under strace, and its growing trace; to be closed, which ends what still runs."""

    def __init__(
        self,
        strace: Strace,
        command: Sequence[str],
        keep: str | None = None,
        *,
        stdout: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Start the command; the trace goes to the file `keep`, or to one that is removed by `close`.

        After `seconds` the command is ended, if it still runs: `terminate`.

        Raises `RecordingError` where the file, a temporary folder or a process cannot be made.
        """
        self._stack = contextlib.ExitStack()
        self.ended = False
        """Whether the end has been noticed by following; a Ctrl-C that ended the command is handled before that."""
        self.snapshot = Snapshot()
        """What /proc shows of the processes; complete when the trace is."""
        self._deadline: float | None = None
        self._limit: float | None = None
        self._errno = b""
        try:
            self.trace = self._place(keep)
            self._start(strace, command, stdout)
            self._limit = None if seconds is None else time.monotonic() + seconds
        except OSError as error:
            self._stack.close()
            name = error.filename if isinstance(error.filename, str) else strace.path
            raise RecordingError(f"{name}: {error.strerror or error}") from error
        except BaseException:
            self._stack.close()
            raise

    def _start(self, strace: Strace, command: Sequence[str], stdout: int | None) -> None:
        with created(self.trace) as file:
            self._read = self._stack.enter_context(Owned(os.open(self.trace, os.O_RDONLY | os.O_CLOEXEC)))
            reading, writing = os.pipe()
            self._pipe = self._stack.enter_context(Owned(writing))
            with open(reading, "rb", buffering=0) as source:  # noqa: PTH123
                self._relay, self._error = start_relay(source, file)
        self._stack.enter_context(self._error)
        self._stack.callback(self._finish)
        self.command = [strace.path, *strace.options, "-o", f"/proc/{os.getpid()}/fd/{writing}"]
        self.process = self._launch(command, stdout)

    def _launch(self, command: Sequence[str], stdout: int | None) -> subprocess.Popen[bytes]:
        self.command += ["--", *command]
        return subprocess.Popen(self.command, stdout=stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether strace, and so some process of the command, still runs."""
        return self.process.poll() is None

    @property
    def size(self) -> int:
        """How many bytes the trace has."""
        return os.fstat(self._read.fileno()).st_size

    @property
    def loss(self) -> str | None:
        """Why the trace is not complete: the error that its file met, if any."""
        with contextlib.suppress(OSError):
            self._errno += os.read(self._error.fileno(), 16)
        return os.strerror(int(self._errno)) if self._errno else None

    def follow(self, name: str) -> Growing:
        """Return the trace as a source that ends with the command; its `damage` says if it could not be written."""

        def written() -> bool:
            self._keep_deadline()
            ended = not self.running
            if ended and not self.ended:
                self._finish()
                self.ended = True
            if source.damage is None and self.size and (loss := self.loss) is not None:
                source.damage = f"{loss}: the rest of the trace is not recorded"
            return ended

        log = open(self._read.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115  # `close` closes it
        source = Growing(log, name, written)
        return source

    def signal(self, number: int) -> None:
        """Send a signal to all that is traced; strace itself is deaf to most while it writes a file."""
        if self.running:
            tracees.send(number, tracees.traced_by(self.process.pid))

    def terminate(self, grace: float | None = None) -> None:
        """Send SIGTERM to all that is traced, and SIGKILL if that has not ended them after `grace` seconds."""
        self.signal(signal.SIGTERM)
        if grace is not None:
            self._deadline = time.monotonic() + grace

    def wait(self, seconds: float) -> bool:
        """Wait for the end; return whether it came in time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End the command and strace now."""
        limit = time.monotonic() + _PATIENCE
        while self.running and time.monotonic() < limit:  # again and again: processes may be forking
            self.signal(signal.SIGKILL)
            self.wait(0.1)
        if self.running:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """End all that still runs, and remove the trace unless it is kept."""
        try:
            self.kill()
            self._finish()
            if self._was_strace_killed():
                since = tracees.started(os.getpid()) or 0
                tracees.end(lambda: tracees.survivors(self._log_path, since), _PATIENCE)
        finally:
            self._stack.close()

    def check(self, *, answered: bool = False) -> None:  # noqa: ARG002
        """Raise `RecordingError` if strace ended without having traced anything; it has said why on stderr."""
        if self.running or self.size:
            return
        if (loss := self.loss) is not None:
            raise RecordingError(f"{self.trace}: {loss}: nothing could be recorded")
        raise RecordingError(f"strace could not trace the command ({how(self.process.returncode)})")

    def ending(self) -> Ending | None:
        """Return how the command ended; None while it runs, and where strace died before it.

        strace ends as the first process did: with its status, or by its signal.
        """
        code = self.process.poll()
        if code is None or self._was_strace_killed():
            return None
        return Ending(status=code) if code >= 0 else Ending(signal=-code)

    def _place(self, keep: str | None) -> Path:
        if keep is not None:
            return Path(keep)
        try:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tracediag-"))
        except OSError as error:
            raise RecordingError(f"no temporary folder can be made: {error.strerror}; set TMPDIR") from error
        return Path(folder, "trace.strace")

    @property
    def _log_path(self) -> Path:
        """Where the trace can be read from its start, even if its name was removed."""
        return Path(f"/proc/self/fd/{self._read.fileno()}")

    def _finish(self) -> None:
        """See that the last of the trace is in its file, now that strace has ended."""
        self._pipe.close()
        self._relay.wait()
        reduce_mounts(self.snapshot, lambda: self._log_path)

    def expire(self) -> None:
        """End the recording, since its time is over; what the processes wait for is looked at first."""
        self.snapshot.after = look(sorted(tracees.traced_by(self.process.pid)))
        self.snapshot.ender = os.getpid()
        self.terminate(GRACE)

    def _keep_deadline(self) -> None:
        if self._limit is not None and time.monotonic() > self._limit:
            self._limit = None
            if self.running:
                self.expire()
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._deadline = None
            self.kill()

    def _was_strace_killed(self) -> bool:
        """Whether strace died of a signal of its own: the trace then shows nothing that ended by it."""
        code = self.process.poll()
        if code is None or code >= 0 or self.loss is not None:
            return False
        mark = b"+++ killed by " + name_of(-code).encode()
        with self._log_path.open("rb") as stream:
            return not any(mark in line for line in stream)
