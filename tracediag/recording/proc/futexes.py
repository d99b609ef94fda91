"""The thread that holds the lock another thread waits for, from the word in memory: futex(2), pthread_mutex_lock(3).

The layouts are those of glibc (nptl/descr.h, struct_mutex.h, struct_rwlock.h, libioP.h) and musl (pthread_impl.h):

    glibc mutex          the futex is __lock, 2 while contended; __owner stands 8 bytes after it
    PI and robust mutex  the word is the tid, with FUTEX_WAITERS and FUTEX_OWNER_DIED above; musl: all but normal ones
    glibc stdio stream   lock, count, and a pointer to the owner's descriptor, in which the tid stands
    glibc rwlock         __cur_writer stands 12 bytes after __writers_futex, and 16 after __wrphase_futex
    pthread_join         the word is the tid of the thread that has to end; in musl the tid stands 8 bytes before it
"""

from __future__ import annotations

import errno
import os
import platform
import struct
from collections.abc import Callable

from tracediag.recording.proc.processes import inner_tids
from tracediag.snapshot import Futex, ProcessState, ThreadState

_PRIVATE, _REALTIME = 0x80, 0x100
_WAIT, _LOCK_PI, _WAIT_BITSET, _LOCK_PI2 = 0, 6, 9, 13
_TID = 0x3FFF_FFFF
_WAITERS = 0x8000_0000
_MOST_TID = 1 << 22
_CONTENDED, _RWLOCK = 2, 3
_OWNER, _NUSERS, _KIND = 8, 12, 16
_LIST = (24, 28, 32, 36)
_KINDS = 0x3 | 0x80 | 0x300
"""Types, PTHREAD_MUTEX_PSHARED_BIT and the bits of lock elision."""
_MOST_USERS = 1024
_TID_IN_DESCRIPTOR = 0x2D0
"""Where glibc has the tid in struct pthread, on 64-bit x86 since 2.4."""

Peek = Callable[[int], int | None]


def futexes_of(process: ProcessState) -> tuple[Futex, ...]:
    """Return the words that the threads of a process wait for; none where its memory cannot be read."""
    waiting = [thread for thread in process.threads if thread.call == "futex" and len(thread.arguments) > 3]
    if not waiting:
        return ()
    try:
        memory = os.open(f"/proc/{process.pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ()
    try:
        tids = inner_tids(process.pid)
        found = (_Waiting(thread, tids, _peeking(memory)).futex() for thread in waiting)
        return tuple(futex for futex in found if futex is not None)
    finally:
        os.close(memory)


def _peeking(memory: int) -> Peek:
    def peek(address: int) -> int | None:
        try:
            data = os.pread(memory, 4, address)
        except (OSError, OverflowError):
            return None
        return struct.unpack("I", data)[0] if len(data) == 4 else None

    return peek


class _Waiting:
    """One thread that stands in futex."""

    def __init__(self, thread: ThreadState, tids: dict[int, int], peek: Peek) -> None:
        self._thread, self._tids, self._peek = thread, tids, peek
        self._address, self._operation, self._value = thread.arguments[:3]
        self._value &= 0xFFFF_FFFF

    def futex(self) -> Futex | None:
        """Return the word with its owner; None for a call that does not wait."""
        word, command = self._peek(self._address), self._operation & ~(_PRIVATE | _REALTIME)
        if word is None or command not in (_WAIT, _WAIT_BITSET, _LOCK_PI, _LOCK_PI2):
            return None
        locks = command in (_LOCK_PI, _LOCK_PI2)
        if not locks and word != self._value:
            return Futex(self._thread.tid, self._address, word)  # it is being woken
        kind, owner = self._named(word) if locks or word & _WAITERS else self._laid_out(word)
        return Futex(self._thread.tid, self._address, word, kind, owner)

    def _named(self, word: int) -> tuple[str, int | None]:
        """Read the owner from the word itself; of small numbers it is a count, or the EBUSY of musl's normal mutex."""
        number = word & _TID
        if number <= errno.EBUSY:
            return "", None
        owner = self._known(number) or (None if self._operation & _PRIVATE else self._elsewhere(number))
        return ("mutex", owner) if owner else ("", None)

    def _laid_out(self, word: int) -> tuple[str, int | None]:
        """Read the owner from what stands around the word."""
        if not self._operation & _PRIVATE and (joined := self._known(word)):
            return "join", joined
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
        number = self._peek(self._address + _OWNER) or 0
        if owner := self._known(number):
            return owner
        if not min(self._tids) < number < _MOST_TID or not self._is_mutex():
            return None
        # A thread that has ended, or, of a shared mutex, one of another process.
        return number if self._elsewhere(number) is None or not self._operation & _PRIVATE else None

    def _is_mutex(self) -> bool:
        """Whether the fields are those of a glibc mutex: users, kind, and for a mutex that is not robust no list."""
        users, kind = self._peek(self._address + _NUSERS) or 0, self._peek(self._address + _KIND)
        linked = any(self._peek(self._address + offset) for offset in _LIST)
        return 0 < users < _MOST_USERS and kind is not None and kind & ~_KINDS == 0 and not linked

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

    def _known(self, number: int) -> int | None:
        return self._tids.get(number)

    @staticmethod
    def _elsewhere(number: int) -> int | None:
        """Return a tid if a thread of any process has it."""
        return number if number and os.path.isdir(f"/proc/{number}") else None  # noqa: PTH112
