"""How long a call took, why one that normally takes microseconds takes seconds, and what to look at."""

from __future__ import annotations

import msgspec

from tracediag.trace.calls import SYNCS
from tracediag.trace.events import Syscall


class Advice(msgspec.Struct, frozen=True):
    """What a call waits for, and what to do; `{}` is its object."""

    why: str
    fix: str


_CONNECTS = Advice(
    why="the kernel repeats a connection request without an answer after 1, 3 and 7 s: a duration just above one of"
    " these is a lost packet or a full accept queue; another is the way to the host: tcp(7), listen(2)",
    fix="ss -ltn on the server shows its accept queue; check the way to {} (ping, mtr); set a timeout for connect, and"
    " keep connections open",
)
_RANDOMS = Advice(
    why="getrandom waits until the kernel has gathered enough randomness, which takes long after the start of a virtual"
    " machine: random(7)",
    fix="start the program later, or give the machine a source: virtio-rng, or rngd of rng-tools",
)
_STORES = Advice(
    why="fsync returns when the device reports the data as stored; a busy or failing disk, or a journal that also"
    " writes the data of other programs, makes that slow: fsync(2)",
    fix="iostat -x 1 and dmesg show whether the device of {} is busy or failing; sync less often, or in another thread",
)
_REACHES = Advice(
    why="a call on a file takes microseconds on a local disk; seconds are a network file system, automount or FUSE"
    " with a server that answers late, or a disk that spins up: nfs(5), autofs(5)",
    fix="findmnt -T {0} shows the file system; time stat {0} repeats the wait; look at its server, and at dmesg",
)


def advice_on(name: str) -> Advice:
    """Return what a call of this name waits for, and what to do about it."""
    if name == "connect":
        return _CONNECTS
    if name == "getrandom":
        return _RANDOMS
    return _STORES if name in SYNCS else _REACHES


def duration_of(call: Syscall) -> float | None:
    """Return how long a call took: as strace tells with -T, else from the times of its halves; None if unknown."""
    return between(call.time, call.end_time) if call.duration is None else call.duration


def between(first: float | None, second: float | None) -> float | None:
    """Return the seconds between two times of lines; a second less where both are full seconds, as with `-t`."""
    if first is None or second is None or second < first:
        return None
    coarse = first.is_integer() and second.is_integer()
    return max(0.0, second - first - 1) if coarse else second - first
