"""What the rules about repetition share: which runs of like calls are open, what ends them, and which are reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Generic, TypeVar

from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import Bounds, Run, confidence
from tracediag.evidence.steps import last_line
from tracediag.kernel import Action, Kernel
from tracediag.results.findings import Confidence, Finding
from tracediag.rules.base import Rule, on_exit, on_trace_end
from tracediag.trace.events import Event

AnyRun = TypeVar("AnyRun", bound=Run)

_KEYS = 64
"""Runs of one owner."""


class LoopRule(Rule, Generic[AnyRun]):
    """A rule about like calls in a row.

    A run belongs to an *owner*, a thread, descriptor or description, and ends with it; where an owner has several, a
    *key* tells them apart. Both are objects of the model (or numbers), compared by identity and alive as long as the
    run. A subclass begins a run (`begin`), adds to it (`Run.add`), ends it on progress (`over`) or all of an owner's on
    a wait (`all_over`), and words the finding (`tell`). This class handles the end of a thread and of the trace.
    """

    bounds: ClassVar[Bounds]
    kept: ClassVar[int] = 4096
    """Owners whose runs are kept; the oldest makes room."""

    def __init__(self) -> None:
        self._runs: Cases[object, dict[object, AnyRun]] = Cases(self.kept, outlive=True)
        self._excerpt = 0
        """How many lines the excerpt has, once it is over: a few turns may stand for more there; 0 if it is none."""
        self._last_line = 0

    def tell(self, run: AnyRun, sure: Confidence) -> Finding | None:
        """Make the finding of a run that is over."""
        raise NotImplementedError

    def sure(self, run: AnyRun) -> Confidence | None:
        """Return how sure it is that a finished run is a fault; None where it is not worth a report."""
        return confidence(run, self.bounds, excerpt=self._excerpt)

    def titled(self, run: AnyRun, what: str, seen: str = "") -> str:
        """Return the title of a run: see `Bounds.title`."""
        return self.bounds.title(run.times, what, seen, elided=run.elided)

    def until(self, run: AnyRun) -> int:
        """Return the line up to which a run lasted, once it is over."""
        return self._last_line if run.ended is None else run.ended.line

    def run(self, owner: object, key: object = None) -> AnyRun | None:
        """Return the run of an owner, if there is one."""
        runs = self._runs.get(owner)
        return None if runs is None else runs.get(key)

    def runs_of(self, owner: object) -> Iterable[AnyRun]:
        """Return the runs of an owner."""
        return self._runs.get(owner, {}).values()

    def runs(self) -> Iterator[tuple[object, object, AnyRun]]:
        """Yield each run with its owner and key; runs may be ended meanwhile."""
        for owner, runs in list(self._runs.items()):
            for key, run in list(runs.items()):
                yield owner, key, run

    def begin(self, run: AnyRun, owner: object, key: object = None) -> AnyRun:
        """Keep a run, in place of an older one; of too many owners the oldest makes room."""
        runs = self._runs.get(owner)
        if runs is None:
            runs = self._runs[owner] = {}
        elif len(runs) >= _KEYS and key not in runs:
            del runs[next(iter(runs))]
        runs[key] = run
        return run

    def drop(self, owner: object, key: object = None) -> AnyRun | None:
        """Forget a run without a report, and return it."""
        runs = self._runs.get(owner)
        run = None if runs is None else runs.pop(key, None)
        if runs is not None and not runs:
            del self._runs[owner]
        return run

    def over(self, event: Event | None, owner: object, key: object = None) -> Sequence[Finding]:
        """End a run, and report it if it is worth it."""
        run = self.drop(owner, key)
        return () if run is None else self._findings((run,), event)

    def all_over(self, event: Event | None, owner: object) -> Sequence[Finding]:
        """End all runs of an owner."""
        return self._findings(self._runs.pop(owner, {}).values(), event)

    def _findings(self, runs: Iterable[AnyRun], event: Event | None) -> list[Finding]:
        found = []
        for run in runs:
            run.ended = event
            run.elided = event is None and self.scope.elided >= run.first.line
            sure = self.sure(run)
            finding = None if sure is None else self.tell(run, sure)
            if finding is not None:
                found.append(finding)
        return found

    @on_exit
    def exited(self, action: Action) -> Iterable[Finding]:
        """End the runs of a thread that has exited."""
        return self.all_over(action.event, action.thread)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """End all runs; in an excerpt a few turns may stand for more."""
        self._excerpt = self.scope.excerpt
        self._last_line = last_line(kernel)
        for owner in list(self._runs):
            yield from self.all_over(None, owner)
