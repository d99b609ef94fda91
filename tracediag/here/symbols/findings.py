"""Findings whose frames tell the line of source code."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import msgspec

from tracediag.here.symbols.lookup import Found, Lookup, Spot
from tracediag.here.symbols.tools import MISSING, REMEDY, find_tool
from tracediag.results.findings import Finding, Step
from tracediag.results.report import Report
from tracediag.results.stacks import own_frames

_MOST = 10_000
"""Frames that are looked up, in all."""
_MOST_MODULES = 64
"""Files that are asked, in all."""


class Symbols:
    """Finds the source files and lines of the program's own frames, as long as the bounds permit."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` is called with one sentence for each thing that is missing."""
        tool = find_tool()
        self._say = say
        self._lookup = None if tool is None else Lookup(tool, say)
        self._known: Found = {}
        self._asked: set[Spot] = set()
        self._modules: set[str] = set()
        self._stackless = False
        """Whether it was said that a trace has no stacks."""
        if tool is None:
            say(f"--symbols: {MISSING}; {REMEDY}")

    def report(self, report: Report) -> Report:
        """Return a report with the lines of source code of its findings' steps."""
        steps = [step for finding in report.findings for step in finding.steps]
        if steps and not self._stackless and not any(step.stack for step in steps):
            self._stackless = True
            self._say(
                f"--symbols: no step in {report.input.path} has a stack: record with strace -k, or tracediag run -k"
            )
        return msgspec.structs.replace(report, findings=self.findings(report.findings, report.input.path))

    def findings(self, findings: Sequence[Finding], path: str) -> tuple[Finding, ...]:
        """Return findings of a trace with the lines of source code of their steps."""
        self._look(findings, path)
        return tuple(self._sourced(finding) for finding in findings)

    def _look(self, findings: Sequence[Finding], path: str) -> None:
        """Look up what was not looked up before, all of one file at a time."""
        if self._lookup is None:
            return
        wanted: dict[str, list[Spot]] = defaultdict(list)
        recorded: dict[str, float | None] = {}
        for step in (step for finding in findings for step in finding.steps if step.stack):
            for spot in _spots(step):
                if spot in self._asked or len(self._asked) >= _MOST:
                    continue
                module = spot.frame.module
                if module not in self._modules and len(self._modules) >= _MOST_MODULES:
                    continue
                self._asked.add(spot)
                self._modules.add(module)
                wanted[module].append(spot)
                recorded.setdefault(module, _recorded(step, path))
        for module, spots in wanted.items():
            self._known.update(self._lookup.look(module, spots, recorded[module]))

    def _sourced(self, finding: Finding) -> Finding:
        steps = tuple(self._told(step) if step.stack else step for step in finding.steps)
        if steps == finding.steps:
            return finding
        return msgspec.structs.replace(finding, steps=steps)

    def _told(self, step: Step) -> Step:
        spots = [Spot(frame, exact=_is_exact(step, place)) for place, frame in enumerate(step.stack)]
        stack = tuple(chain.from_iterable(self._known.get(spot, (spot.frame,)) for spot in spots))
        return step if stack == step.stack else msgspec.structs.replace(step, stack=stack)


def _spots(step: Step) -> Iterator[Spot]:
    """Yield the program's own frames of a step whose source the trace does not tell."""
    own = set(own_frames(step.stack))
    for place, frame in enumerate(step.stack):
        if frame in own and frame.source is None:
            yield Spot(frame, exact=_is_exact(step, place))


def _is_exact(step: Step, place: int) -> bool:
    """Return whether a frame is where the thread was: the innermost one, where a signal met it."""
    return place == 0 and step.text.startswith("---")


def _recorded(step: Step, path: str) -> float | None:
    """Return when a step was recorded, in seconds since the epoch: by its own clock, else by the time of the trace."""
    if step.clock is not None and step.clock.endswith("Z"):
        return step.time
    with contextlib.suppress(OSError, ValueError):
        return os.stat(path).st_mtime  # noqa: PTH116
    return None
