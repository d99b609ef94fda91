"""TD602: every thread of a process waits for another one, without a timeout."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.blocking import LOCKS, WITHIN, Chain, Link, blocked_by, link_of
from tracediag.evidence.cases import Cases
from tracediag.evidence.names import process_name
from tracediag.evidence.reasons import stacks_of
from tracediag.evidence.waiters import STOPS, blocked_in, killing_lines, none_returns
from tracediag.evidence.waits import is_endless_futex, is_mutex, joined
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_exit, on_process_end
from tracediag.trace.calls import FORKS, FUTEXES
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.quantities import every
from tracediag.trace.records import Exit

_PROVEN = LOCKS | {"alone", "orphan"}
"""Kinds of waits of which the snapshot shows that no other process can end them."""
_OWNED = (
    "the word of a contended mutex names its owner: the memory of the process, read while it hung, shows which thread"
    " holds each lock: pthread_mutex_lock(3), futex(2)"
)
_ALONE = (
    "FUTEX_WAIT on a private futex returns when another thread of the process, or one of its signal handlers, wakes the"
    " address: futex(2)"
)
_WOKEN = (
    "a thread that waits for a word in memory is woken by another thread, or by a signal handler, and pthread_join"
    " returns when the thread ends: no thread of the process is left that could do either: futex(2), pthread_join(3)"
)
_ORPHAN = (
    "a word in shared memory is woken by a process that maps it, and a semaphore is not posted by the death of the"
    " process that took it: sem_overview(7), futex(2)"
)
_ROBUST = (
    "end {name}, and start it again; for a lock between processes use flock, which the kernel releases when a process"
    " ends, or a robust mutex (pthread_mutexattr_setrobust)"
)
_SHOWN = 4
"""Threads that have a step."""
_STACKS = "gdb -p PID -batch -ex 'thread apply all bt'"
_Calls = dict[int | None, Syscall | Begun]
"""The calls in which threads stand, by tid."""
_Stood = list[tuple[int | None, Syscall | Begun | None]]
"""The tid of each thread, with the call in which it stands; None for a thread in no call."""


class LockNeverReleased(Rule):
    """All threads of a process stand in FUTEX_WAIT without a timeout, so that none is left to wake another."""

    code = "TD602"
    name = "lock-never-released"
    severity = Severity.ERROR
    summary = "all threads of a process wait for each other without a timeout, until it is killed or the trace ends"
    raised_by = (FUTEXES,)

    def __init__(self) -> None:
        self._killed: Cases[Process, _Stood] = Cases(outlive=True)
        """For each process that a signal kills, where its threads stood."""
        self._threaded: Cases[Process, bool] = Cases()

    @on_call(*FORKS)
    def cloned(self, action: Action) -> None:
        """Note which processes make threads: strace need not follow these."""
        if action.call.has("CLONE_THREAD"):
            self._threaded[action.process] = True

    @on_exit
    def exited(self, action: Action) -> None:
        """Keep the call of a thread that is killed: at the end of its process only the last thread is left."""
        event = action.event
        if isinstance(event, Exit) and event.signal in STOPS:
            self._killed.setdefault(action.process, []).append((action.thread.tid, blocked_in(action.thread)))

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge where all threads stood when the process was killed, or stand when the trace ends."""
        process = end.process
        if end.exit is None:
            stood: _Stood = [(thread.tid, blocked_in(thread)) for thread in process.threads]
        else:
            stood = self._killed.pop(process, [])
        calls = {tid: call for tid, call in stood if call is not None}
        if (known := _known(end, calls)) is not None:
            yield self._named(end, known, calls)
            return
        if end.exit is None and not none_returns(end.kernel) and not _detached(process):
            return  # the recording may end at any moment
        if end.exit is None and self._may_be_woken(end):
            return
        tids = {tid for tid, _ in stood}
        waits = [
            call for _, call in stood if call is not None and (is_endless_futex(call) or (joined(call) or -1) in tids)
        ]
        alone = (process.execs > 0 or process.started is not None) and process not in self._threaded
        if len(waits) == len(stood) and (len(waits) > 1 or (waits and alone)):
            yield self._finding(end, waits)

    def _may_be_woken(self, end: ProcessEnd) -> bool:
        """Whether a process that may be a thread of this one, since its start is not shown, does not wait in futex."""
        if not self.scope.may_share(end.process):
            return False
        threads = (thread for other in end.kernel.processes if other.exit is None for thread in other.threads)
        calls = (blocked_in(thread) for thread in threads)
        return not all(call is not None and is_endless_futex(call) for call in calls)

    def _named(self, end: ProcessEnd, chain: Chain, calls: _Calls) -> Finding:
        """Return the finding where a snapshot of /proc shows the owners of the locks."""
        name = process_name(end.process)
        waits = [link for link in chain.links if link.tid in calls and link.kind in _PROVEN | WITHIN]
        last, kinds = waits[-1], {link.kind for link in waits}
        if chain.circle:
            threads = "thread waits for itself" if len(waits) == 1 else f"{len(waits)} threads wait for each other"
            title = f"deadlock in {name}: {threads}"
        elif last.kind in ("alone", "orphan"):
            title = f"{name} waits for {last.waits}"
        else:
            title = f"{name} waits for {last.waits}: no thread is left to release it"
        steps = (
            step(calls[link.tid], f"thread {link.tid} waits for {link.waits}", primary=link is last) for link in waits
        )
        return self.finding(
            sorted(steps, key=lambda one: one.line),
            object=name,
            title=title,
            confidence=Confidence.CERTAIN if _lasting(end, chain) and kinds <= LOCKS else Confidence.LIKELY,
            severity=Severity.WARNING if kinds & {"alone", "orphan", "threads"} else Severity.ERROR,
            why=_why(kinds),
            fix=_cure(end, last),
        )

    def _finding(self, end: ProcessEnd, waits: list[Syscall | Begun]) -> Finding:
        name = process_name(end.process)
        proven = len(waits) == 1 or any(map(is_mutex, waits))
        sure = proven and (end.exit is not None or none_returns(end.kernel))
        ending = "no thread is left to end the wait" if proven else "a deadlock, or they have no work"
        waiting = f"{every(len(waits))} threads of {name} wait" if len(waits) > 1 else f"{name}, with one thread, waits"
        return self.finding(
            _story(end, waits),
            object=name,
            title=f"{waiting} in futex without a timeout: {ending}",
            confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
            severity=Severity.ERROR if sure else Severity.WARNING,
            why="FUTEX_WAIT on a private futex returns when another thread of the process wakes the address, and"
            " every thread waits: locks taken in opposite order, a lock taken twice or in a signal handler, a condition"
            " never signalled: futex(2)",
            fix=f"{_stacks(end)} on the hung process shows the lock that each thread waits"
            " for; take locks in one order everywhere",
            explains=[("killed-from-outside", line) for line in killing_lines(end)],
        )


def _cure(end: ProcessEnd, last: Link) -> str:
    """Return what to do about a wait that cannot end."""
    if last.kind == "orphan":
        return _ROBUST.format(name=process_name(end.process))
    if last.kind == "alone":
        return (
            f"{stacks_of(end.kernel, end.process, last.tid)}; let another thread wake it, or wait with a timeout;"
            " in an event loop, await instead"
        )
    return (
        f"{_stacks(end)} shows where each of these threads took its locks;"
        " take locks in one order everywhere, and release them on every way out"
    )


def _why(kinds: set[str]) -> str:
    """Return what proves that a wait cannot end, by the kinds of the waits."""
    if "orphan" in kinds:
        return _ORPHAN
    return _ALONE if "alone" in kinds else _WOKEN if "threads" in kinds else _OWNED


def _stacks(end: ProcessEnd) -> str:
    """Return what to type for the stacks, with the pid where a snapshot of /proc shows that the process lives."""
    lives = end.exit is None and end.kernel.known is not None and end.process.pid is not None
    return _STACKS.replace("PID", str(end.process.pid)) if lives else _STACKS


def _known(end: ProcessEnd, calls: _Calls) -> Chain | None:
    """Return a chain of locks of the process that cannot end by itself, as a snapshot of /proc shows it.

    One whose owners stand in memory is preferred to one that rests on which threads are left.
    """
    found = None
    for tid, call in calls.items() if end.kernel.known is not None else ():
        chain = blocked_by(end.kernel, tid, call.name) if call.name in FUTEXES else None
        kinds = set() if chain is None else {link.kind for link in chain.links}
        if chain is None or not chain.hopeless or any(link.tid not in calls for link in chain.links):
            continue
        if kinds <= _PROVEN:
            return chain
        if chain.circle and kinds <= WITHIN and (found is None or "threads" not in kinds):
            found = chain
    return found


def _lasting(end: ProcessEnd, chain: Chain) -> bool:
    """Whether the snapshots before and after show the same."""
    known = end.kernel.known
    if known is None or known.before is None or known.after is None:
        return False
    return all(link_of(moment, link.tid) == link for moment in (known.before, known.after) for link in chain.links)


def _detached(process: Process) -> bool:
    """Whether strace left while all threads stood in a call."""
    calls = [thread.pending for thread in process.threads]
    return any(isinstance(call, Syscall) and call.cut for call in calls) and None not in calls


def _story(end: ProcessEnd, waits: list[Syscall | Begun]) -> Iterator[Step]:
    for number, call in enumerate(sorted(waits, key=lambda call: call.line)[-_SHOWN:]):
        thread = joined(call)
        note = (
            "a thread waits, and is not woken" if thread is None else f"a thread waits for the end of thread {thread}"
        )
        yield step(call, note, primary=number == 0)
    if end.exit is not None:
        yield step(end.exit, f"the process is killed by {end.exit.signal} in these waits")
