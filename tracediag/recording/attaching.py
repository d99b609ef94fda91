"""Processes that run already: strace is attached to them for a while, and leaves them running."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence

from tracediag.recording.ending import Ending
from tracediag.recording.errors import RecordingError
from tracediag.recording.owned import Owned
from tracediag.recording.permission import check_permission, living
from tracediag.recording.proc import look, reduce_mounts
from tracediag.recording.recording import Recording
from tracediag.recording.strace import Strace
from tracediag.snapshot import ThreadState

_PR_SET_PDEATHSIG = 1
_PATIENCE = 10.0
"""Seconds in which strace must detach."""
_IMPATIENCE = 1.0
"""The same where it waits for a thread that cannot be stopped."""
_LAST = 1 << 16
"""Bytes at the end of the trace that are searched for other processes."""
_MENTIONED = re.compile(r"(?:\bl_pid=|\bkill\()([1-9][0-9]{0,8})(?:, 0\)|\})", re.ASCII)
"""fcntl(2) F_GETLK names the holder of a lock; kill(2) with signal 0 asks whether a process exists."""
_ENOUGH = 4096
"""Bytes of what strace says that are read."""


class Attached(Recording):
    """Processes with strace attached, and their growing trace; closing it detaches, and ends none of them.

    strace runs in a session of its own: a Ctrl-C at the terminal reaches tracediag only, which passes SIGINT to strace.
    On SIGINT strace detaches and the processes run on: strace(1), -p.
    """

    def __init__(
        self, strace: Strace, pids: Sequence[int], keep: str | None = None, *, seconds: float | None = None
    ) -> None:
        """Attach to processes; after `seconds`, detach.

        Raises `RecordingError` where a process has ended or must not be traced, and as `Recording` does.
        """
        self.pids = pids
        self._check_permission()
        with tempfile.TemporaryFile() as file:
            self._said = Owned(os.dup(file.fileno()))
        super().__init__(strace, [str(pid) for pid in pids], keep, seconds=seconds)

    def _check_permission(self) -> None:
        for pid in self.pids:
            check_permission(pid)

    def _launch(self, command: Sequence[str], stdout: int | None) -> subprocess.Popen[bytes]:
        self._stack.enter_context(self._said)
        self.snapshot.traced, self.snapshot.before = tuple(self.pids), look(self.pids)
        self.command += ["-q", *(word for each in map(_target, command) for word in ("-p", each))]
        return subprocess.Popen(
            self.command,
            stdout=stdout,
            stderr=self._said.fileno(),
            start_new_session=True,
            preexec_fn=_detach_with_parent,  # noqa: PLW1509  # tracediag has one thread
        )

    def detach(self) -> None:
        """Let strace leave the processes, which run on."""
        if self.running:
            self.process.send_signal(signal.SIGINT)

    def expire(self) -> None:
        """Detach, since the time is over; strace waits without end for a thread that it cannot stop."""
        self.detach()
        self._deadline = time.monotonic() + (_IMPATIENCE if self._stuck() else _PATIENCE)

    def signal(self, number: int) -> None:
        """Send a signal to strace, never to what it traces; the end of strace detaches it."""
        if self.running:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Detach now: the kernel detaches an strace that does not do so itself."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            self.signal(number)
            if self.wait(_IMPATIENCE if self._stuck() else _PATIENCE):
                return

    def close(self) -> None:
        """Detach, and remove the trace unless it is kept."""
        try:
            self.kill()
            self._finish()
        finally:
            self._stack.close()

    def check(self, *, answered: bool = False) -> None:
        """Raise `RecordingError` if no call was recorded: strace could not attach, or the processes made none.

        `answered` says that the look at /proc shows why they made none.
        """
        if self.running or self.size:
            return
        said = os.pread(self._said.fileno(), _ENOUGH, 0).decode(errors="replace").strip().partition("\n")[0]
        if said:
            raise RecordingError(f"strace could not attach: {said}")
        if answered:
            return
        moment = self.snapshot.latest
        threads = [] if moment is None else [*self._stuck(), *moment.threads()]
        raise RecordingError(f"{_named(self.pids)} made no system call while it was traced{self._why(threads)}")

    def _stuck(self) -> list[ThreadState]:
        """Return the threads that strace may not have been able to stop: in state D, or in a call with a path."""
        known = self.snapshot.before
        return [] if known is None else [one for one in known.threads() if one.call and (one.state == "D" or one.path)]

    def _why(self, threads: Sequence[ThreadState]) -> str:
        """Say why a process makes no system call: it computes, or cannot even be stopped within a call."""
        pid = self.pids[0] if len(self.pids) == 1 else "PID"
        stuck = next((thread for thread in threads if thread.call and (thread.state == "D" or thread.path)), None)
        if stuck is not None:
            path = f" of {stuck.path}" if stuck.path else ""
            place = f" (in {stuck.wchan} of the kernel)" if stuck.wchan else ""
            silent = "the file system or device does not answer; dmesg and findmnt tell more"
            return f": it stands in {stuck.call}{path}, where strace cannot stop it{place}: {silent}"
        busy = any(thread.state == "R" for thread in threads)
        return f": it computes; perf top -p {pid}, or gdb -p {pid}, shows where" if busy else ""

    def _mentioned(self) -> set[int]:
        """Return the processes that the last calls ask for: whether they run, or hold a lock."""
        last = os.pread(self._read.fileno(), _LAST, max(0, self.size - _LAST)).decode(errors="replace")
        return {int(pid) for pid in _MENTIONED.findall(last)}

    def ending(self) -> Ending | None:
        """Return None: the processes run on, or end as the trace shows."""
        return None

    def _finish(self) -> None:
        """See that the trace is complete, and look at the processes that strace has left."""
        super()._finish()
        if self.snapshot.after is None:
            with contextlib.suppress(OSError):
                self.snapshot.after = look(self.pids, self._mentioned(), self.snapshot.before)
            reduce_mounts(self.snapshot, lambda: self._log_path)


def _detach_with_parent() -> None:
    """Ask for SIGINT when tracediag ends, however that comes: PR_SET_PDEATHSIG, prctl(2)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)


def _target(pid: str) -> str:
    """Return what strace attaches to: the process, or a thread of it where its first one has ended."""
    threads = living(int(pid))
    return pid if int(pid) in threads or not threads else str(threads[0])


def _named(pids: Sequence[int]) -> str:
    return f"process {pids[0]}" if len(pids) == 1 else f"none of {len(pids)} processes"
