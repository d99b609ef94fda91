"""Which threads of a process may act, and which only wait for another one of it: the rest of an idle pool."""

from __future__ import annotations

from tracediag.evidence.blocking.link import Link
from tracediag.evidence.blocking.locks import candidates
from tracediag.evidence.blocking.polls import is_inward
from tracediag.snapshot import Futex, Moment, ProcessState, ThreadState
from tracediag.trace.quantities import plural

_MOST = 256
"""Threads of a process beyond which none is followed: each would be compared with all."""
_ACTIVE = 3
"""Threads that are followed, where any of several could wake another one."""
_UNOWNED = {"mutex": "the mutex at {}", "rwlock": "the read-write lock at {}"}
_CONTENDED = 2
_PRIVATE = 0x80
"""FUTEX_PRIVATE_FLAG, futex(2)."""


def threads_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the wait for a word that names no thread: a condition, a semaphore, the lock of another language."""
    found = moment.futex(thread.tid)
    if found is None or not _is_private_wait(moment, thread):
        return None
    return woken(moment, process, thread, _waits(found)) or _unowned(moment, process, thread, found)


def _waits(found: Futex) -> str:
    """Name the object: a lock whose owner the memory does not name, or any word."""
    address = f"{found.address:#x}"
    if found.kind in _UNOWNED:
        return f"{_UNOWNED[found.kind].format(address)} (musl stores no owner in it)"
    if found.word == _CONTENDED and not found.kind:
        return (
            f"the word at {address} (value 2: a lock that stores no owner, of Rust or malloc, or a condition of musl)"
        )
    return f"another thread to wake the futex at {address}"


def _unowned(moment: Moment, process: ProcessState, thread: ThreadState, found: Futex) -> Link | None:
    """Return the wait for a lock that any of several threads may hold: those that do not wait for it themselves."""
    if found.kind not in _UNOWNED and found.word != _CONTENDED:
        return None
    others = candidates(moment, process, found)
    if not others:
        return None
    which = f"any of {plural(len(others), 'other thread')} may hold it, or one that has ended"
    if len(process.threads) <= _MOST and all(is_idle(moment, process, one) for one in process.threads):
        which = "every other thread waits likewise, so that none is left to wake it"
    return Link(thread.tid, f"{_waits(found)}; {which}", None, "unowned")


def woken(moment: Moment, process: ProcessState, thread: ThreadState, waits: str) -> Link | None:
    """Return a wait that only another thread of the process can end; None where too many could."""
    if len(process.threads) > _MOST:
        return None
    others = [one for one in process.threads if one is not thread and one.state != "Z"]
    if not others:
        return Link(thread.tid, f"{waits}, and the process has no other thread", None, "alone")
    active = [one.tid for one in others if not is_idle(moment, process, one)]
    if not 0 < len(active) <= _ACTIVE:
        return None
    idle = len(others) - len(active)
    waits += f" ({plural(idle, 'more thread')} {'waits' if idle == 1 else 'wait'} likewise)" if idle else ""
    if len(active) == 1:
        return Link(thread.tid, waits, active[0], "threads")
    return Link(thread.tid, waits, None, "threads", tuple(active))


def is_idle(moment: Moment, process: ProcessState, thread: ThreadState) -> bool:
    """Whether only another thread of the process can end the wait of a thread, or it has ended."""
    return thread.state == "Z" or _is_private_wait(moment, thread) or is_inward(moment, process, thread)


def _is_private_wait(moment: Moment, thread: ThreadState) -> bool:
    """Whether a thread waits in futex, without a timeout, for a word that names no owner and is not shared."""
    found = moment.futex(thread.tid)
    if found is None or found.owner is not None or found.file or len(thread.arguments) < 4 or thread.arguments[3]:
        return False
    return found.inner or bool(thread.arguments[1] & _PRIVATE)


def at_work(moment: Moment, pid: int) -> tuple[int, ...]:
    """Return the threads of a process that may act for it; the first one where there are none."""
    process = moment.process(pid)
    if process is None or len(process.threads) > _MOST:
        return (pid,) if process is None else tuple(one.tid for one in process.threads)
    return tuple(one.tid for one in process.threads if not is_idle(moment, process, one)) or (pid,)
