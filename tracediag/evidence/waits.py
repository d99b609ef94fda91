"""A thread that stands in a call, and whether the arguments say that the call waits: locks, FIFOs, futexes."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from tracediag.evidence.paths import path_of
from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process, Thread
from tracediag.trace.calls import (
    CHDIRS,
    CONTROLS,
    FILE_READS,
    FILE_WRITES,
    FUTEXES,
    GETDENTS,
    LOOKS,
    MKDIRS,
    OPENS,
    POSITIONED,
    REMOVES,
    RENAMES,
)
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.flags import has_flag
from tracediag.trace.values import note_of, number_of

Waited = Syscall | Begun
_SET_LOCKS = ("F_SETLKW", "F_SETLKW64", "F_OFD_SETLKW")
_ON_PATHS = OPENS | LOOKS | REMOVES | RENAMES | MKDIRS | CHDIRS
_ON_FILES = GETDENTS | FILE_READS | FILE_WRITES | POSITIONED
_UNREAL = ("/proc/", "/sys/", "/dev/")
_NO_FIFO = ("O_NONBLOCK", "O_DIRECTORY", "O_PATH", "O_TMPFILE")
_CONTENDED = 2
"""The value of a locked mutex with waiters."""
_CONTENDED_MUSL = 0x80000010
"""The same in musl (src/thread/pthread_mutex_timedlock.c): EBUSY with the bit for waiters."""


class Standing(msgspec.Struct, frozen=True):
    """A thread that stands in a call, at the end of the trace or of its process."""

    kernel: Kernel
    process: Process
    thread: Thread
    call: Waited
    released: tuple[Descriptor, ...] = ()
    """The descriptors that the end of its process released."""

    @property
    def held(self) -> Descriptor | None:
        """The descriptor that is the first argument."""
        number = self.call.number(0)
        gone = (descriptor for descriptor in self.released if descriptor.number == number)
        return self.thread.inside_descriptor or self.process.table.open.get(number or 0) or next(gone, None)


def is_lock(call: Waited) -> bool:
    """Whether the call waits for a file lock: flock without LOCK_NB, fcntl with F_SETLKW or F_OFD_SETLKW."""
    if call.name == "flock":
        return not call.has("LOCK_NB") and not call.has("LOCK_UN")
    return call.name in CONTROLS and any(map(call.has, _SET_LOCKS))


def may_be_fifo(call: Waited) -> bool:
    """Whether an open that has not returned may be that of a FIFO: only one end, non-blocking and no directory."""
    return _is_one_end(call.body[call.body.rfind('"') + 1 :])


@lru_cache(maxsize=256)
def _is_one_end(flags: str) -> bool:
    """Whether the text after a path says so; asked about each open that waits, and few texts stand there."""
    ends = ("O_RDONLY", "O_WRONLY")
    return any(has_flag(flags, end) for end in ends) and not any(has_flag(flags, other) for other in _NO_FIFO)


def futex_operation(call: Waited) -> str:
    """Return the operation of a futex call, as recorded: FUTEX_WAIT_PRIVATE; "" for another call.

    The text suffices: no argument of the call is a string, and -X verbose puts the name into a remark.
    """
    return call.body.partition(", ")[2].partition(", ")[0] if call.name in FUTEXES else ""


def is_endless_futex(call: Waited) -> bool:
    """Whether only another thread of the process can end the call: FUTEX_WAIT on a private futex without a timeout."""
    asked = futex_operation(call)
    return "WAIT" in asked and "PRIVATE" in asked and is_endless(call)


def joined(call: Waited) -> int | None:
    """Return the thread that pthread_join waits for, by its tid: the kernel clears the value, a tid, when it ends.

    glibc waits so on a shared futex without a timeout; musl on a private one.
    """
    asked = futex_operation(call)
    value = call.number(2)
    return value if "WAIT" in asked and value is not None and value > _CONTENDED and is_endless(call) else None


def is_mutex(call: Waited) -> bool:
    """Whether a futex wait is one for a mutex that another thread holds, by its value: 2, or EBUSY in musl.

    Waits for a condition, a semaphore (also a lock of Python) or the end of a thread have other values, and an idle
    thread stands in them.
    """
    return call.name in FUTEXES and call.number(2) in (_CONTENDED, _CONTENDED_MUSL)


def is_endless(call: Waited) -> bool:
    """Whether a futex wait has no timeout: the fourth argument is NULL."""
    return number_of(call.arg(3)) == 0


def on_silent_file(call: Waited, process: Process, released: tuple[Descriptor, ...] = ()) -> str | None:
    """Return the path of a call that waits for nothing but a file system; None for any other call.

    Such a call is about a path (an open that may be that of a FIFO is none) or reads or writes a plain file.
    """
    if call.name in _ON_PATHS:
        path = next((text for place in range(3) if (text := call.path(place))), None)
        if call.name in OPENS and may_be_fifo(call):
            return None
    elif call.name in _ON_FILES:
        number = call.number(0)
        file = process.table.file_of(number) or next((one.file for one in released if one.number == number), None)
        path = path_of(file, process) if file is not None and file.kind is Kind.FILE else None
        if file is None:  # the model follows no getdents, and knows no descriptor that only such calls show
            path = note_of(call.arg(0))
    else:
        return None
    return None if path is None or path.startswith(_UNREAL) or ":[" in path else path
