"""The process tree, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump
from tracediag.report.grid import cut
from tracediag.report.tree_details import command_of, details_of, paint_detail, program_lines
from tracediag.report.visible import visible
from tracediag.results.tree import Node, Thread, Tree
from tracediag.trace.quantities import plural, seconds

SCHEMA = "tracediag-tree/1"
"""The edition of the document."""

_LINES = {False: ("├─ ", "└─ ", "│  "), True: ("|- ", "`- ", "|  ")}
_DEEPEST = 40
"""Beyond this depth the tree is not indented further: a chain of forks can be thousands long."""
_SHORTEST = 16
"""Minimum characters of a command, however narrow the terminal."""

Part = tuple[str, str]


def document(tree: Tree) -> str:
    """Return the tree as one JSON document on one line: a flat list, each process with its parent's pid and index.

    Flat, because a chain of forks can be deeper than a decoder's limit.
    """
    processes: list[dict[str, Any]] = []
    for node, parent, _ in _walk(tree):
        built = {name: getattr(node, name) for name in node.__struct_fields__ if name != "children"}
        processes.append({"parent": None if parent is None else parent} | msgspec.to_builtins(built))
    found = {"schema": SCHEMA, "source": tree.source, "start": tree.start, "processes": processes}
    return dump(found)


def _walk(tree: Tree) -> Iterator[tuple[Node, int | None, tuple[bool, ...]]]:
    """Yield each process, the index of its parent, and for it and each ancestor whether it is the last child."""
    waiting: list[tuple[Node, int | None, tuple[bool, ...]]] = [(node, None, ()) for node in reversed(tree.roots)]
    place = -1
    while waiting:
        node, parent, lasts = waiting.pop()
        place += 1
        yield node, parent, lasts
        for number, child in enumerate(reversed(node.children)):
            waiting.append((child, place, (*lasts[-_DEEPEST:], number == 0)))


def picture(tree: Tree, look: Look, *, threads: bool = False, commands: bool = False) -> str:
    """Return the tree as lines of text; with `threads` each thread has its own line, with `commands` each program."""
    canvas = Canvas(look)
    places: dict[int, str | None] = {}
    for number, (node, parent, lasts) in enumerate(_walk(tree)):
        branch, below = _branches(lasts, look)
        canvas.line((branch, "faint"), *_process(node, tree.start, look, len(branch), commands=commands))
        bar = below + (_LINES[look.ascii_only][2] if node.children else "   ")
        places[number] = node.place
        outer = None if parent is None else places[parent]
        details = [*(program_lines(node) if commands else ()), *details_of(node, outer)]
        for label, text in details:
            paint_detail(canvas, (bar, "faint"), label, text, look.width)
        for thread in node.threads if threads else ():
            canvas.line((bar, "faint"), *_thread(thread, tree.start))
    return canvas.take()


def _branches(lasts: tuple[bool, ...], look: Look) -> tuple[str, str]:
    """Return the prefix of a process's line, and of the lines below it."""
    if not lasts:
        return "", ""
    fork, last, bar = _LINES[look.ascii_only]
    above = "".join("   " if is_last else bar for is_last in lasts[:-1])
    return above + (last if lasts[-1] else fork), above + ("   " if lasts[-1] else bar)


def _process(node: Node, start: float | None, look: Look, indent: int, *, commands: bool) -> list[Part]:
    number = "" if node.pid is None else f"{node.pid} "
    facts = _facts(node, start)
    if commands and node.programs:  # they follow, each on a line of its own
        return [(number.rstrip() or "the process", "place"), *facts]
    width = sum(len(text) for text, _ in facts)
    then = " -> " if look.ascii_only else " → "
    command = visible(_commands(node, then))
    room = None if look.width is None else max(look.width - indent - len(number) - width, _SHORTEST)
    if room is not None and len(command) > room:
        command = cut(visible(_commands(node, then, short=True)), room)
    return [(number, "place"), (command, "name"), *facts]


def _commands(node: Node, then: str, *, short: bool = False) -> str:
    """Return the command lines, in order, if a process executed several programs."""
    if not node.programs:
        return "(forked)" if node.born else "(was there before the trace)"
    return then.join(command_of(program, short=short) for program in node.programs)


def _facts(node: Node, start: float | None) -> list[Part]:
    """Return the facts shown after the command."""
    facts: list[Part] = []
    if node.threads:
        facts.append((f"  +{plural(len(node.threads), 'thread')}", "label"))
    facts += _when(node.started, node.ended, start)
    facts.append((f"  {plural(node.calls, 'call')}" if node.calls else "  not followed", "faint"))
    if node.running:
        facts.append(("  no end shown", "faint"))
    elif node.signal is not None:
        core = " (core dumped)" if node.core_dumped else ""
        facts.append((f"  killed by {node.signal}{core}{_by(node)}", "error"))
    elif node.status is not None:
        facts.append((f"  exit {node.status}", "error" if node.status else "remark"))
    else:
        facts.append(("  ended", "faint"))
    return facts


def _by(node: Node) -> str:
    killer = node.killer
    if killer is None:
        return ""
    sender = "itself" if killer.pid == node.pid else str(killer.pid)
    how = f" with {killer.call}" if killer.call else ""
    return f", sent by {sender}{how} at line {killer.line:,}"


def _when(started: float | None, ended: float | None, start: float | None) -> list[Part]:
    parts: list[Part] = []
    if started is not None and start is not None:
        parts.append((f"  at +{max(0.0, started - start):.6f}", "place"))
        if ended is not None:
            parts.append((f" for {seconds(ended - started)}", "plain"))
    return parts


def _thread(thread: Thread, start: float | None) -> list[Part]:
    number = "?" if thread.tid is None else str(thread.tid)
    times = _when(thread.started, thread.ended, start)
    return [("thread ", "faint"), (number, "place"), *times, (f"  {plural(thread.calls, 'call')}", "faint")]
