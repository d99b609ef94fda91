"""What one thread waits for, and the thread or process that could end the wait, as a snapshot of /proc shows it."""

from __future__ import annotations

import msgspec

from tracediag.snapshot import Held, Lock, Moment, ProcessState, ThreadState
from tracediag.trace.calls import CHILD_WAITS, FILE_READS, FILE_WRITES, LOCKS, RECEIVES, SENDS

_ACCESS = 3
_RDONLY, _WRONLY = 0, 1
_HOLDS = {
    "mutex": "the mutex at {:#x}",
    "stream": "the lock of the stdio stream at {:#x}",
    "rwlock": "the read-write lock at {:#x}",
}
_NAMED = 3


class Link(msgspec.Struct, frozen=True):
    """One thread, what it waits for, and what could end that."""

    tid: int
    waits: str
    """What it waits for: "the mutex at 0x55d0, which thread 13 holds"."""
    blocker: int | None = None
    """The thread, or a process by its first thread, that could end the wait; None where several could."""
    kind: str = ""
    """"mutex", "stream", "rwlock", "join", "lock", "child", "read" or "write"."""


def link_of(moment: Moment, tid: int) -> Link | None:
    """Return what a thread waits for; None where the snapshot does not show which process could end it."""
    process = moment.process_of(tid)
    thread = None if process is None else process.thread(tid)
    if process is None or thread is None:
        return None
    if thread.call == "futex":
        return _futex(moment, process, thread)
    if thread.call in LOCKS:
        return _file_lock(moment, process, thread)
    if thread.call in CHILD_WAITS:
        return _child(moment, process, thread)
    if thread.call in FILE_READS | RECEIVES | FILE_WRITES | SENDS:
        return _transfer(moment, process, thread)
    return None


def name_of(moment: Moment, tid: int, seen_from: int | None = None) -> str:
    """Name a thread, or a process by its first thread: "thread 13 (worker)", "nginx (pid 77)".

    A thread of the process that `seen_from` is a thread of is named as a thread.
    """
    process = moment.process_of(tid)
    if process is None:
        return f"process {tid}"
    near = seen_from is not None and process.thread(seen_from) is not None
    if not near:
        return f"{process.name} (pid {process.pid})" if process.name else f"process {process.pid}"
    thread = process.thread(tid)
    named = thread is not None and thread.name not in ("", process.threads[0].name)
    return f"thread {tid}{f' ({thread.name})' if named and thread is not None else ''}"


def stands(moment: Moment, tid: int) -> str:
    """Say where a thread stands: "stands in read(fd 5 = pipe:[7])", "runs"; "" where the snapshot does not show it."""
    process = moment.process_of(tid)
    thread = None if process is None else process.thread(tid)
    if process is None or thread is None:
        return ""
    if thread.state == "T":
        return "is stopped (SIGSTOP, or a debugger): kill -CONT continues it"
    if thread.state == "Z":
        return "has ended, and its parent has not waited for it"
    if not thread.call:
        return "runs" if thread.state == "R" else ""
    if thread.call == "restart_syscall":
        return "waits with a timeout, as in a sleep"
    held = _first(process, thread)
    name = thread.call if not thread.call.isdecimal() else f"system call {thread.call}"
    return f"stands in {name}{f' on fd {held.number} = {held.target}' if held is not None else ''}"


def _first(process: ProcessState, thread: ThreadState) -> Held | None:
    """Return the descriptor that a call has as its first argument."""
    takes = FILE_READS | FILE_WRITES | RECEIVES | SENDS | {"flock", "fcntl", "accept", "accept4", "connect", "ioctl"}
    return process.held(thread.arguments[0]) if thread.call in takes and thread.arguments else None


def _futex(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    found = moment.futex(thread.tid)
    if found is None or found.owner is None:
        return None
    owner = found.owner
    if found.kind == "join":
        return Link(thread.tid, f"thread {owner} to end (pthread_join)", owner, "join")
    what = _HOLDS[found.kind].format(found.address) if found.kind in _HOLDS else f"the futex at {found.address:#x}"
    if owner == thread.tid:
        return Link(thread.tid, f"{what}, which it holds itself", owner, found.kind)
    if moment.process_of(owner) is None:
        return Link(thread.tid, f"{what}, which thread {owner} held when it ended", None, found.kind)
    return Link(thread.tid, f"{what}, which {name_of(moment, owner, process.pid)} holds", owner, found.kind)


def _file_lock(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    asked = [lock for lock in moment.locks if lock.waits and lock.pid in (process.pid, thread.tid)]
    held = _first(process, thread)
    if held is not None and held.inode is not None:
        asked = [lock for lock in asked if lock.file == f"{held.device}:{held.inode}"] or asked
    if len(asked) != 1:
        return None
    owner = next((lock for lock in moment.locks if lock.number == asked[0].number and not lock.waits), None)
    if owner is None:
        return None
    file = held.target if held is not None else f"the file with inode {owner.file}"
    what = f"the {_kind(owner)} on {file}"
    if owner.pid <= 0:
        return Link(thread.tid, f"{what}, which an open file description holds: lsof {file} lists them", None, "lock")
    if moment.process(owner.pid) is None:
        holders = [one for one in moment.processes if one.pid != process.pid and _has(one, held)]
        if len(holders) == 1:  # flock(2): the lock is of the description, which outlives the process that took it
            holder = holders[0]
            heir = f"process {owner.pid} took it and has ended; {holder.name} (pid {holder.pid}) has the file open"
            return Link(thread.tid, f"{what}: {heir}", holder.pid, "lock")
        return Link(thread.tid, f"{what}, which process {owner.pid} took", None, "lock")
    return Link(thread.tid, f"{what}, which {name_of(moment, owner.pid)} holds", owner.pid, "lock")


def _kind(lock: Lock) -> str:
    return {"FLOCK": "flock lock", "POSIX": "fcntl lock", "OFDLCK": "fcntl lock"}.get(lock.kind, "lock")


def _has(process: ProcessState, held: Held | None) -> bool:
    return held is not None and any(one.target == held.target for one in process.descriptors)


def _child(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    place = 1 if thread.call == "waitid" else 0
    number = thread.arguments[place] & 0xFFFF_FFFF if len(thread.arguments) > place else 0
    alive = [child for pid in process.children if (child := moment.process(pid)) is not None]
    named = next((child for child in alive if child.pid == number), None)
    child = named or (alive[0] if len(alive) == 1 else None)
    if child is not None:
        return Link(thread.tid, f"child {name_of(moment, child.pid)} to end", child.pid, "child")
    if len(alive) < 2:
        return None
    names = ", ".join(name_of(moment, child.pid) for child in alive[:_NAMED])
    more = " and others" if len(alive) > _NAMED else ""
    return Link(thread.tid, f"one of its children to end: {names}{more}", None, "child")


def _transfer(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    held = _first(process, thread)
    if held is None:
        return None
    reads = thread.call in FILE_READS | RECEIVES
    if held.target.startswith("socket:["):
        return _peer(moment, thread, held, reads=reads)
    holders = [one for one in moment.holders if one.target == held.target and _is_end(one.flags, writing=reads)]
    ours = {one.pid for one in holders}
    what = f"data in {held.target}" if reads else f"room in {held.target}"
    end = "write" if reads else "read"
    if not held.target.startswith("pipe:["):
        return None
    kind = "read" if reads else "write"
    if not holders and held.target not in moment.sought:
        return None
    if not holders:
        return Link(thread.tid, f"{what}, whose {end} end no process that may be looked at has open", None, kind)
    names = ", ".join(name_of(moment, pid) for pid in sorted(ours)[:_NAMED])
    names = f"{names}{' and others' if len(ours) > _NAMED else ''}"
    if ours == {process.pid}:
        return Link(thread.tid, f"{what}, whose {end} end only the process itself has open", process.pid, kind)
    have = "has" if len(ours) == 1 else "have"
    return Link(
        thread.tid, f"{what}, whose {end} end {names} {have} open", ours.pop() if len(ours) == 1 else None, kind
    )


def _is_end(flags: int | None, *, writing: bool) -> bool:
    return flags is None or flags & _ACCESS != (_RDONLY if writing else _WRONLY)


def _peer(moment: Moment, thread: ThreadState, held: Held, *, reads: bool) -> Link | None:
    own = next((one for one in moment.sockets if held.target == f"socket:[{one.inode}]"), None)
    if own is None or not own.peer:
        return None
    far = [one.inode for one in moment.sockets if (one.local, one.peer) == (own.peer, own.local)]
    holders = {one.pid for one in moment.holders if any(one.target == f"socket:[{inode}]" for inode in far)}
    what = f"data from {own.peer}" if reads else f"room in the connection to {own.peer}"
    if not holders:
        return None
    names = ", ".join(name_of(moment, pid) for pid in sorted(holders)[:_NAMED])
    blocker = next(iter(holders)) if len(holders) == 1 else None
    return Link(
        thread.tid,
        f"{what}, which {names} {'has' if len(holders) == 1 else 'have'} open on this host",
        blocker,
        "read" if reads else "write",
    )
