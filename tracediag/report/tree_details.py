"""The lines below a process of the tree: its programs, working directories, inherited descriptors and environment."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from tracediag.report.canvas import Canvas
from tracediag.report.grid import cut
from tracediag.report.visible import visible
from tracediag.results.overview import Waiting
from tracediag.results.tree import Environment, Kept, Node, Program
from tracediag.trace.quantities import count
from tracediag.trace.shell import joined

_FEW = 4
"""Descriptors, variables and directories that are named; the JSON document has all."""
_LABEL = 8
_SHORTEST = 24
_VALUE = 48
"""Characters of a variable's value."""
_KEPT_BY_SHELLS = frozenset({"_", "PWD", "OLDPWD", "SHLVL"})
"""Variables that a shell changes for every program that it starts."""

Detail = tuple[str, str]
"""A label and its text."""


def command_of(program: Program, *, short: bool = False) -> str:
    """Return a command line as a shell would read it; a short one has no folder of the program."""
    words = program.command
    if short and words:
        words = (words[0].rpartition("/")[2] or words[0], *words[1:])
    return joined(words) + (" …" if program.shortened else "")


def program_lines(node: Node) -> Iterator[Detail]:
    """Yield each program with its line and all of its command."""
    for program in node.programs:
        yield "runs", command_of(program) + (f"  (line {count(program.line)})" if program.line else "")


def details_of(node: Node, outer: str | None) -> Iterator[Detail]:
    """Yield what is special about a process; `outer` is the working directory of its parent."""
    directories = _directories(node, outer)
    if directories:
        yield "in", directories
    new = list(_new(node))
    if new:
        yield "inherits", _listed([_descriptor(kept) for kept in new], sum(each.kept_more for each in node.programs))
    changes = [change for program in node.programs for change in _changes(program.environment)]
    if changes:
        yield "env", _listed(changes)
    for waiting in node.waiting:
        yield "waits", _wait(waiting)


def paint_detail(canvas: Canvas, margin: tuple[str, str], label: str, text: str, width: int | None) -> None:
    """Print one line; command lines are never cut."""
    shown = visible(text)
    room = None if width is None or label in ("runs", "waits") else max(width - len(margin[0]) - _LABEL - 1, _SHORTEST)
    canvas.line(margin, (f"{label:<{_LABEL}} ", "label"), (cut(shown, room), "name" if label == "runs" else "plain"))


def _wait(waiting: Waiting) -> str:
    """Return the call, what it acts on, and what would end it."""
    what = f" of {waiting.object}" if waiting.object else ""
    threads = f" ({waiting.threads:,} threads)" if waiting.threads > 1 else ""
    reason = f": {waiting.reason}" if waiting.reason else ""
    return f"{waiting.call}{what}, line {count(waiting.line)}{threads}{reason}"


def _directories(node: Node, outer: str | None) -> str:
    """Return its directory if it is another than the parent's, and where it moved later."""
    moves = [f"{move.path or 'a directory that is not shown'} (line {count(move.line)})" for move in node.later_moves]
    first = node.place
    if not moves:
        return first if first is not None and first != outer else ""
    then = f"then {_listed(moves, node.moves_more)}"
    return then if first is None else f"{first}, {then}"


def _new(node: Node) -> Iterator[Kept]:
    """Yield the descriptors that its programs inherit and the program before did not: each is named once on its way."""
    seen: set[tuple[int, int | None, str | None]] = set()
    for program in node.programs:
        for kept in program.kept:
            key = (kept.number, kept.line, kept.what)
            if not kept.passed_on and key not in seen:
                seen.add(key)
                yield kept


def _descriptor(kept: Kept) -> str:
    what = kept.what or kept.kind
    if kept.line is None:
        return f"fd {kept.number} = {what}"
    line = f"line {count(kept.line)})"
    return f"fd {kept.number} = {what[:-1]}, {line}" if what.endswith(")") else f"fd {kept.number} = {what} ({line}"


def _changes(environment: Environment | None) -> Iterator[str]:
    if environment is None:
        return
    for name, value in environment.added.items():
        if name not in _KEPT_BY_SHELLS:
            yield f"{name}={cut(shlex.quote(value) if value else '', _VALUE)}"
    for name in environment.removed:
        if name not in _KEPT_BY_SHELLS:
            yield f"no {name}"


def _listed(words: Sequence[str], more: int = 0) -> str:
    rest = len(words) - _FEW + more if len(words) > _FEW else more
    return ", ".join(words[:_FEW]) + (f" and {count(rest)} more" if rest else "")
