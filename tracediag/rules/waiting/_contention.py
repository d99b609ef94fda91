"""A lock that threads wait for again and again: how often and how long, and what its holders do meanwhile."""

from __future__ import annotations

from collections import Counter

import msgspec

from tracediag.evidence.waits import futex_operation, is_mutex
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Kind
from tracediag.rules.waiting._slowness import duration_of
from tracediag.trace.calls import ACCEPTS, FILE_READS, FILE_WRITES, FUTEXES, RECEIVES, SENDS, WAITS
from tracediag.trace.events import Begun, Syscall

MANY = 20
"""Waits from which on a lock is contended, and not just met."""
FEW = 6
"""Waits that suffice if they take `_LONG` together."""
_LONG = 1.0
_SHORT = 0.1
"""Seconds of all waits together, or from the first to the last, below which no user notices them."""
_OFTEN = 3
"""Waits of a thread from which on its own share of time is known."""
_SHARE = 0.25
"""The share of their time that the threads wait: of two that never run at the same time it is half."""
_SHARE_OF_LINES = 0.2
"""The same where lines are the clock: each call of the holder is one, however long it takes."""
_OF_ALL = 0.1
"""The time of all waits together, as a part of the time of the recording: a short burst in a long one is no matter."""
_HELD = 64
"""Times that a lock is held of which the calls are looked at."""
_CALLS = 64
"""Calls of a thread after which it is no longer believed to hold the lock."""
_KEPT = 64
"""Threads of a lock, and names of calls, that are kept."""
_GIVES = FILE_WRITES | SENDS
_AWAITS = WAITS | ACCEPTS
_TAKES = FILE_READS | RECEIVES
_NOT_PLAIN = frozenset({Kind.PIPE, Kind.SOCKET})
RELEASES = ("F_UNLCK", "LOCK_UN")
"""What a call that releases a file lock shows."""


class Waiter(msgspec.Struct):
    """A thread, or a process with one thread, that has waited for a lock."""

    first: float
    last: float
    waits: int = 0
    total: float = 0.0
    releases: int = 0
    """How often it has released the lock and woken a waiter: a thread that waits for a condition never does."""


class Inside(msgspec.Struct):
    """The calls of one name that holders make while they hold the lock."""

    longest: Syscall
    turns: int = 0
    """In how many holds such a call is made."""
    total: float = 0.0
    """The seconds that they take."""


class Hold(msgspec.Struct):
    """What a thread does from the moment it gets the lock until it releases it."""

    lock: Lock
    subject: str
    """The address or descriptor of the lock, as printed."""
    calls: int = 0
    inside: dict[str, Inside] = msgspec.field(default_factory=dict)
    idles: bool = False
    """Whether it waits for work meanwhile."""
    works: bool = False
    """Whether it sends or writes something meanwhile."""

    def is_ended_by(self, event: Begun | Syscall) -> bool:
        """Whether a call releases the lock, or waits for it again because another thread was faster."""
        if subject_of(event) != self.subject:
            return False
        return event.name in FUTEXES or event.name == "close" or any(map(event.has, RELEASES))

    def see(self, action: Action) -> bool:
        """Note a call of the holder; return False if so many mean that it released the lock unseen."""
        event = action.event
        if not isinstance(event, Syscall):
            return True
        if event.name in FUTEXES:  # a pool whose next worker waits for work with the mutex held
            self.idles = self.idles or ("WAIT" in futex_operation(event) and not is_mutex(event))
        else:
            self.calls += 1
            lasted = duration_of(event) or 0.0
            kind = self.inside.setdefault(event.name, Inside(event, turns=1))
            kind.total += lasted
            if lasted > (duration_of(kind.longest) or 0.0):
                kind.longest = event
            self.works = self.works or event.name in _GIVES
            self.idles = self.idles or event.name in _AWAITS or _takes(action)
        return self.calls < _CALLS


class Lock(msgspec.Struct, eq=False):
    """A mutex by its address, or a locked file by its path, and the waits for it."""

    timed: bool
    """Whether its times are seconds; else they are lines of the trace."""
    waiters: dict[int | None, Waiter] = msgspec.field(default_factory=dict)
    releasers: Counter[int | None] = msgspec.field(default_factory=Counter)
    """The threads that woke a waiter, by tid."""
    waits: int = 0
    total: float = 0.0
    first: Syscall | None = None
    longest: Syscall | None = None
    took: float = 0.0
    """How long the longest wait took."""
    ender: Syscall | None = None
    """The release of another thread that ended it."""
    released: Syscall | None = None
    """The last release."""
    holds: int = 0
    idle_holds: int = 0
    inside: dict[str, Inside] = msgspec.field(default_factory=dict)
    """The calls made in these holds, by name."""

    def wait(self, call: Syscall, took: float) -> None:
        """Note a wait that is over; `took` in seconds, or in lines."""
        began: float = (call.time or 0.0) if self.timed else call.line
        waiter = self.waiters.get(call.pid)
        if waiter is None:
            waiter = Waiter(began, began)
            if len(self.waiters) < _KEPT:
                self.waiters[call.pid] = waiter
        waiter.waits, waiter.total, waiter.last = waiter.waits + 1, waiter.total + took, began + took
        self.waits, self.total = self.waits + 1, self.total + took
        self.first = self.first or call
        if took > self.took:
            self.longest, self.took, self.ender = call, took, None
            if self.released is not None:
                self._end(self.released)

    def release(self, call: Syscall) -> None:
        """Note that a thread released the lock."""
        self.released = call
        if len(self.releasers) < _KEPT or call.pid in self.releasers:
            self.releasers[call.pid] += 1
        if (waiter := self.waiters.get(call.pid)) is not None:
            waiter.releases += 1
        self._end(call)

    def _end(self, release: Syscall) -> None:
        longest = self.longest
        if longest is not None and longest.line < release.line <= longest.end_line and release.pid != longest.pid:
            self.ender = release

    @property
    def sampled(self) -> bool:
        """Whether enough is known of what its holders do."""
        return self.holds >= _HELD

    def held(self, hold: Hold) -> None:
        """Note what a thread did while it held the lock."""
        self.holds += 1
        self.idle_holds += hold.idles and not hold.works
        for name, kind in hold.inside.items():
            known = self.inside.get(name)
            if known is None:
                if len(self.inside) < _KEPT:
                    self.inside[name] = kind
                continue
            known.turns, known.total = known.turns + 1, known.total + kind.total
            if (duration_of(kind.longest) or 0.0) > (duration_of(known.longest) or 0.0):
                known.longest = kind.longest

    @property
    def regulars(self) -> list[Waiter]:
        """The threads that wait often enough for a share of their time."""
        return [waiter for waiter in self.waiters.values() if waiter.waits >= _OFTEN]

    @property
    def share(self) -> float:
        """The part of their time, from the first wait to the last, that these threads wait."""
        regulars = self.regulars
        time = sum(waiter.last - waiter.first for waiter in regulars)
        return min(1.0, sum(waiter.total for waiter in regulars) / time) if time > 0 else 0.0

    @property
    def span(self) -> float:
        """The time from the first wait to the end of the last."""
        waiters = self.waiters.values()
        return max(waiter.last for waiter in waiters) - min(waiter.first for waiter in waiters)

    def is_contended(self, observed: float, *, whole: bool) -> bool:
        """Whether its waits are many and take a sizeable share of the time.

        Args:
            observed: the time of the recording.
            whole: whether it shows the start of the program; half of the waits suffice where that is cut off.
        """
        if self.timed and min(self.total, self.span) < _SHORT:
            return False
        many = self.waits >= (MANY if whole else MANY // 2) or (
            self.timed and self.waits >= FEW and self.total >= _LONG
        )
        enough = self.share >= (_SHARE if self.timed else _SHARE_OF_LINES) and self.total >= _OF_ALL * observed
        return many and enough and not self._idles_by_design

    @property
    def _idles_by_design(self) -> bool:
        """Whether its holders wait for work: a server whose processes take turns to accept."""
        return self.holds > 0 and 2 * self.idle_holds >= self.holds

    @property
    def is_held_in_turn(self) -> bool:
        """Whether those that wait also release: a thread that waits for a condition does not wake its own word."""
        return 4 * sum(waiter.releases for waiter in self.waiters.values()) >= self.waits

    @property
    def usual(self) -> Inside | None:
        """The calls that take most of the time in which the lock is held; None if less than half of the holds have one.

        A lock is held without a call where the program computes.
        """
        kinds = [kind for kind in self.inside.values() if 2 * kind.turns >= self.holds]
        return max(kinds, key=lambda kind: (kind.total, kind.turns), default=None)


def _takes(action: Action) -> bool:
    """Whether a call reads what another program has to send first."""
    descriptor = action.descriptor
    return action.call.name in _TAKES and descriptor is not None and descriptor.file.kind in _NOT_PLAIN


def waited(call: Syscall, *, timed: bool) -> float:
    """Return how long a call waited, in seconds or, where the trace has no times, in lines of other threads."""
    return duration_of(call) or 0.0 if timed else max(0, call.end_line - call.line - 1)


def subject_of(call: Begun | Syscall) -> str:
    """Return the first argument as printed: an address or a descriptor."""
    return call.body.partition(",")[0]
