"""The margins that stand before the records of a trace, found from the shapes that its first lines share.

A shape is a margin with its words and numbers left open: `Nov 23 10:00:00 host app[12]: ` has that of every line of
that log, whatever the host is named. Each line with a record votes for the shape of what stands before the record.
A shape with few votes is that of a stray line, and is no margin.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from tracediag.reading.frame import read_frame
from tracediag.reading.margins.numbers import are_lines
from tracediag.reading.margins.starts import Head, head_of, is_start
from tracediag.reading.margins.undoing import Joining, Undoing
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

Shape = tuple[str, ...]
"""The tokens of a margin; "w" is a word, " " a blank space, "f" a column of a table with tabs."""

SHARE = 0.05
"""A shape with a smaller share of the votes is no margin."""
MOST = 8
"""At most this many shapes of one trace."""

_OPEN = r"[^\s:|\[\](){}<>\"'=,;│┃║`*]"
_TOKEN = lazy_pattern(rf"(?P<blank>[ \t]++)|(?P<word>{_OPEN}++)|(?P<mark>.)")
_CLOCK = lazy_pattern(r"(?<![0-9:.])[0-9][0-9]:[0-9][0-9]:[0-9][0-9](?:[.,][0-9]++)? +$")
_FIRST_CLOCK = lazy_pattern(r"[0-9][0-9]:[0-9][0-9]:[0-9][0-9](?:[.,][0-9]++)?(?: ++|$)")
_CLOCK_AND_PID = (
    r"(?P<clock>[0-9][0-9]:[0-9][0-9]:[0-9][0-9](?:[.,][0-9]++)?) ++"
    r"(?P<pid>\[pid ++[0-9]++(?:<[^<>]*+>)?\] |[0-9]{1,8}+(?:<[^<>]*+>)? ++)"
)
_PID = lazy_pattern(r"[ \t]*+(?P<pid>[0-9]{1,8}+)(?::[ \t]++|:(?=[a-z]))")
"""A pid as truss prints it: `1234: close(3)`."""
_PART = lazy_pattern(r"(?:stdout|stderr) [FP] $")
_NUMBER = lazy_pattern(r"[ \t]*+(?P<pid>[0-9]{1,8}+) ++")


class LeftMargin(Joining):
    """Removes the margin from each line that has one of its shapes; what strace wrote stays, in strace's order."""

    def __init__(self, expressions: Iterable[str], *, parts: bool, clocks: bool) -> None:
        """Take the expressions; `parts`: a P at the end marks a part; `clocks`: times of the logger may be left."""
        self._matches = [re.compile(expression).match for expression in _alternatives(expressions)]
        self._marks = parts
        self._clocks = clocks
        super().__init__(self._parts_of)

    def _parts_of(self, line: str) -> tuple[tuple[str, bool]]:
        found = next((found for match in self._matches if (found := match(line)) is not None), None)
        if found is None or (is_start(line) and not found.re.groupindex and not found[0].strip().isdigit()):
            return ((self._without_clock(line), False),)
        text = line[found.end() :]
        fields = found.groupdict()
        if fields.get("clock"):
            text = f"{fields['pid']}{fields['clock']} {text}"
        elif fields.get("truss"):
            text = f"{fields['truss']} {text}"
        else:
            text = self._without_clock(text)
        return ((text, self._marks and found[0].endswith(" P ")),)

    def _without_clock(self, text: str) -> str:
        """Remove the time before a text that is no record: strace prints times before records only."""
        if not self._clocks or (clock := _FIRST_CLOCK.match(text)) is None or is_start(text):
            return text
        return text[clock.end() :]


def _alternatives(expressions: Iterable[str]) -> list[str]:
    """Return the expressions as alternatives of one, or each alone if several have a group of the same name."""
    known = list(expressions)
    return known if sum("(?P<" in expression for expression in known) > 1 else ["|".join(known)]


def find_left_margin(lines: list[str]) -> Undoing | None:
    """Find what stands before the records of these lines."""
    heads = [(at, head) for at, line in enumerate(lines) if line and (head := head_of(line)) is not None]
    heads = _without_numbers(heads)
    voters = [head for _, head in heads if head.strong] or [head for _, head in heads if _is_cut(head)]
    margins: defaultdict[Shape, list[Head]] = defaultdict(list)
    for head in voters:
        margins[_shape(head.margin)].append(head)
    found = {shape: of for shape, of in margins.items() if shape and _is_shared(shape, of, len(voters))}
    if not found:
        return None
    best = sorted(found, key=lambda shape: len(found[shape]), reverse=True)[:MOST]
    best.sort(key=len, reverse=True)
    parts = any(_PART.search(head.margin) is not None for shape in best for head in found[shape])
    clocks = any(head.timed or _CLOCK.search(head.margin) for shape in best for head in found[shape])
    return LeftMargin([_expression(shape, found[shape]) for shape in best], parts=parts, clocks=clocks)


def _is_shared(shape: Shape, heads: list[Head], of: int) -> bool:
    votes = len(heads)
    if set(shape) <= {"w", " "} and not any(map(str.isdigit, "".join(head.margin for head in heads))):
        return 2 * votes > of  # words of prose
    return votes >= SHARE * of and (votes > 1 or of < 2 * 3)


def _is_cut(head: Head) -> bool:
    """Return whether a line breaks off inside the arguments; a name with `(` alone may be prose or a program."""
    frame = read_frame(head.line[head.start :])
    return frame is not None and frame.kind == "open" and bool(frame.body) and ")" not in frame.body


def _without_numbers(heads: list[tuple[int, Head]]) -> list[tuple[int, Head]]:
    """Count the numbers of lines to the margin, not to strace's own prefix."""
    numbered = [(at, checked_integer(head.pid), head.line[head.start :]) for at, head in heads if head.pid]
    indented = all(head.line.startswith("  ") for _, head in heads)
    if 2 * len(numbered) < len(heads) or not are_lines(numbered, indented=indented):
        return heads
    changed = []
    for at, head in heads:
        number = _NUMBER.match(head.line, head.own) if head.pid else None
        moved = head if number is None else head._replace(own=number.end(), pid="")
        changed.append((at, moved))
    return changed


def _shape(margin: str) -> Shape:
    *columns, last = margin.split("\t")
    shape = []
    for column in columns:
        shape += ["n" if column.strip().isdigit() else "f", "\t"]
    for token in _TOKEN.finditer(last):
        word = token["word"]
        if token["blank"]:
            shape.append(" ")
        elif word and any(map(str.isalnum, word)):
            shape.append("w")
        else:
            shape.append(token[0])
    if shape[-1:] == ["w"]:  # directly before the record: where it ends is seen only from its own letters
        shape[-1] = re.sub("[0-9]+", "0", last[-len(last.split()[-1]) :] if last.split() else last)
    return tuple(shape)


def _expression(shape: Shape, heads: list[Head]) -> str:
    """Return the expression of a shape."""
    margins = [head.margin for head in heads]
    if _has_clock_before_pid(heads):
        clock = min(margin.rindex(":") - 5 for margin in margins)
        inner = _shape(margins[0][:clock])
        return _joined(inner, [margin[: margin.rindex(":") - 5] for margin in margins]) + _CLOCK_AND_PID
    if all(_PID.fullmatch(margin) for margin in margins) and len({m.strip() for m in margins}) < len(margins):
        return r"[ \t]*+(?P<truss>[0-9]{1,8}+):[ \t]*+"
    return _joined(shape, margins)


def _joined(shape: Shape, margins: list[str]) -> str:
    if set(shape) == {" "}:
        return f"[ \\t]{{{min(map(len, margins))}}}"
    parts = []
    for at, token in enumerate(shape):
        if token == " ":
            parts.append("[ \\t]*+" if at == 0 else "[ \\t]++")
        elif token == "w":
            parts.append(f"{_OPEN}++")
        elif token in ("f", "n"):
            parts.append(r"[^\t\n]*+" if token == "f" else "[ ]*+[0-9]++")
        elif len(token) > 1 or token.isalnum():
            parts.append(re.escape(token).replace("0", "[0-9]++"))
        else:
            parts.append(re.escape(token))
    if shape[-1:] == (" ",):
        parts[-1] = f"[ \\t]{{{min(len(margin) - len(margin.rstrip()) for margin in margins)}}}"
    return "".join(parts)


def _has_clock_before_pid(heads: list[Head]) -> bool:
    """Return whether the margin ends with the time of a record whose pid stands after it."""
    return all(_CLOCK.search(head.margin) is not None and not head.timed for head in heads) and any(
        head.own < head.start for head in heads
    )
