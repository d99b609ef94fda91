"""The thread that holds the lock another thread waits for, from the word in memory: futex(2), pthread_mutex_lock(3).

The layouts are those of glibc (nptl/descr.h, struct_mutex.h, struct_rwlock.h, libioP.h) and musl (pthread_impl.h):

    glibc mutex          the futex is __lock, 2 while contended; __owner stands 8 bytes after it
    PI and robust mutex  the word is the tid, with FUTEX_WAITERS and FUTEX_OWNER_DIED above; musl: all but normal ones
    glibc stdio stream   lock, count, and a pointer to the owner's descriptor, in which the tid stands
    musl stdio stream    the word is the tid, with MAYBE_WAITERS above
    glibc rwlock         __cur_writer stands 12 bytes after __writers_futex, and 16 after __wrphase_futex
    musl, normal mutex   the word is EBUSY with MAYBE_WAITERS above, the type 4 bytes before: no owner is stored
    musl rwlock          readers, or 0x7fffffff for a writer, with MAYBE_WAITERS above: no owner is stored
    pthread_join         the word is the tid of the thread that has to end; in musl the tid stands 8 bytes before it
"""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Callable

from tracediag.recording.proc.mappings import Sharers, mapping_of
from tracediag.recording.proc.memory import Memory
from tracediag.recording.proc.processes import inner_tids, source_of
from tracediag.recording.proc.texts import fields, number, text
from tracediag.snapshot import Futex, ProcessState, ThreadState

_PRIVATE, _REALTIME = 0x80, 0x100
_WAIT, _LOCK_PI, _WAIT_BITSET, _LOCK_PI2 = 0, 6, 9, 13
_TID = 0x3FFF_FFFF
_WAITERS = 0x8000_0000
_MUSL_STREAM = 0x4000_0000
"""MAYBE_WAITERS in the lock of a musl stream, beside the tid of its owner: src/internal/stdio_impl.h."""
_MUSL_TYPE, _MUSL_WRITER, _SHARED = 0xF, 0x7FFF_FFFF, 128
"""The bits of a mutex's type, a lock held for writing, and the mark of one that processes share: pthread_impl.h."""
_MOST_TID = 1 << 22
_CONTENDED, _RWLOCK = 2, 3
_READER_SHIFT, _WRITE_LOCKED, _READERS_WAIT = 3, 2, 4
"""The bits of __readers: nptl/pthread_rwlock_common.c."""
_OWNER, _NUSERS, _KIND = 8, 12, 16
_LIST = (24, 28, 32, 36)
_KINDS = 0x3 | 0x80 | 0x300
"""Types, PTHREAD_MUTEX_PSHARED_BIT and the bits of lock elision."""
_MOST_USERS = 1024
_TID_IN_DESCRIPTOR = 0x2D0
"""Where glibc has the tid in struct pthread, on 64-bit x86 since 2.4."""

Peek = Callable[[int], int | None]


def futexes_of(process: ProcessState, sharers: Sharers) -> tuple[Futex, ...]:
    """Return the words that the threads of a process wait for; none where its memory cannot be read."""
    waiting = [thread for thread in process.threads if thread.call == "futex" and len(thread.arguments) > 3]
    if not waiting:
        return ()
    with Memory(source_of(process.pid)) as memory:
        tids = inner_tids(process.pid)
        found = (_Waiting(thread, tids, memory.word, process).futex(sharers) for thread in waiting)
        return tuple(futex for futex in found if futex is not None)


class _Waiting:
    """One thread that stands in futex."""

    def __init__(self, thread: ThreadState, tids: dict[int, int], peek: Peek, process: ProcessState) -> None:
        self._thread, self._tids, self._peek, self._process = thread, tids, peek, process
        self._address, self._operation, self._value = thread.arguments[:3]
        self._value &= 0xFFFF_FFFF

    def futex(self, sharing: Sharers) -> Futex | None:
        """Return the word with its owner; None for a call that does not wait."""
        word, command = self._peek(self._address), self._operation & ~(_PRIVATE | _REALTIME)
        if word is None or command not in (_WAIT, _WAIT_BITSET, _LOCK_PI, _LOCK_PI2):
            return None
        locks = command in (_LOCK_PI, _LOCK_PI2)
        if not locks and word != self._value:
            return Futex(self._thread.tid, self._address, word)  # it is being woken
        kind, owner = self._named(word) if locks or word & _WAITERS else self._laid_out(word)
        kind, counted = (kind, 0) if kind or not word & _WAITERS else self._of_musl(word & ~_WAITERS)
        forked = owner is not None and not self._is_ours(owner)
        readers = counted or (self._readers() if word == _CONTENDED and not kind else 0)
        kind = "rwlock" if readers else kind
        place = None if self._operation & _PRIVATE else mapping_of(source_of(self._process.pid), self._address)
        file = "" if owner or place is None else place.file
        sharers = sharing.of(place, self._process.pid) if file and place is not None else None
        inner = bool(self._operation & _PRIVATE) or (place is not None and place.private)
        return Futex(self._thread.tid, self._address, word, kind, owner, readers, forked, file, sharers, inner)

    def _is_ours(self, owner: int) -> bool:
        """Whether the owner is no thread of the parent, of which a private mutex can only be a copy: fork(2)."""
        if not self._operation & _PRIVATE or owner in self._tids.values() or self._process.parent is None:
            return True
        return number(fields(text(f"/proc/{owner}/status")).get("Tgid", "")) != self._process.parent

    def _named(self, word: int) -> tuple[str, int | None]:
        """Read the owner from the word itself; of small numbers it is a count, or the EBUSY of musl's normal mutex."""
        named = word & _TID
        if named <= errno.EBUSY:
            return "", None
        owner = self._known(named) or (None if self._operation & _PRIVATE else self._elsewhere(named))
        return ("mutex", owner) if owner else ("", None)

    def _of_musl(self, value: int) -> tuple[str, int]:
        """Return the kind of a lock of musl that stores no owner, and its readers: the waiters are counted after it."""
        if not 0 < (self._peek(self._address + 4) or 0) < _MOST_USERS:
            return "", 0
        if value == errno.EBUSY and not (self._peek(self._address - 4) or 0) & _MUSL_TYPE:
            return "mutex", 0
        shared = self._peek(self._address + 8)
        if shared != (0 if self._operation & _PRIVATE else _SHARED):
            return "", 0
        if value == _MUSL_WRITER:
            return "rwlock", 0
        return ("rwlock", value) if 0 < value < _MOST_USERS else ("", 0)

    def _laid_out(self, word: int) -> tuple[str, int | None]:
        """Read the owner from what stands around the word."""
        if not self._operation & _PRIVATE and (joined := self._known(word)):
            return "join", joined
        if word & _MUSL_STREAM and (owner := self._known(word & ~_MUSL_STREAM)):
            return "stream", owner
        if word == _CONTENDED:
            if owner := self._mutex_owner():
                return "mutex", owner
            if owner := self._stream_owner():
                return "stream", owner
            if joined := self._at(-8):
                return "join", joined
        if word == _RWLOCK and (owner := self._at(12) or self._at(16)):
            return "rwlock", owner
        return "", None

    def _mutex_owner(self) -> int | None:
        named = self._peek(self._address + _OWNER) or 0
        if owner := self._known(named):
            return owner
        forked = not self._is_ours(named)
        if not (forked or min(self._tids) < named) or not 0 < named < _MOST_TID or not self._is_mutex():
            return None
        # A thread that has ended, one of the parent, or, of a shared mutex, one of another process.
        return named if forked or self._elsewhere(named) is None or not self._operation & _PRIVATE else None

    def _is_mutex(self) -> bool:
        """Whether the fields are those of a glibc mutex: users, kind, and for a mutex that is not robust no list."""
        users, kind = self._peek(self._address + _NUSERS) or 0, self._peek(self._address + _KIND)
        linked = any(self._peek(self._address + offset) for offset in _LIST)
        return 0 < users < _MOST_USERS and kind is not None and kind & ~_KINDS == 0 and not linked

    def _readers(self) -> int:
        """Return how many threads hold the read-write lock that a writer waits for: __readers, 8 bytes before."""
        word, held = self._peek(self._address - 8) or 0, self._peek(self._address + 16)
        count = word >> _READER_SHIFT
        return count if word & 0x7 & ~_READERS_WAIT == _WRITE_LOCKED and not held and 0 < count < _MOST_USERS else 0

    def _stream_owner(self) -> int | None:
        if platform.machine() != "x86_64":
            return None
        low, high = self._peek(self._address + 8), self._peek(self._address + 12)
        if low is None or high is None or not (low or high):
            return None
        return self._known(self._peek((high << 32 | low) + _TID_IN_DESCRIPTOR) or 0)

    def _at(self, offset: int) -> int | None:
        """Return the thread, another one, whose tid stands there."""
        owner = self._known(self._peek(self._address + offset) or 0)
        return None if owner == self._thread.tid else owner

    def _known(self, tid: int) -> int | None:
        return self._tids.get(tid)

    @staticmethod
    def _elsewhere(tid: int) -> int | None:
        """Return a tid if a thread of any process has it."""
        return tid if tid and os.path.isdir(f"/proc/{tid}") else None  # noqa: PTH112
