"""The head of the report as text: what was recorded, how it ended, what it said last, where it stands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tracediag.report.scope import limits
from tracediag.report.visible import visible
from tracediag.results.overview import Apart, Fate, Overview, Waiting, Words
from tracediag.results.report import Report
from tracediag.trace.quantities import count, plural, seconds
from tracediag.trace.shell import joined

Row = tuple[str, str, str]
"""Label, text and style of the text; a row without a label continues the one above."""

_LONGEST = 120
"""Characters of a command."""
_FRAMES = 12
"""Frames of a stack that are shown."""
_UTC = "Z"


def rows(report: Report) -> Iterator[Row]:
    """Yield the rows of the head; none for a report on something that shows no process."""
    overview = report.overview
    if overview.counts is not None:
        yield "counts", visible(overview.counts), "plain"
    if overview.processes:
        yield "traced", visible(_traced(overview)), "name"
        if report.input.lines and (limited := limits(report.scope)):
            yield "recording", limited, "plain"
    standing = {waiting.process for waiting in report.waiting}
    for fate in report.ending:
        yield from _ended(
            fate, shown=fate.process in standing or bool(report.scope.excerpt), alone=overview.processes < 2
        )
    if overview.further:
        yield "", f"{count(overview.further)} more ended badly: {_asked('tree', report)}", "plain"
    for waiting in report.waiting:
        yield "waiting", visible(_stands(waiting)), "plain"
        if waiting.reason:
            yield "", visible(waiting.reason), "plain"
        if waiting.stack:
            yield "", _stack(waiting.stack), "plain"
    if overview.further_waiting:
        yield "", f"{plural(overview.further_waiting, 'more thread')} in a call: {_asked('state', report)}", "plain"
    for apart in report.apart:
        yield "outlier", visible(_apart(apart)), "plain"
        yield (
            "",
            f"{count(apart.common_count)} of them: {', '.join(apart.common)}; see {_asked('lives', report)}",
            "plain",
        )


def _asked(command: str, report: Report) -> str:
    """Return a command that says more of the trace, to be copied; a recording that is not kept has no path."""
    path = report.input.path
    return f"tracediag {command} {'TRACE' if path == '-' or path.startswith('<') else visible(shlex.quote(path))}"


def _apart(apart: Apart) -> str:
    one = apart.odd_count == 1
    return (
        f"{count(apart.odd_count)} of {count(apart.count)} {apart.kind} {'ends' if one else 'end'} {apart.how}, "
        f"{'' if one else 'first '}at line {count(apart.first_line)}: {apart.example}"
    )


def _stack(frames: tuple[str, ...]) -> str:
    more = f" and {len(frames) - _FRAMES} more" if len(frames) > _FRAMES else ""
    if frames[0].startswith("goroutine "):
        return "\n".join(map(visible, frames[:_FRAMES])) + more
    return f"stack: {' < '.join(map(visible, frames[:_FRAMES]))}{more}"


def _traced(overview: Overview) -> str:
    command = joined(overview.command) or overview.program or "a program whose start is not shown"
    long = len(command) > _LONGEST
    command = f"{command[: _LONGEST - 1]}…" if long else f"{command} …" if overview.shortened else command
    parts = [command, *([f"pid {overview.pid}"] if overview.pid is not None else [])]
    if overview.processes > 1:
        parts.append(f"{count(overview.processes)} processes{' or threads' if overview.unborn > 1 else ''}")
    if overview.threads > overview.processes and overview.unborn <= 1:
        parts.append(plural(overview.threads, "thread"))
    if overview.span:
        start = "" if overview.start is None else f" from {_clock(overview.start)}"
        parts.append(f"{seconds(overview.span)}{start}")
    return ", ".join(parts)


def _clock(start: str) -> str:
    return f"{start.removesuffix(_UTC).replace('T', ' ')} UTC" if start.endswith(_UTC) else start


def _ended(fate: Fate, *, shown: bool, alone: bool) -> Iterator[Row]:
    """Yield the end of a process and its last words; not that it runs if that is `shown` anyway."""
    bad = fate.signal is not None or bool(fate.status)
    named = fate.line is not None or (fate.running and not shown)
    if named:
        meaning = f" ({fate.meaning})" if fate.meaning else ""
        place = "" if fate.line is None else f" at line {count(fate.line)}"
        yield (
            "ended" if fate.line is not None else "running",
            visible(f"{fate.process} {_manner(fate)}{meaning}{place}"),
            ("name" if bad else "plain"),
        )
    if fate.stood:
        yield "", visible(f"was in {fate.stood}"), "plain"
    if fate.words is not None:
        speaker = "" if named or alone else f"{visible(fate.process)}, "
        yield "" if named else "said", f"{speaker}{_said(fate.words)}", "plain"


def _manner(fate: Fate) -> str:
    if fate.running:
        return "is still running when the trace ends"
    if fate.signal is not None:
        sender = "" if fate.sender is None else f" from {fate.sender}"
        return f"was killed by {fate.signal}{sender}{' (core dumped)' if fate.core_dumped else ''}"
    return "exited" if fate.status is None else f"exited with status {fate.status}"


def _said(words: Words) -> str:
    return f"last words, {visible(_place(words.to))} at line {count(words.line)}: {words.text}"


def _place(to: str) -> str:
    return to if to.startswith("a reply") else f"on {to}" if to.startswith("fd ") else f"in {to}"


def _stands(waiting: Waiting) -> str:
    what = f"{waiting.call}({waiting.object})" if waiting.object else waiting.call
    others = f" and {plural(waiting.threads - 1, 'more thread')}" if waiting.threads > 1 else ""
    single = waiting.threads == 1 and waiting.pid is not None and str(waiting.pid) not in waiting.process
    thread = f", thread {waiting.pid}," if single else ""
    since = f" since line {count(waiting.line)}" if waiting.line else ""
    return f"{waiting.process}{thread}{others} in {what}{since}"
