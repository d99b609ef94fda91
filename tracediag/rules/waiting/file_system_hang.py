"""TD615: a call on a file that waits for a file system which does not answer, until the trace or the process ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tracediag.evidence.names import subject
from tracediag.evidence.waiters import killing_lines, lasts, slept, stood_in
from tracediag.evidence.waits import Waited, on_silent_file
from tracediag.kernel import Action
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.rules.waiting._slowness import between
from tracediag.trace.calls import GETDENTS, LOOKS, OPENS, SLEEPS
from tracediag.trace.events import Syscall

_LONG = 1.0
"""Seconds after which a call on a file waits for more than a busy disk."""
_REMOTE = {"nfs": "NFS", "fuse": "FUSE", "smb": "SMB", "cifs": "SMB", "ceph": "Ceph", "9p": "9p", "afs": "AFS"}
"""File systems whose answers come from a process or host, by the beginning of their type."""
_KEPT = 64
_WHY = (
    "such a call takes microseconds on a local disk and has no timeout; on a hard NFS mount, SMB or FUSE it waits"
    " until the server answers, and SIGKILL may not end it either (state D): nfs(5), fuse(4), proc_pid_stat(5)"
)


class FileSystemHang(Rule):
    """A call about a path or a plain file has not returned after a second: nothing in the process can end the wait."""

    code = "TD615"
    name = "file-system-hang"
    severity = Severity.ERROR
    summary = "stat, open, read or another call on a file waits for a file system that does not answer"
    raised_by = (LOOKS | OPENS | GETDENTS,)

    def __init__(self) -> None:
        self._naps: deque[Syscall] = deque(maxlen=_KEPT)
        """The last sleeps of any thread: where there are no times, they show that time goes by."""

    @on_call(*SLEEPS)
    def napped(self, action: Action) -> None:
        """Note a sleep."""
        if action.call.time is None:
            self._naps.append(action.call)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the calls in which a process was killed, or in which its threads stand at the end."""
        for call in stood_in(end):
            path = on_silent_file(call, end.process, end.held)
            if path is not None and self._lasts(call, end):
                yield self._finding(end, call, path)

    def _lasts(self, call: Waited, end: ProcessEnd) -> bool:
        """Whether a call is known to have waited long, and not just to be under way."""
        if call.time is None:
            return sum(slept(nap) for nap in self._naps if nap.line > call.line) >= _LONG
        if end.exit is None:
            return isinstance(call, Syscall) and lasts(call, end.kernel, _LONG)
        return (between(call.time, end.exit.time) or 0.0) >= _LONG

    def _finding(self, end: ProcessEnd, call: Waited, path: str) -> Finding:
        kind = end.kernel.file_systems.kind_of(path, end.process)
        kind = next((name for start, name in _REMOTE.items() if kind.startswith(start)), kind)
        steps: list[Step] = [step(call, "waits for the file system, and does not return", primary=True)]
        if end.exit is not None:
            steps.append(step(end.exit, f"the process is killed by {end.exit.signal} in this wait"))
        return self.finding(
            steps,
            object=path,
            title=f"{call.name} of {path} does not return in {subject(end.process)}:"
            f" the file system{f' ({kind})' if kind else ''} does not answer",
            confidence=Confidence.LIKELY,
            why=_WHY,
            fix=f"findmnt -T {path} names the file system and its server: start or reach that server; dmesg shows"
            ' "not responding"; umount -f ends the calls that wait; mount NFS with soft,timeo=100 if an error is better'
            " than a hang",
            explains=[("killed-from-outside", line) for line in killing_lines(end)],
        )
