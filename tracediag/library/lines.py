"""Questions about one place of a trace that need both the rules and an overview."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tracediag.engine import Engine
from tracediag.kernel import Kernel
from tracediag.overviews.explaining.call import Explainer
from tracediag.overviews.sources import known_of
from tracediag.reading import AnySource, Reader
from tracediag.reading.several import parts_of
from tracediag.results.explanation import Explanation, Use
from tracediag.results.findings import Finding, Step
from tracediag.rules import Rule, all_rules
from tracediag.snapshot import Snapshot


def explain_line(
    trace: AnySource,
    line: int,
    progress: Callable[[int], None] | None = None,
    rules: Iterable[type[Rule]] | None = None,
    known: Snapshot | None = None,
) -> Explanation:
    """Explain the call at a line of a trace, with the findings that have it as a step; one pass over the trace.

    Of a file that holds several traces, the one with that line is read. `rules` are those to apply: by default, ours.
    `known` is what /proc showed of the processes: by default the snapshot beside the trace, if there is one.

    Raises:
        UnreadableError: if the trace cannot be read.
        NoCallError: if the line is no call, or the trace has fewer lines.
    """
    name = None
    part = next((part for part in parts_of(trace) if part.first <= line <= part.last), None)
    if part is not None:
        name, trace = str(trace), part.lines
    before = 0 if part is None else part.first - 1
    known = known or known_of(trace)
    reader = Reader(trace, progress=progress, before=before)
    engine = Engine(
        all_rules() if rules is None else rules,
        lines=lambda: before + reader.counts.lines,
        known=known,
    )
    explainer, uses = Explainer(line, Kernel(known=known)), _Uses(line)
    for event in reader:
        for finding in engine.feed((event,)):
            uses.add(finding, explainer.call)
        explainer.take(event)
    for finding in engine.finish():
        uses.add(finding, explainer.call)
    lines = before + reader.counts.lines
    return explainer.explanation(name or reader.name, lines, uses.found, reader.damage)


class _Uses:
    """Collects the findings that have a line as a step."""

    def __init__(self, line: int) -> None:
        self.found: list[Use] = []
        self._line = line

    def add(self, finding: Finding, call: str | None) -> None:
        for number, step in enumerate(finding.steps, start=1):
            if self._is(step, call):
                self.found.append(_use(finding, number, step))
                return

    def _is(self, step: Step, call: str | None) -> bool:
        """Whether a step is the line, or stands for several like calls of which the line is one."""
        if step.repeats < 2 or step.last_line is None:
            return step.line == self._line
        return step.line <= self._line <= step.last_line and step.text.startswith(f"{call or ''}(")


def _use(finding: Finding, number: int, step: Step) -> Use:
    return Use(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        title=finding.title,
        line=finding.primary.line,
        step=number,
        note=step.note,
    )
