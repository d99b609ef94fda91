"""Waits for locks: of threads in memory, of files, of System V and POSIX semaphores."""

from __future__ import annotations

from tracediag.evidence.blocking.link import Link, first_held, listed, name_of
from tracediag.snapshot import Futex, Held, Ipc, Lock, Moment, ProcessState, ThreadState

_HOLDS = {
    "mutex": "the mutex at {:#x}",
    "stream": "the lock of the stdio stream at {:#x}",
    "rwlock": "the read-write lock at {:#x}",
}
_SEMAPHORES, _DELETED = "/dev/shm/sem.", " (deleted)"


def futex_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return what a thread in futex(2) waits for, where the word in memory, or the file it lies in, names it."""
    found = moment.futex(thread.tid)
    if found is None:
        return None
    owner = found.owner
    if owner is None:
        return _unowned(moment, process, thread, found)
    if found.kind == "join":
        return Link(thread.tid, f"thread {owner} to end (pthread_join)", owner, "join")
    what = _HOLDS[found.kind].format(found.address) if found.kind in _HOLDS else f"the futex at {found.address:#x}"
    if owner == thread.tid:
        return Link(thread.tid, f"{what}, which it holds itself", owner, found.kind)
    if found.forked:
        parent = "the parent" if process.parent is None else name_of(moment, process.parent)
        held = f"which thread {owner} of {parent} held when it forked: no thread of the child can release the copy"
        return Link(thread.tid, f"{what}, {held}", None, found.kind)
    if moment.process_of(owner) is None:
        return Link(thread.tid, f"{what}, which thread {owner} held when it ended", None, found.kind)
    return Link(thread.tid, f"{what}, which {name_of(moment, owner, process.pid)} holds", owner, found.kind)


def _unowned(moment: Moment, process: ProcessState, thread: ThreadState, found: Futex) -> Link | None:
    """Return the wait for a word that names no thread."""
    if found.readers:
        by = "1 thread holds" if found.readers == 1 else f"{found.readers:,} threads hold"
        left = candidates(moment, process, found)
        which = f"only thread {left[0]} can be that" if len(left) == 1 else "the lock does not note which"
        what = f"the read-write lock at {found.address:#x}, which {by} for reading ({which})"
        return Link(thread.tid, what, left[0] if len(left) == 1 else None, "readers")
    return _shared(moment, process, thread, found) if found.file else None


def candidates(moment: Moment, process: ProcessState, found: Futex) -> list[int]:
    """Return the threads that may hold a lock: those that have not ended, and do not wait for it themselves."""
    waiting = {one.tid for one in moment.futexes if one.address == found.address}
    return [one.tid for one in process.threads if one.tid not in waiting and one.state != "Z"]


def _shared(moment: Moment, process: ProcessState, thread: ThreadState, found: Futex) -> Link:
    """Return the wait for a word in a file that other processes map too."""
    name, named = found.file.removesuffix(_DELETED), not found.file.endswith(_DELETED)
    unlinked = "" if named else " (unlinked)"
    sharers = found.sharers or ()
    by = f"; {listed(moment, sharers)} {'maps' if len(sharers) == 1 else 'map'} it too" if sharers else ""
    blocker = sharers[0] if len(sharers) == 1 and len(process.threads) == 1 else None
    lost = found.sharers == () and len(process.threads) == 1 and not named and not thread.arguments[3]
    kind = "orphan" if lost else "ipc"
    if lost:
        by = "; no other process maps it: the process that should have woken this one has ended"
    if not name.startswith(_SEMAPHORES):
        unnamed = name.startswith(("/dev/zero", "/memfd:", "/SYSV"))
        where = "memory that processes share" if unnamed else f"the shared file {name}{unlinked}"
        return Link(thread.tid, f"the word at {found.address:#x} of {where}{by}", blocker, kind)
    what = f"the POSIX semaphore /{name.removeprefix(_SEMAPHORES)}{unlinked} with the value 0"
    return Link(thread.tid, f"{what}: another process has to sem_post it{by}", blocker, kind)


def ipc_link(moment: Moment, thread: ThreadState, ipc: Ipc) -> Link:
    """Return the wait of semop(2), msgsnd(2) or msgrcv(2)."""
    key = f" (key {ipc.key:#x})" if ipc.key else ""
    seen = moment.process(ipc.last)
    last = f"process {ipc.last}, which has ended," if seen is None else name_of(moment, ipc.last)
    blocker = None if seen is None or ipc.last == thread.tid else ipc.last
    if ipc.kind == "queue":
        state = "is full" if thread.call == "msgsnd" else "has no message of that type" if ipc.value else "is empty"
        deed = "taken a message from it" if thread.call == "msgsnd" else "sent a message to it"
        past = f"{last} was the last to have {deed}" if ipc.last else f"no process has {deed}"
        return Link(thread.tid, f"message queue {ipc.ident}{key}, which {state}; {past}", blocker, "ipc")
    needs = "0" if not ipc.asked else f"at least {-ipc.asked}"
    what = f"semaphore {ipc.number} of set {ipc.ident}{key} to be {needs}: its value is {ipc.value}"
    changed = f"; {last} changed it last" if ipc.last else ""
    return Link(thread.tid, f"{what}{changed}", blocker, "ipc")


def file_lock_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the wait of flock(2) or fcntl_locking(2)."""
    asked = [lock for lock in moment.locks if lock.waits and lock.pid in (process.pid, thread.tid)]
    held = first_held(process, thread)
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
        holders = {one.pid for one in moment.holders if held is not None and one.target == held.target}
        holders |= {one.pid for one in moment.processes if _has(one, held)}
        holders.discard(process.pid)
        if len(holders) == 1:  # flock(2): the lock is of the description, which outlives the process that took it
            holder = holders.pop()
            heir = f"process {owner.pid} took it and has ended; {name_of(moment, holder)} has the file open"
            return Link(thread.tid, f"{what}: {heir}", holder, "lock")
        return Link(thread.tid, f"{what}, which process {owner.pid} took", None, "lock")
    return Link(thread.tid, f"{what}, which {name_of(moment, owner.pid)} holds", owner.pid, "lock")


def _kind(lock: Lock) -> str:
    return {"FLOCK": "flock lock", "POSIX": "fcntl lock", "OFDLCK": "fcntl lock"}.get(lock.kind, "lock")


def _has(process: ProcessState, held: Held | None) -> bool:
    return held is not None and any(one.target == held.target for one in process.descriptors)
