"""One analysis in progress: events and findings in one pass, then the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from tracediag.engine import Engine
from tracediag.evidence import nature
from tracediag.evidence import scope as evidence
from tracediag.evidence.last_words import shortened
from tracediag.evidence.scope import Fact
from tracediag.kernel import Kernel
from tracediag.overviews.happening.apart import standing_out
from tracediag.overviews.happening.endings import endings
from tracediag.overviews.happening.head import head_of
from tracediag.overviews.sources import known_of
from tracediag.ownrules import OwnRules, RuleSet, load_rules
from tracediag.reading import AnySource, Overhear, Reader
from tracediag.reading.accounting import Counts
from tracediag.reading.dialect import Dialect
from tracediag.reading.several import parts_of
from tracediag.results.clock import with_clock
from tracediag.results.findings import Finding
from tracediag.results.merging import merged
from tracediag.results.overview import Words
from tracediag.results.ranking import Ranking
from tracediag.results.report import Input, NotUnderstood, Part, Report, Sample, Scope
from tracediag.rules import Rule, find_rules
from tracediag.rules.cards import cards
from tracediag.snapshot import Snapshot
from tracediag.trace.events import Event

Programs = Callable[[int | None], str | None]
"""Returns the path of the program of a pid."""
ADVICE = "strace -f -ttt -T -yy -s 128 -o run.strace COMMAND"
"""The recording that leaves nothing unchecked, as far as strace can show it."""

_NEWEST_FIRST = "the newest line stands first: the lines were read in reverse, and the last one of the file is line 1"


class Analysis:
    """One analysis in progress. Read the trace once, by iteration or with `events`; then get the report.

        analysis = Analysis("run.strace")
        for finding in analysis: ...            # findings, one for each kind of fault, as they are found
        for event in analysis.events(): ...     # or every event; `analysis.found` grows meanwhile
        report = analysis.report()              # all findings, counted and ranked

    Findings that only the end of the trace can confirm come last.
    """

    def __init__(  # noqa: PLR0913  # the settings of `analyze`, all named
        self,
        source: AnySource,
        *,
        select: str | Iterable[str] = (),
        ignore: str | Iterable[str] = (),
        rules: OwnRules = (),
        progress: Callable[[int], None] | None = None,
        strict: bool = False,
        debug: bool = False,
        before: int = 0,
        known: Snapshot | None = None,
        adjust: Callable[[Finding, Programs], Finding | None] | None = None,
        overhear: Overhear | None = None,
    ) -> None:
        """Open the source.

        With `debug` an exception in a rule is raised; `before` is the number of lines of the file that stand before
        the source's own; `adjust` returns each finding as it is to be reported, or None, given a function that returns
        the program of a pid; `overhear` is handed the lines before they are read. The other arguments and errors are
        those of `tracediag.analyze`.
        """
        known = known or known_of(source)
        self._loaded = load_rules(rules)
        self._rules = _chosen(self._loaded, select, ignore)
        self._pasted = () if before else parts_of(source)
        self._parts = [
            Analysis(
                part.lines,
                select=select,
                ignore=ignore,
                rules=self._loaded,
                strict=strict,
                debug=debug,
                before=part.first - 1,
                adjust=adjust,
                overhear=overhear,
            )
            for part in self._pasted
        ]
        self._engine = Engine(
            self._rules,
            held=lambda: _held(self._reader.dialect),
            lines=lambda: before + self._reader.counts.lines,
            raising=debug,
            known=known,
        )
        self._reader = Reader(
            source,
            strict=strict,
            progress=progress,
            calls=self._engine.calls,
            begun=self._engine.begun,
            before=before,
            overhear=overhear,
        )
        self._engine.kernel.unfinished = self._reader.unfinished
        self._engine.kernel.enough = self._reader.want_less
        if self._parts:
            self._reader.close()  # the parts hold the lines
        self._adjust = adjust
        self._ranking = Ranking()
        self.found: list[Finding] = []
        """The first finding of each kind, as far as the trace has been read."""

    def __iter__(self) -> Iterator[Finding]:
        """Yield the first finding of each kind, while the trace is read."""
        if self._parts:
            return map(self._noted, chain.from_iterable(self._parts))
        return filter(self._is_new, self._adjusted(self._engine.run(self._reader)))

    def events(self) -> Iterator[Event]:
        """Yield every event of the trace; the findings that it confirms are in `found` before the event is yielded."""
        for part in self._parts:
            yield from part.events()
            self.found += part.found
        if self._parts:
            return
        self._reader.want_all()
        for event in self._reader:
            self._collect(self._engine.feed((event,)))
            yield event
        self._collect(self._engine.finish())

    def report(self) -> Report:
        """Return the report on the part read so far."""
        reader = self._reader
        if self._parts:
            parts = [Part(part.label, part.first, part.last) for part in self._pasted]
            return merged(reader.name, parts, [part.report() for part in self._parts])
        counts = reader.counts
        samples = tuple(Sample(line, text) for line, text in counts.samples)
        blind = tuple(self._engine.blind())
        broken = (*self._loaded.broken, *self._engine.broken)
        findings, engine = self._ranking.ranked(), self._engine
        head = head_of(engine.kernel, engine.scope, engine.fates, reader.dialect.time_kind, _heard(counts))
        named = {finding.name for finding in findings}
        named |= {each.rule for each in blind} | {each.rule for each in broken}
        return Report(
            input=Input(
                path=reader.name,
                lines=counts.lines,
                calls=counts.calls,
                signals=counts.signals,
                exits=counts.exits,
                unparsed=NotUnderstood(counts.not_understood, samples),
                damage=reader.damage or (_NEWEST_FIRST if reader.turned else None),
                doubt=counts.doubt,
            ),
            findings=findings,
            blind=blind,
            advice=ADVICE if engine.scope.is_table or (blind and engine.scope.lacks(Fact)) else None,
            scope=_scope(reader.dialect, engine.scope, engine.kernel),
            overview=head.overview,
            ending=head.ending,
            waiting=head.waiting,
            endings=endings(self._engine.kernel),
            apart=standing_out(engine.connections, findings),
            broken=broken,
            rules=cards(rule for rule in self._rules if rule.name in named),
        )

    def _noted(self, finding: Finding) -> Finding:
        self.found.append(finding)
        return finding

    def _collect(self, findings: Iterator[Finding]) -> None:
        for finding in self._adjusted(findings):
            self._is_new(finding)

    def _adjusted(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield the findings that are to be reported, adjusted, with the wall clock of their steps."""
        for finding in findings:
            wanted = finding if self._adjust is None else self._adjust(finding, self._program)
            if wanted is not None:
                yield with_clock(wanted, self._reader.dialect.time_kind)

    def _program(self, pid: int | None) -> str | None:
        """Return the program of a pid, as of the last line read."""
        kernel = self._engine.kernel
        thread = kernel.process_table.threads.get(pid)
        if thread is not None:
            return thread.process.program
        return next((process.program for process in reversed(kernel.processes) if process.pid == pid), None)

    def _is_new(self, finding: Finding) -> bool:
        """Add a finding; return whether it is the first of its kind."""
        if not self._ranking.add(finding):
            return False
        self.found.append(finding)
        return True


def _chosen(loaded: RuleSet, select: str | Iterable[str], ignore: str | Iterable[str]) -> list[type[Rule]]:
    every = loaded.rules
    left_out = set(find_rules(ignore, every))
    return [rule for rule in find_rules(select, every) or every if rule not in left_out]


def _heard(counts: Counts) -> Words | None:
    """Return what the program printed beside a table of `strace -c`."""
    if not counts.heard:
        return None
    return Words(text=shortened("\n".join(text for _, text in counts.heard)), line=counts.heard[-1][0], to="fd 2")


def _held(dialect: Dialect) -> frozenset[Fact]:
    """Return the facts that the form of the lines shows."""
    held = {
        Fact.TIMES: dialect.time_kind != "none",
        Fact.DURATIONS: dialect.has_durations,
        Fact.PIDS: dialect.has_pids,
        Fact.DESCRIPTORS: dialect.has_fd_paths,
        Fact.SOCKETS: dialect.has_socket_details,
        Fact.EVERY_CALL: dialect.has_every_call,
    }
    return frozenset(fact for fact, is_there in held.items() if is_there)


def _scope(dialect: Dialect, scope: evidence.Scope, kernel: Kernel) -> Scope:
    """Return the scope of the recording, as the report contains it."""
    return Scope(
        times=dialect.time_kind,
        durations=dialect.has_durations,
        pids=dialect.has_pids,
        descriptors=dialect.has_fd_paths,
        sockets=dialect.has_socket_details,
        excerpt=scope.is_excerpt,
        elided=scope.elided > 0,
        failures_only=scope.failures_only and kernel.failed,
        whole=nature.is_whole(scope, kernel),
        successes_only=scope.successes_only,
        hidden=nature.hidden(scope, kernel),
        attached_threads=nature.attached_threads(scope, kernel),
        children_followed=nature.children_followed(kernel),
        strings_cut=dialect.strings_cut,
        symbols=dialect.has_symbols,
    )
