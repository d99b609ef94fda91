"""What is said of a lock that threads wait for again and again."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.results.findings import Confidence, Severity, Step, step
from tracediag.rules.waiting._contention import MANY, Lock
from tracediag.trace.quantities import plural, seconds

_WHY_MUTEX = (
    "a thread that finds a mutex locked sleeps in FUTEX_WAIT until the holder unlocks it with FUTEX_WAKE, so that more"
    " CPUs do not help; strace delays each call that is made under the lock: futex(2), pthread_mutex_lock(3)"
)
_WHY_FILE = (
    "a lock of flock or F_SETLKW admits one holder; every other process sleeps in the call until it is released:"
    " flock(2), fcntl_locking(2)"
)


class Subject(msgspec.Struct, frozen=True):
    """The lock by its name, and the process that it belongs to."""

    name: str
    process: str
    """"" for a lock that processes share."""
    mutex: bool
    threads: bool = False
    """Whether threads wait, of which the trace does not show the process."""


class Parts(msgspec.Struct, frozen=True):
    """The parts of a finding."""

    steps: tuple[Step, ...]
    object: str
    title: str
    severity: Severity
    confidence: Confidence
    why: str
    fix: str


def parts_of(lock: Lock, subject: Subject, *, filtered: bool, whole: bool) -> Parts:
    """Return what to say of a lock.

    Args:
        lock: the lock.
        subject: how to name it.
        filtered: whether the recording would not show that its holders wait for work.
        whole: whether it shows the start of the program.
    """
    unsure = not lock.timed or (lock.waits < MANY and not whole) or (filtered and lock.usual is None)
    minor = len(lock.regulars) == 1 or not lock.timed or (unsure and not subject.mutex)
    return Parts(
        steps=tuple(_story(lock, subject)),
        object=subject.name,
        title=_title(lock, subject),
        severity=Severity.NOTE if minor else Severity.WARNING,
        confidence=Confidence.POSSIBLE if unsure else Confidence.LIKELY,
        why=_WHY_MUTEX if subject.mutex else _WHY_FILE,
        fix=_fix(lock, subject),
    )


def _title(lock: Lock, subject: Subject) -> str:
    waiters = len(lock.waiters)
    noun = _noun(subject)
    who = f"1 {noun}" if waiters == 1 else f"{waiters:,} {noun}{'es' if noun == 'process' else 's'}"
    of = f" of {subject.process}" if subject.process else ""
    wait = "waits" if waiters == 1 else "wait"
    return f"{who}{of} {wait} for {_the_lock(subject)} {_amount(lock)}"


def _noun(subject: Subject) -> str:
    """Return what waits: threads, or processes."""
    return "thread" if subject.process or subject.threads else "process"


def _the_lock(subject: Subject) -> str:
    return subject.name if subject.mutex else f"the lock on {subject.name}"


def _amount(lock: Lock) -> str:
    """Say how often and how long."""
    if not lock.timed:
        return f"{plural(lock.waits, 'time')}, and other threads run meanwhile"
    share = f"{lock.share:.0%}".replace("%", " %")
    return (
        f"{plural(lock.waits, 'time')}, together {seconds(lock.total)} in {seconds(lock.span)}: {share} of their time"
    )


def _story(lock: Lock, subject: Subject) -> Iterator[Step]:
    longest, usual = lock.longest, lock.usual
    if longest is None:
        return
    if lock.first is not None and lock.first is not longest:
        yield step(lock.first, "the first wait")
    took = f", {seconds(lock.took)}" if lock.timed else ""
    yield step(longest, f"the longest wait{took}", primary=True)
    if lock.ender is not None:
        holder = f"{_noun(subject)} {lock.ender.pid}"
        yield step(lock.ender, f"{holder} held the lock: its release ends that wait{_turns(lock, subject)}")
    if usual is not None:
        total = f", together {seconds(usual.total)}" if usual.total else ""
        yield step(usual.longest, f"made with the lock held, as in {usual.turns:,} of {lock.holds:,} turns{total}")


def _turns(lock: Lock, subject: Subject) -> str:
    """Say which thread releases the lock most of the time."""
    total = sum(lock.releasers.values())
    most = lock.releasers.most_common(1)
    if not most or not total / 2 < most[0][1] < total:
        return ""
    return f" ({most[0][1]:,} of {total:,} releases are by {_noun(subject)} {most[0][0]})"


def _fix(lock: Lock, subject: Subject) -> str:
    inside = "" if lock.usual is None else f"move {lock.usual.longest.name} out of the locked part; "
    if not subject.mutex:
        parts = "lock only the bytes that are written (F_SETLKW with l_start and l_len)"
        return f"{inside}hold the lock on {subject.name} for less, {parts}, or give each process a file of its own"
    where = "strace -f -k -e trace=futex, or gdb -p PID -batch -ex 'thread apply all bt', shows where it is taken"
    return (
        f"{inside}hold the lock for less, or split what it protects, with a lock for each part; {where};"
        " perf lock contention measures without strace"
    )
