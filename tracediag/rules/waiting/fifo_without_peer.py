"""TD610: an open of a FIFO that waits for the other end until the trace, or the process, ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tracediag.evidence.blocking.links import link_of
from tracediag.evidence.cases import Cases
from tracediag.evidence.waiters import killing_lines, none_returns, stood_in
from tracediag.evidence.waits import may_be_fifo
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_split
from tracediag.trace.calls import MKNODS, OPENS
from tracediag.trace.events import Begun, Syscall

_PLAIN = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/")
"""Places where no FIFO lies."""
_KEPT = 64
_LONG = 1.0
"""Seconds after which an open is no slow one."""


class FifoWithoutPeer(Rule):
    """An open of one end has not returned when the process is killed or the trace ends."""

    code = "TD610"
    name = "fifo-without-peer"
    severity = Severity.ERROR
    summary = "open of a FIFO waits until another process opens the other end, and none does"
    raised_by = (OPENS,)

    def __init__(self) -> None:
        self._served: Cases[Process, Syscall] = Cases()
        """What a process last opened after a wait: a service opens its FIFO again for the next client."""

        self._made: deque[str] = deque(maxlen=_KEPT)
        """The last FIFOs that the trace shows being made."""

    @on_call(*MKNODS)
    def made(self, action: Action) -> None:
        """Note a FIFO: mkfifo(3) calls mknod with S_IFIFO."""
        path = action.call.path(0 if action.call.name == "mknod" else 1)
        if path is not None and action.call.has("S_IFIFO"):
            self._made.append(path)

    @on_split(*OPENS)
    def opened(self, action: Action) -> None:
        """Note an open during which other processes ran."""
        call = action.call
        if call.errno is None and may_be_fifo(call):
            self._served[action.process] = call

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the call in which a process was killed, or in which it stands at the end."""
        for call in stood_in(end):
            path = _path(call)
            if call.name not in OPENS or path is None or not may_be_fifo(call):
                continue
            last = self._served.get(end.process)
            if last is None or _path(last) != path:
                yield from self._judged(end, call, path)

    def _judged(self, end: ProcessEnd, call: Syscall | Begun, path: str) -> Iterator[Finding]:
        sure = isinstance(call, Syscall) and (call.interrupted or _timed(call, end))
        if not sure and (path.startswith(_PLAIN) or not none_returns(end.kernel)):
            return  # a paste may end within any open
        other = "reading" if call.has("O_WRONLY") else "writing"
        steps: list[Step] = [step(call, "waits for the other end, and does not return", primary=True)]
        if end.exit is not None:
            steps.append(step(end.exit, f"the process is killed by {end.exit.signal} in this wait"))
        seen = _is_seen(end, call)
        shown = seen or (sure and path in self._made)
        missing = f"{'' if shown else 'if this is a FIFO, '}no process opens the other end for {other}"
        yield self.finding(
            steps,
            object=path,
            title=f"open of {path} does not return: {missing}",
            severity=Severity.ERROR if sure else Severity.WARNING,
            confidence=Confidence.LIKELY if sure or seen else Confidence.POSSIBLE,
            why="open of a FIFO (named pipe) waits until another process opens the other end; open of another file"
            " waits for a device or file server that does not answer, or for the holder of a lease: fifo(7), open(2)",
            fix=f"start the process that opens {path} for {other}; or open with O_NONBLOCK; ls -l shows the type (p is"
            " a FIFO)",
            explains=[("killed-from-outside", line) for line in killing_lines(end)],
        )


def _is_seen(end: ProcessEnd, call: Syscall | Begun) -> bool:
    """Whether the look at /proc shows the kernel in the open of a FIFO."""
    moment = None if end.kernel.known is None else end.kernel.known.latest
    link = None if moment is None or call.pid is None else link_of(moment, call.pid)
    return link is not None and link.kind == "fifo"


def _path(call: Syscall | Begun) -> str | None:
    return call.path(0 if call.name in ("open", "creat") else 1)


def _timed(call: Syscall, end: ProcessEnd) -> bool:
    """Whether the times show that the call lasts."""
    last = end.kernel.last_time
    return call.time is not None and last is not None and last - call.time >= _LONG
