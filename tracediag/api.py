"""The library's door: `analyze` gives a report, `diagnose` a stream of findings, `Analysis` both, `read` the events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from tracediag.engine import Engine
from tracediag.evidence import scope as evidence
from tracediag.evidence.scope import Fact
from tracediag.reading import AnySource, Reader, read
from tracediag.reading.dialect import Dialect
from tracediag.results.findings import Finding
from tracediag.results.ranking import Ranking
from tracediag.results.report import Input, NotUnderstood, Report, Sample, Scope
from tracediag.rules import Rule, all_rules, find_rule

__all__ = ["Analysis", "analyze", "diagnose", "read"]

ADVICE = "strace -f -ttt -T -yy -s 128 -o run.strace COMMAND"
"""The recording that leaves nothing open, as far as strace goes."""


class Analysis:
    """One analysis under way: iterate over it for the findings as they show, then ask for the report.

    The findings come one for each kind of fault, in the order in which the trace shows them; those that only the end of
    the trace can settle come last. `report` has all of them, counted, in order of rank.
    """

    def __init__(
        self,
        source: AnySource,
        *,
        select: Collection[str] = (),
        ignore: Collection[str] = (),
        progress: Callable[[int], None] | None = None,
        strict: bool = False,
        debug: bool = False,
    ) -> None:
        """Open the source.

        With `debug` an exception in a rule is passed on; the other arguments and errors are those of `analyze`.
        """
        self._engine = Engine(_chosen(select, ignore), held=lambda: _held(self._reader.dialect), raising=debug)
        self._reader = Reader(
            source, strict=strict, progress=progress, calls=self._engine.calls, begun=self._engine.begun
        )
        self._ranking = Ranking()

    def __iter__(self) -> Iterator[Finding]:
        """Yield the first finding of each kind, while the trace is read."""
        return (finding for finding in self._engine.run(self._reader) if self._ranking.add(finding))

    def report(self) -> Report:
        """Return the report on what has been read."""
        reader = self._reader
        counts = reader.counts
        samples = tuple(Sample(line, text) for line, text in counts.samples)
        blind = tuple(self._engine.blind())
        return Report(
            input=Input(
                path=reader.name,
                lines=counts.lines,
                calls=counts.calls,
                signals=counts.signals,
                exits=counts.exits,
                unparsed=NotUnderstood(counts.not_understood, samples),
            ),
            findings=self._ranking.ranked(),
            blind=blind,
            advice=ADVICE if blind else None,
            scope=_scope(reader.dialect, self._engine.scope),
            broken=tuple(self._engine.broken),
        )


def analyze(
    source: AnySource,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
    strict: bool = False,
) -> Report:
    """Read a trace and say what is wrong with the program, the most important first.

    Args:
        source: a path (plain or compressed), the prefix of the files of `strace -ff`, "-" for standard input, an
            iterable of lines, or a source of `tracediag.reading`.
        select: names or codes of the only rules to apply; all where empty.
        ignore: names or codes of rules to leave out.
        progress: called with the number of bytes read so far (of a compressed file: compressed bytes).
        strict: whether a line that is not understood is an error.

    Raises:
        UnreadableError: if the source cannot be read or is no strace output.
        NotUnderstoodError: with `strict`, at the first line that is not understood.
        KeyError: if a rule is named that does not exist.
    """
    analysis = Analysis(source, select=select, ignore=ignore, progress=progress, strict=strict)
    for _ in analysis:
        pass
    return analysis.report()


def diagnose(
    source: AnySource,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
    strict: bool = False,
) -> Iterator[Finding]:
    """Yield findings while the trace is read, one for each kind of fault, in the order in which they show.

    Takes and raises what `analyze` does.
    """
    return iter(Analysis(source, select=select, ignore=ignore, progress=progress, strict=strict))


def _chosen(select: Collection[str], ignore: Collection[str]) -> list[type[Rule]]:
    left_out = {find_rule(name) for name in ignore}
    chosen = [find_rule(name) for name in select] or all_rules()
    return [rule for rule in chosen if rule not in left_out]


def _held(dialect: Dialect) -> frozenset[Fact]:
    """Name what the form of the lines holds."""
    held = {
        Fact.TIMES: dialect.time_kind != "none",
        Fact.DURATIONS: dialect.has_durations,
        Fact.PIDS: dialect.has_pids,
        Fact.DESCRIPTORS: dialect.has_fd_paths,
        Fact.SOCKETS: dialect.has_socket_details,
    }
    return frozenset(fact for fact, is_there in held.items() if is_there)


def _scope(dialect: Dialect, scope: evidence.Scope) -> Scope:
    """Return what the recording is and shows, as the report gives it."""
    return Scope(
        times=dialect.time_kind,
        durations=dialect.has_durations,
        pids=dialect.has_pids,
        descriptors=dialect.has_fd_paths,
        sockets=dialect.has_socket_details,
        excerpt=scope.is_excerpt,
        elided=scope.elided > 0,
        failures_only=scope.failures_only,
    )
