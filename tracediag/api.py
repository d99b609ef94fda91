"""Shortcuts over `open_trace`: `analyze` returns the report, `diagnose` yields findings, `read` events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tracediag.analysis import Analysis
from tracediag.library.trace import open_trace
from tracediag.ownrules import OwnRules
from tracediag.reading import AnySource
from tracediag.results.findings import Finding
from tracediag.results.report import Report
from tracediag.snapshot import Snapshot
from tracediag.trace.events import Event

__all__ = ["Analysis", "analyze", "diagnose", "open_trace", "read"]


def analyze(
    source: AnySource,
    *,
    select: str | Iterable[str] = (),
    ignore: str | Iterable[str] = (),
    rules: OwnRules = (),
    progress: Callable[[int], None] | None = None,
    strict: bool = False,
    known: Snapshot | None = None,
) -> Report:
    """Read a trace and return the faults of the program, ranked.

    Takes what `open_trace` does.

    Raises:
        UnreadableError: if the source cannot be read or is no strace output; with `strict`, if it is damaged.
        NotUnderstoodError: with `strict`, at the first line that is not understood.
        UnknownRuleError: if a rule is named that does not exist.
        RulesFolderError: if a folder of `rules` cannot be read.
        TypeError: if the source has no lines of text, or a rule is named by anything else than text.
    """
    trace = open_trace(source, select=select, ignore=ignore, rules=rules, progress=progress, strict=strict, known=known)
    return trace.report


def diagnose(
    source: AnySource,
    *,
    select: str | Iterable[str] = (),
    ignore: str | Iterable[str] = (),
    rules: OwnRules = (),
    progress: Callable[[int], None] | None = None,
    strict: bool = False,
) -> Iterator[Finding]:
    """Yield findings while the trace is read, one for each kind of fault, in the order in which they are found.

    Takes and raises what `analyze` does.
    """
    return open_trace(source, select=select, ignore=ignore, rules=rules, progress=progress, strict=strict).diagnose()


def read(source: AnySource, *, strict: bool = False, progress: Callable[[int], None] | None = None) -> Iterator[Event]:
    """Yield the events of a trace, the halves of each call joined.

    Raises:
        UnreadableError: if the source cannot be read or is no strace output; with `strict`, if it is damaged.
        NotUnderstoodError: with `strict`, at the first line that is not understood.
    """
    return open_trace(source, strict=strict, progress=progress).events()
