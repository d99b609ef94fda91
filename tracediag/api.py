"""The library's door: `analyze` for a whole report, `diagnose` for a stream of findings, `read` for the events."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator

from tracediag.engine import Engine
from tracediag.findings import Finding, Input, Report, Sample
from tracediag.kernel import Kernel
from tracediag.ranking import Ranking
from tracediag.reading import Reader, read
from tracediag.reading.dialect import Dialect
from tracediag.rules import Rule, all_rules, find_rule

__all__ = ["analyze", "diagnose", "read"]

ADVICE = "strace -f -ttt -T -yy -s 128 -o run.strace COMMAND"
"""The recording that leaves nothing open, as far as strace goes."""

Source = str | os.PathLike[str] | Iterable[str]
"""The path of a trace, "-" for standard input, or its lines."""


def analyze(
    source: Source,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
    strict: bool = False,
) -> Report:
    """Read a trace and say what is wrong with the program, the most important first.

    Args:
        source: a path (plain or compressed), "-" for standard input, or an iterable of lines.
        select: names or codes of the only rules to apply; all where empty.
        ignore: names or codes of rules to leave out.
        progress: called with the number of bytes read so far (of a compressed file: compressed bytes).
        strict: whether a line that is not understood is an error.

    Raises:
        UnreadableError: if the source cannot be read or is no strace output.
        KeyError: if a rule is named that does not exist.
    """
    reader, engine = _prepare(source, select, ignore, progress, strict=strict)
    ranking = Ranking()
    for finding in engine.run(reader):
        ranking.add(finding)
    return _report(source, reader, engine, ranking)


def diagnose(
    source: Source,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
    strict: bool = False,
) -> Iterator[Finding]:
    """Yield findings while the trace is read, one for each kind of fault, in the order in which they show.

    Takes and raises what `analyze` does.
    """
    reader, engine = _prepare(source, select, ignore, progress, strict=strict)
    ranking = Ranking()
    return (finding for finding in engine.run(reader) if ranking.add(finding))


def _chosen(select: Collection[str], ignore: Collection[str]) -> list[type[Rule]]:
    left_out = {find_rule(name) for name in ignore}
    chosen = [find_rule(name) for name in select] or all_rules()
    return [rule for rule in chosen if rule not in left_out]


def _prepare(
    source: Source,
    select: Collection[str],
    ignore: Collection[str],
    progress: Callable[[int], None] | None,
    *,
    strict: bool,
) -> tuple[Reader, Engine]:
    engine = Engine(_chosen(select, ignore))
    return Reader(source, strict=strict, progress=progress, calls=engine.calls, begun=Kernel.begun()), engine


def _report(source: Source, reader: Reader, engine: Engine, ranking: Ranking) -> Report:
    counts = reader.counts
    blind = tuple(engine.blind(_shown(reader.dialect)))
    return Report(
        input=Input(
            path=os.fspath(source) if isinstance(source, str | os.PathLike) else "<lines>",
            lines=counts.lines,
            calls=counts.calls,
            signals=counts.signals,
            exits=counts.exits,
            not_understood=counts.not_understood,
            samples=tuple(Sample(line, text) for line, text in counts.samples),
        ),
        findings=ranking.ranked(),
        blind=blind,
        advice=ADVICE if blind else None,
    )


def _shown(dialect: Dialect) -> frozenset[str]:
    """Name what a recording holds, in the words that rules use for what they need."""
    held = {
        "times": dialect.time_kind != "none",
        "durations": dialect.has_durations,
        "pids": dialect.has_pids,
        "descriptors": dialect.has_fd_paths,
        "sockets": dialect.has_socket_details,
    }
    return frozenset(name for name, is_there in held.items() if is_there)
