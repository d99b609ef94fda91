"""TD601: processes that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.blocking import WITHIN, Chain, blocked_by, name_of
from tracediag.evidence.names import process_name
from tracediag.evidence.wait_graph import Moment, Wait, circles
from tracediag.evidence.waits import Waited, is_lock
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.waiting._moments import WaitRule, has_lasted
from tracediag.trace.calls import CHILD_WAITS, CLOSES, FILE_READS, FILE_WRITES, LOCKS, RECEIVES, SENDS
from tracediag.trace.quantities import listed

_IN = FILE_READS | RECEIVES
_OUT = FILE_WRITES | SENDS
_NAMED = 4
"""Processes that a title names, and that have a step."""

_FIX = "read the output before waiting for the child; close the unused ends of pipes in every process"
_FIXES = {
    "unaccepted": "accept the connection before reading from it, or let another thread or process serve it",
    "read": "close the write end in the reader before it reads; write first",
}
"""What to do where a process waits for itself, by the kind of its wait."""


class WaitsInACircle(WaitRule):
    """Each of some processes stands in a call that only another of them can end."""

    code = "TD601"
    name = "waits-in-a-circle"
    severity = Severity.ERROR
    summary = "processes wait for each other: over pipes and connections, for children, for file locks"
    raised_by = (_IN | _OUT | CHILD_WAITS | LOCKS,)
    rests_on = CLOSES

    def judged(self, moment: Moment, *, ended: bool) -> Iterator[tuple[object, Finding]]:
        """Yield the circles of several processes; a text that only ends there shows calls that are just under way."""
        known = moment.deadlocked()
        for circle in circles(known):
            timed = [wait.call for wait in circle if ended and wait.call.time is not None]
            lasts = all(has_lasted(call, moment.kernel, ended=True) for call in timed)
            if len(circle) > 1 and lasts:
                yield frozenset(wait.process.pid for wait in circle), self._finding(circle)
        if ended and moment.kernel.known is not None:
            yield from self._shown(moment)

    def _shown(self, moment: Moment) -> Iterator[tuple[object, Finding]]:
        """Yield the circles that a snapshot of /proc shows; those of locks alone are another rule's."""
        for thread in list(moment.kernel.process_table.threads.values()):
            call = moment.stood_in(thread)
            chain = None if call is None else blocked_by(moment.kernel, thread.tid, call.name)
            if call is None or chain is None or not chain.circle or all(link.kind in WITHIN for link in chain.links):
                continue
            if has_lasted(call, moment.kernel, ended=True):
                yield frozenset(link.tid for link in chain.round), self._of_chain(call, chain, thread.process)

    def _of_chain(self, call: Waited, chain: Chain, process: Process) -> Finding:
        alone, last = len(chain.round) == 1, chain.links[-1]
        named = dict.fromkeys(name_of(chain.moment, link.tid) for link in chain.round)
        names = listed(list(named)[:_NAMED])
        name = process_name(process)
        return self.finding(
            [step(call, f"{name} waits for {chain.links[0].waits}", primary=True)],
            object=name,
            title=f"{name} waits for itself: {last.waits}"
            if alone
            else f"{names} wait for each other: {name_of(chain.moment, last.tid)} waits for {last.waits}",
            confidence=Confidence.LIKELY,
            why="each of these calls returns only when another process of the circle acts, or the process itself, which"
            " stands in the call: pipe(7), wait(2)",
            fix=_FIXES.get(last.kind if alone else "", _FIX) if alone else _cure({link.kind for link in chain.round}),
        )

    def _finding(self, circle: list[Wait]) -> Finding:
        ordered = sorted(circle, key=lambda wait: wait.call.line)
        names = [process_name(wait.process) for wait in ordered[:_NAMED]]
        more = [f"{len(circle) - _NAMED} more"] if len(circle) > _NAMED else []
        return self.finding(
            [step(wait.call, _note(wait), primary=wait is ordered[-1]) for wait in ordered[-_NAMED:]],
            object=names[0],
            title=f"{listed(names + more)} wait for each other: {_sort(circle)}",
            confidence=Confidence.LIKELY,
            why=f"each call returns only when another process of the circle acts: {_why(circle)}",
            fix=_fix(circle),
            explains=[("file-lock-wait", wait.call.line) for wait in circle if is_lock(wait.call)],
        )


def _cure(kinds: set[str]) -> str:
    """Return what to do about a circle that a snapshot shows, by the kinds of its waits."""
    if "write" in kinds:
        return (
            "read the output before waiting for the child, and while writing: poll both directions, use a thread"
            " (in Python, subprocess.communicate), or write to a file"
        )
    if kinds <= {"read", "poll"}:
        return (
            "one side has to write first: compare the protocol that each side speaks, and flush a request before"
            " waiting for its answer"
        )
    return _FIX


def _note(wait: Wait) -> str:
    ender = "another process" if wait.ender is None else process_name(wait.ender)
    return f"{process_name(wait.process)} waits until {ender} {wait.deed}"


def _kinds(circle: list[Wait]) -> tuple[bool, bool, bool, int]:
    """Return whether processes of the circle wait for room, for data, for a child, and how many for a lock."""
    calls = [wait.call for wait in circle]
    return (
        any(call.name in _OUT for call in calls),
        any(call.name in _IN for call in calls),
        any(call.name in CHILD_WAITS for call in calls),
        sum(map(is_lock, calls)),
    )


def _sort(circle: list[Wait]) -> str:
    full, empty, child, lock = _kinds(circle)
    if full:
        what = next(wait for wait in circle if wait.call.name in _OUT)
        is_pipe = what.file is not None and what.file.pipe is not None
        return "a pipe is full and not read" if is_pipe else "a send buffer is full and not read"
    if lock > 1:
        return "file locks are taken in opposite order"
    if lock:
        return "one keeps a file lock that its child waits for" if child else "one keeps a file lock, and reads"
    if child and empty:
        return "one waits for its child, which waits for data or the end of it"
    return "each reads, and none writes"


def _why(circle: list[Wait]) -> str:
    full, _, child, lock = _kinds(circle)
    if full:
        return "a pipe holds 64 KiB, and write waits as long as it is full: pipe(7)"
    if lock:
        return "a lock of flock is kept until the last descriptor of the open file is closed: flock(2)"
    child_too = ", wait4 until the child ends" if child else ""
    return f"read waits for data or until the last write end is closed, in any process{child_too}: pipe(7)"


def _fix(circle: list[Wait]) -> str:
    full, _, child, lock = _kinds(circle)
    if full:
        first = "read the output before waiting for the child" if child else "read while writing"
        return f"{first}: poll both directions, use a thread (in Python, subprocess.communicate), or write to a file"
    if lock == 1:
        return "release the lock, or close the descriptor that keeps it, before waiting for the other process"
    if lock:
        return "take the locks in the same order in every process; or ask with LOCK_NB, and release the first on EAGAIN"
    return (
        "close the write end when everything is written, in every process that inherited it; flush a request before"
        " waiting for its answer (a filter that buffers its output needs stdbuf -oL or its own option)"
    )
