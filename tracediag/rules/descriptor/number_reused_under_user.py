"""TD305: a number that stands for something else by now, used as if it did not."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, describe_file
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_errno
from tracediag.rules.descriptor._payload import shape
from tracediag.trace.calls import WRITES
from tracediag.trace.events import Syscall

_STANDARD_STREAMS = 3
_MAKES_SOCKETS = frozenset({"socket", "socketpair", "accept", "accept4"})
_COPIES = frozenset({"dup", "dup2", "dup3", "fcntl", "fcntl64"})
"""Who puts a copy under a number means the number to stand for something else."""
_FOR_SOCKETS = frozenset(
    {"send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "accept", "accept4"}
    | {"connect", "bind", "listen", "shutdown", "setsockopt"}
)
_OUT = frozenset({"write", "writev", "pwrite64", "pwritev"})
_IN = frozenset({"read", "readv", "pread64", "preadv"})
_AT_OFFSET = frozenset({"pread64", "pwrite64", "preadv", "pwritev"})
_FOR_EPOLL = frozenset({"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl"})
_KEPT = 4096
_SUSPECTS = 64

_Key = tuple[int, int | None]
_Last = tuple[Descriptor, Syscall]


class _Suspect(msgspec.Struct, eq=False):
    """A write to what another thread has opened, by one that had used the number before."""

    gone: Descriptor
    before: Syscall
    """The last write of the thread to what had the number before."""
    held: Descriptor
    stray: Syscall


class _Writers(msgspec.Struct, eq=False):
    """Who writes to what, in a process of several threads."""

    last: dict[_Key, _Last] = {}
    """What a thread last wrote to under a number, and the call."""
    shared: set[int | None] = set()
    """Threads that write to what others have opened: descriptors are handed to them."""
    suspects: dict[int, _Suspect] = {}
    """By identity of the descriptor that was hit."""


class NumberReusedUnderUser(Rule):
    """A descriptor is closed, the next open gets its number, and a user of the old one goes on with the number."""

    code = "TD305"
    name = "number-reused-under-user"
    severity = Severity.ERROR
    summary = "a number goes on being used after its close, when it stands for something else already"

    @on_errno("ENOTSOCK", "EBADF", "ESPIPE")
    @on_errno("EINVAL", of=_FOR_EPOLL)
    def refused(self, action: Action) -> Iterator[Finding]:
        """Take the proof that a single call gives: it fits what had the number before, not what has it now."""
        call = action.call
        number = call.number(0)
        held = None if number is None else action.process.table.get(number)
        if held is None or held.before is None or held.opened is None or held.opened.name in _COPIES:
            return
        gone = held.before
        meant = _meant(call, held, gone)
        if meant is not None and isinstance(gone.closed, Syscall):
            yield self._misfit(call, held, gone, gone.closed, meant)

    def _misfit(self, call: Syscall, held: Descriptor, gone: Descriptor, closed: Syscall, meant: str) -> Finding:
        number = held.number
        assert held.opened is not None
        return self.finding(
            [
                *birth(gone),
                step(closed, f"fd {number}, {meant}, is closed"),
                step(held.opened, f"the number {number} is handed out again"),
                step(call, f"meant for {meant}, it hits what has the number {number} now", primary=True),
            ],
            object=describe(held),
            title=f"{call.name} is meant for what had the number {number} before its close",
            why=_WHY,
            fix=_FIX.format(fd=number),
            explains=[(name, call.line) for name in _FOLLOWERS],
        )

    @on_call(*WRITES)
    def wrote(self, action: Action) -> Iterator[Finding] | None:
        """Where threads share a table: see who writes to what, and whether it is the same as before."""
        thread, descriptor = action.thread, action.descriptor
        if len(thread.process.threads) < 2 or descriptor is None:
            return None
        writers: _Writers | None = thread.process.memory.get(self.name)
        if writers is None:
            writers = thread.process.memory[self.name] = _Writers()
        key = (descriptor.number, thread.tid)
        last = writers.last.get(key)
        if last is None or last[0] is not descriptor:
            _met(writers, action, descriptor, last)
        if last is None and len(writers.last) >= _KEPT:
            writers.last.clear()
        writers.last[key] = (descriptor, action.call)
        suspect = writers.suspects.get(id(descriptor)) if writers.suspects else None
        return None if suspect is None else self._confirmed(writers, suspect, action.call)

    def _confirmed(self, writers: _Writers, suspect: _Suspect, call: Syscall) -> Iterator[Finding]:
        """Speak once the owner writes on: then it has given the descriptor to nobody."""
        held, stray = suspect.held, suspect.stray
        if held.opened is None or call.pid != held.opened.pid or not call.result or call.failed:
            return
        del writers.suspects[id(held)]
        if not _likely(writers, suspect, call):
            return
        assert isinstance(suspect.gone.closed, Syscall)
        number = held.number
        yield self.finding(
            [
                *birth(suspect.gone),
                step(suspect.before, f"a thread writes to fd {number}"),
                step(suspect.gone.closed, f"fd {number} is closed"),
                step(held.opened, f"another thread gets the number {number}"),
                step(stray, "the first thread writes on, into what the other has opened", primary=True),
                step(call, "the other goes on with it, and knows of nothing"),
            ],
            object=describe(held),
            title=f"a write meant for {describe_file(suspect.gone.file) or 'what was closed'} lands in"
            f" {describe_file(held.file) or 'what another thread has opened'}",
            confidence=Confidence.LIKELY,
            why=_WHY,
            fix=_FIX.format(fd=number),
        )


_WHY = (
    "a number is free as soon as it is closed, and the next open, socket or accept in any thread takes the lowest free"
    " one: whoever still holds the old number then uses a stranger's descriptor, and no error tells: open(2), close(2)"
)
_FIX = (
    "let the owner of fd {fd} close it only when nobody uses it any more (join the thread, or count the users), and set"
    " every copy of the number to -1 with the close"
)
_FOLLOWERS = ("failed-call-behind-exit", "failing-call-spin", "failed-open-not-checked", "write-error-ignored")


def _meant(call: Syscall, held: Descriptor, gone: Descriptor) -> str | None:
    """Return what a call that failed was meant for, if what had the number before was that, and what has it is not."""
    assert held.opened is not None
    now, then = held.file, gone.file
    match call.errno:
        case "ENOTSOCK" if call.name in _FOR_SOCKETS and then.kind is Kind.SOCKET:
            return None if held.opened.name in _MAKES_SOCKETS else "the socket"
        case "EBADF" if call.name in _OUT and now.flags.access == "O_RDONLY":
            return "what was open for writing" if then.flags.access in ("O_WRONLY", "O_RDWR") else None
        case "EBADF" if call.name in _IN and now.flags.access == "O_WRONLY":
            return "what was open for reading" if then.flags.access in ("O_RDONLY", "O_RDWR") else None
        case "ESPIPE" if call.name in _AT_OFFSET and now.kind in (Kind.SOCKET, Kind.PIPE):
            return "the file" if then.kind is Kind.FILE else None
        case "EINVAL" if now.kind is not Kind.EPOLL:
            return "the epoll set" if then.kind is Kind.EPOLL else None
    return None


def _met(writers: _Writers, action: Action, descriptor: Descriptor, last: _Last | None) -> None:
    """Judge the first write of a thread to a descriptor."""
    thread, opened = action.thread, descriptor.opened
    if opened is None or opened.pid == thread.tid or descriptor.number < _STANDARD_STREAMS or not action.call.result:
        return
    if last is None or not _stale(action, descriptor, last):
        writers.shared.add(thread.tid)
    elif len(writers.suspects) < _SUSPECTS:
        gone, before = last
        writers.suspects[id(descriptor)] = _Suspect(gone, before, descriptor, action.call)


def _stale(action: Action, descriptor: Descriptor, last: _Last) -> bool:
    """Whether a thread may well believe that the number stands for what it wrote to before."""
    gone, before = last
    opened = descriptor.opened
    if opened is None or opened.name in _COPIES or action.call.name != before.name or action.call.failed:
        return False
    reported = any(report.descriptor is descriptor for turn in action.thread.rounds.values() for report in turn.reports)
    return isinstance(gone.closed, Syscall) and gone.closed.name == "close" and not reported


def _likely(writers: _Writers, suspect: _Suspect, owner: Syscall) -> bool:
    """Whether the descriptor was most likely not handed to the thread.

    It was not, if the thread writes to nothing but what it has opened itself; or if it writes to what others have
    opened, but now what it wrote before, to another kind of thing, and not what the owner writes.
    """
    gone, stray = suspect.gone, shape(suspect.stray)
    own = gone.opened is not None and gone.opened.pid == suspect.stray.pid
    if own and suspect.stray.pid not in writers.shared:
        return stray is None or stray != shape(owner)
    changed = gone.file.kind is not suspect.held.file.kind or gone.file.path != suspect.held.file.path
    return changed and stray is not None and stray == shape(suspect.before) and stray != shape(owner)
