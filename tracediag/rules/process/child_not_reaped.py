"""TD510: exited children that their parent never waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tracediag.evidence.cases import Cases
from tracediag.evidence.scope import Fact
from tracediag.evidence.steps import no
from tracediag.evidence.waiters import unfollowed
from tracediag.kernel import Action
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end, on_signal
from tracediag.trace.calls import CHILD_WAITS, FORKS, SIGNAL_ACTIONS
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import count
from tracediag.trace.records import Exit, Signal

_DEAD = lazy_pattern(r"\bsi_code=CLD_(?:EXITED|KILLED|DUMPED)\b.*?\bsi_pid=([0-9]{1,10}+)")

_SECONDS, _LINES = 0.1, 15
"""How long a parent must run on before its exited child counts as forgotten."""
_MANY = 2


_Zombie = tuple[Process, int, Exit | Signal]
"""A child, its pid, and the event of its exit."""


class _Death(NamedTuple):
    """The end of a child, as its parent was told."""

    signal: Signal
    thread: Thread
    waits: int
    """How often that thread had waited by then."""


class ChildNotReaped(Rule):
    """A child has exited, and its running parent never waits for it."""

    code = "TD510"
    name = "child-not-reaped"
    severity = Severity.WARNING
    summary = "a child has exited and its running parent never waits for it: a zombie"
    rests_on = CHILD_WAITS
    needs = (Fact.PIDS,)
    raised_by = (FORKS,)

    def __init__(self) -> None:
        self._deaths: Cases[Process, dict[int, _Death]] = Cases()
        """For each process, the SIGCHLD of each child by pid."""

    @on_signal("SIGCHLD")
    def died(self, action: Action) -> None:
        """Remember which child has exited."""
        event, process = action.event, action.process
        assert isinstance(event, Signal)
        found = _DEAD.search(event.info)
        if found is not None and checked_integer(found[1]) in process.children:
            self._deaths.setdefault(process, {}).setdefault(
                checked_integer(found[1]), _Death(event, action.thread, action.thread.waits)
            )

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Count the zombies that a process leaves."""
        process, end = last.process, last.exit or last.kernel.last_event
        if not process.children or _reaps_itself(process) or unfollowed(process) or self.scope.failures_only:
            return
        deaths = self._deaths.get(process, {})
        zombies = sorted(_zombies(process, deaths), key=lambda zombie: zombie[2].line)
        if process.signals.get("SIGCHLD") is None and not self.scope.records(SIGNAL_ACTIONS):
            # A parent that ignores SIGCHLD gets none, and the kernel reaps its children: wait(2).
            zombies = [zombie for zombie in zombies if zombie[1] in deaths]
        if not zombies or end is None:
            return
        child, _, death = zombies[0]
        forked = [other for other in process.children.values() if other.started and other.started.line > death.line]
        if not forked and not _lives_on(death, end):
            return
        cut = last.exit is None and not forked  # it may wait in the next line
        yield self._finding(process, zombies, end, last.line, child, cut=cut)

    def _finding(  # the parts of the story
        self, process: Process, zombies: list[_Zombie], end: Event, line: int, child: Process, *, cut: bool
    ) -> Finding:
        _, pid, death = zombies[0]
        steps: list[Step] = []
        if isinstance(child.started, Syscall | Begun):
            steps.append(step(child.started, f"child {pid} is created"))
        steps.append(step(death, f"child {pid} has exited and is a zombie", primary=True))
        if len(zombies) > 1:
            steps.append(step(zombies[-1][2], f"child {zombies[-1][1]} is the last of {count(len(zombies))} zombies"))
        if isinstance(end, Exit) and end is process.exit:
            steps.append(step(end, "the parent exits; its zombies pass to init"))
        return self.finding(
            steps,
            object=f"child {pid}" if len(zombies) == 1 else f"{count(len(zombies))} children",
            title=f"child {pid} has exited and is never waited for"
            if len(zombies) == 1
            else f"{count(len(zombies))} children have exited and are never waited for",
            severity=Severity.WARNING if len(zombies) >= _MANY and not cut else Severity.NOTE,
            confidence=_confidence(process),
            absent=[no(f"wait for child {pid}", death, line)],
            why="a zombie keeps its pid until its parent waits for it, and pending SIGCHLDs do not queue: one may"
            " stand for several children: wait(2), signal(7)",
            fix=_fix(process),
        )


def _confidence(process: Process) -> Confidence:
    """Say how sure it is: a running parent may wait later; SIGCHLD may have been ignored before the trace began."""
    signals = process.signals
    known = signals.from_exec or signals.get("SIGCHLD") is not None
    return Confidence.CERTAIN if known and process.exit is not None else Confidence.LIKELY


def _reaps_itself(process: Process) -> bool:
    """Whether the kernel reaps the children of this process itself: SIG_IGN, SA_NOCLDWAIT."""
    arranged = process.signals.set_by.get("SIGCHLD")
    ignored = process.signals.get("SIGCHLD") is Disposition.IGNORED
    return ignored or (arranged is not None and arranged.has("SA_NOCLDWAIT"))


def _zombies(process: Process, deaths: dict[int, _Death]) -> Iterator[_Zombie]:
    for pid, child in process.children.items():
        told = deaths.get(pid)
        death = child.exit or (None if told is None else told.signal)
        if death is not None and not (told is not None and _ends_with(process, told)):
            yield child, pid, death


def _ends_with(process: Process, told: _Death) -> bool:
    """Whether a child was killed by the last acts of its parent, which never came back to a loop: the shutdown."""
    killed = "CLD_KILLED" in told.signal.info
    return killed and process.exit is not None and process.exit.status == 0 and told.thread.waits == told.waits


def _lives_on(death: Event, end: Event) -> bool:
    if death.time is not None and end.time is not None:
        return end.time - death.time >= _SECONDS
    return end.line - death.line >= _LINES


def _fix(process: Process) -> str:
    if process.signals.get("SIGCHLD") is Disposition.HANDLED:
        return "loop in the SIGCHLD handler: while (waitpid(-1, NULL, WNOHANG) > 0) continue;"
    return (
        "wait for each child (waitpid(-1, NULL, WNOHANG) in the main loop), or ignore SIGCHLD if the status is not"
        " needed: signal(SIGCHLD, SIG_IGN)"
    )
