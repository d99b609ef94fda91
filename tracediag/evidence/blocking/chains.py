"""Threads that wait one for another, to the end of the chain or in a circle."""

from __future__ import annotations

import msgspec

from tracediag.evidence.blocking.children import lost_children
from tracediag.evidence.blocking.link import Link, name_of
from tracediag.evidence.blocking.links import link_of
from tracediag.evidence.blocking.signals import is_zombie
from tracediag.evidence.blocking.stopped import several, stands, stopped
from tracediag.evidence.blocking.threads import at_work, is_idle
from tracediag.kernel import Kernel
from tracediag.snapshot import Moment

_LONGEST = 8
_BRANCHES = 4
"""Children that are followed, where any of several could end a wait."""
_BRANCHING = 3
"""How far from the beginning several are followed; after that the first one."""
LOCKS = frozenset({"mutex", "stream", "rwlock"})
"""The kinds of links that are locks between threads."""
_OF_A_THREAD = frozenset({"threads", "child", "vfork"})
"""The kinds of links that only the very thread that is named ends."""
INNER = LOCKS | {"join"}
"""The kinds of links between threads of one process, of which the memory names both."""
WITHIN = INNER | {"threads", "alone"}
"""All kinds of links between threads of one process."""


class Chain(msgspec.Struct, frozen=True):
    """Who waits for whom, from one thread on."""

    moment: Moment
    links: tuple[Link, ...]
    circle: bool = False
    """Whether the last one waits for one before it."""

    @property
    def sentence(self) -> str:
        """The chain in words."""
        first = self.links[0]
        parts = [f"it waits for {first.waits}"]
        for before, link in zip(self.links, self.links[1:], strict=False):
            parts.append(f"{name_of(self.moment, link.tid, before.tid)} waits for {link.waits}")
        last = self.links[-1]
        if self.circle:
            return "; ".join(parts) + f": {self._what}"
        if last.blocker is not None and (where := self._where(last)):
            parts.append(f"{name_of(self.moment, last.blocker, last.tid)} {where}")
        process = self.moment.process_of(first.tid)
        if process is not None and first.kind not in ("child", "vfork", "signal"):
            parts.append(lost_children(self.moment, process))
        return "; ".join(filter(None, parts))

    def _where(self, last: Link) -> str:
        """Say where the last process stands, or that several of its threads could act."""
        assert last.blocker is not None
        if stopped(self.moment, last.blocker) or last.kind in INNER | _OF_A_THREAD:
            return stands(self.moment, last.blocker)
        active = at_work(self.moment, last.blocker)
        if len(active) == 1:
            return stands(self.moment, active[0])
        asker = self.moment.process_of(self.links[0].tid)
        return several(self.moment, last, len(active), 0 if asker is None else asker.pid)

    @property
    def round(self) -> tuple[Link, ...]:
        """The links of the circle, without those that lead to it; none where there is no circle."""
        last, tids = self.links[-1], [link.tid for link in self.links]
        start = next((place for place, tid in enumerate(tids) if tid in (last.blocker, *last.several)), 0)
        return self.links[start:] if self.circle else ()

    @property
    def _what(self) -> str:
        """What a circle is called: of locks between threads, or of processes that wait for each other."""
        process = self.moment.process_of(self.links[0].tid)
        inside = process is not None and all(process.thread(link.tid) is not None for link in self.links)
        return f"a deadlock, no {'thread' if inside else 'process'} of it can continue"

    @property
    def hopeless(self) -> bool:
        """Whether only an outside action can end the wait: a circle, or the lock of a thread that has ended."""
        last = self.links[-1]
        return self.circle or last.kind in ("alone", "orphan") or (last.blocker is None and last.kind in LOCKS)


def chain_of(moment: Moment, tid: int) -> Chain | None:
    """Return what a thread waits for, what that waits for, and so on; None where the snapshot shows no such thing."""
    links, circle = _followed(moment, tid, ())
    return Chain(moment, links, circle=circle) if links else None


def _followed(moment: Moment, at: int, way: tuple[int, ...]) -> tuple[tuple[Link, ...], bool]:
    """Return the links from a thread on, and whether they lead back to one on the way to it."""
    link = None if len(way) >= _LONGEST or stopped(moment, at) else link_of(moment, at)
    if link is None:
        return (), False
    way = (*way, at)
    enders = _enders(moment, link)
    following = enders[: _BRANCHES if len(way) <= _BRANCHING else 1]
    if any(each in way for each in following):
        return (link,), len(enders) == 1 and _is_sure(moment, link, way)
    rests = [_followed(moment, each, way) for each in following]
    if not rests:
        return (link,), False
    circle = following == enders and all(
        circle for _, circle in rests
    )  # the end of any child would end the wait for them
    rest = max((links for links, _ in rests), key=len)
    return (link, *rest), circle


def _is_sure(moment: Moment, link: Link, way: tuple[int, ...]) -> bool:
    """Whether no other thread could end a wait of the circle: locks have one owner, processes may have more threads."""
    if link.kind in INNER:
        return True
    if not all(known is None or known.sure for known in (link_of(moment, tid) for tid in way)):
        return False
    processes = [moment.process_of(tid) for tid in way]
    return all(
        process is not None and all(one.tid in way or is_idle(moment, process, one) for one in process.threads)
        for process in processes
    )


def _enders(moment: Moment, link: Link) -> tuple[int, ...]:
    """Return the threads that could end a wait; none of a process in which any of several threads could."""
    if link.blocker is None or link.kind in INNER | _OF_A_THREAD:
        return link.several if link.blocker is None else (link.blocker,)
    active = at_work(moment, link.blocker)
    return active if len(active) == 1 else ()


def standing_in(kernel: Kernel, tid: int | None) -> str:
    """Return the call that strace interrupted, and shows as restart_syscall; "" where the snapshot does not tell."""
    before = None if kernel.known is None else kernel.known.before
    process = None if before is None else before.process_of(tid)
    thread = None if process is None or tid is None else process.thread(tid)
    return "" if thread is None or thread.call.isdecimal() else thread.call


def lock_holder(kernel: Kernel, pid: int | None, number: int | None) -> str:
    """Return the process that holds a lock on the file that a process has open under a number; "" where not known."""
    for moment in () if kernel.known is None else (kernel.known.after, kernel.known.before):
        process = None if moment is None else moment.process(pid)
        held = None if process is None or number is None else process.held(number)
        if moment is None or held is None or held.inode is None:
            continue
        file = f"{held.device}:{held.inode}"
        owners = {lock.pid for lock in moment.locks if lock.file == file and not lock.waits and lock.pid > 0}
        if len(others := owners - {pid}) == 1:
            return name_of(moment, others.pop())
    return ""


def named(kernel: Kernel, pid: int) -> str:
    """Name a process of which the trace shows the number: "python3 (pid 8)"; "process 8" where /proc does not tell."""
    moment = None if kernel.known is None else kernel.known.latest
    return f"process {pid}" if moment is None else name_of(moment, pid)


def unreaped(kernel: Kernel, pid: int | None) -> str:
    """Return the parent of a process that has ended, if the parent has not waited for it; "" for any other."""
    moment = None if kernel.known is None else kernel.known.latest
    process = None if moment is None else moment.process(pid)
    if moment is None or process is None or process.parent is None or not is_zombie(moment, process.pid):
        return ""
    return name_of(moment, process.parent)


def blocked_by(kernel: Kernel, tid: int | None, call: str) -> Chain | None:
    """Return the chain of a thread of the trace at its end, from the later snapshot in which it stands in that call.

    What strace shows as restart_syscall was another call when the first snapshot was taken: restart_syscall(2).
    """
    known = kernel.known
    if known is None or tid is None:
        return None
    moments = (moment for moment in (known.after, known.before) if moment is not None)
    for moment in moments:
        process = moment.process_of(tid)
        thread = None if process is None else process.thread(tid)
        if thread is None or (call not in (thread.call, "restart_syscall") and thread.call):
            continue
        chain = chain_of(moment, tid)
        if chain is not None:
            return chain
    return None
