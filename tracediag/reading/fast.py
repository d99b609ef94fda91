"""The quick way through a trace: one regular expression a line, made for the prefix that this recording has.

It takes whole calls, second halves and marked first halves, as long as their arguments hold no `) ` that could be
an end, and their results have one of the common forms. The last `) = ` of a line is then the true one. A test holds
this way and the careful one equal.
"""

from __future__ import annotations

import re

from tracediag.reading.dialect import Shape

_PID = {"file": r"(\d++)(?:<[^<>]*+>)? ++", "bracket": r"(?:\[pid ++(\d++)(?:<[^<>]*+>)?\] )?+"}
_TIME = {
    "epoch": r"(\d{9,12}+(?:\.\d++)?) ",
    "clock": r"(\d\d:\d\d:\d\d(?:\.\d++)?) ",
    "relative": r" *+(\d{1,8}+(?:\.\d++)?) ",
    "none": "()",
}
_EXTRAS = (r"\[(?!pid )[A-Za-z_][^\]\[ ]*+\] ", r"\(\+ *+[\d.]++\) ", r"\[ *+\d{1,7}+\] ", r"\[[ 0-9a-f?]{8,17}\] ")
_TAIL = (
    r"\) ++(= (?:(-?\d{1,24}+)|(0x[0-9a-f]++)|\?)"
    r"(?: (E[A-Z0-9_]++) \(([^()]*+)\)|<((?:[^<>\"\\]++|<[^<>\"\\]++>)*+)>| \((?!INJ|DEL|errno )([^()\[]++)\))?+"
    r"(?: <(\d++(?:\.\d++)?)>)?+)$"
)


def prefix_expression(shape: Shape) -> str:
    """Return the expression of a prefix; it has two groups, the pid and the time stamp."""
    style, kind, context, since, number, pointer = shape
    parts = [_PID[style] if style in _PID else _PID["bracket"]]
    if context:
        parts.append(_EXTRAS[0])
    parts.append(_TIME[kind])
    parts += [extra for extra, there in zip(_EXTRAS[1:], (since, number, pointer), strict=True) if there]
    return "".join(parts)


def line_expression(shape: Shape) -> re.Pattern[str]:
    """Return the expression of a whole call or a second half."""
    return re.compile(
        prefix_expression(shape) + r"(?:([a-z_][a-z0-9_]*+)\(|<\.\.\. ([a-z_][a-z0-9_]*+) resumed>)(.*)" + _TAIL
    )


def begun_expression(shape: Shape) -> re.Pattern[str]:
    """Return the expression of a marked first half."""
    return re.compile(prefix_expression(shape) + r"([a-z_][a-z0-9_]*+)\((.*)<unfinished \.\.\.>$")


def success_expression(shape: Shape) -> re.Pattern[str]:
    """Return the expression of a call that succeeded: enough to pass it over when its name is not wanted."""
    return re.compile(prefix_expression(shape) + r"([a-z_][a-z0-9_]*+)\(.*\) ++= (?:0x)?+[\da-f]++[^\"]*+$")
