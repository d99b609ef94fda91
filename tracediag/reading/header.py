"""The header expression, and the parser of the rest of a call, built for the prefix of this recording.

The first matches the heads of all lines in a large piece of text, the second parses the rest of the calls that are
wanted. Lines that neither matches go to `slowpath`; a test checks that both ways agree.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from tracediag.reading.dialect import Shape

# [0-9] and not \\d: to test for all of Unicode's digits takes a third more time.
_PID = {"file": r"([0-9]{1,10}+)(?:<[^<>\n]*+>)? ++", "bracket": r"(?:\[pid ++([0-9]{1,10}+)(?:<[^<>\n]*+>)?\] )?"}
_TIME = {
    "epoch": r"([0-9]{10}+(?:\.[0-9]++)?) ",
    "clock": r"([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]++)?) ",
    "relative": r" *+([0-9]{1,8}+(?:\.[0-9]++)?) ",
    "none": "()",
}
_EXTRAS = (
    r"\[(?!pid )[A-Za-z_][^\]\[ \n]*+\] ",
    r"\(\+ *+[0-9.]++\) ",
    r"\[ *+[0-9]{1,7}+\] ",
    r"\[[ 0-9a-f?]{8,17}\] ",
)
_CALL = r"(<\.\.\. )?([a-z_][a-z_0-9]*+)(?:\(| resumed>)(.*)\n"

_TAIL = (
    r"(-?[0-9]{1,24}+|0x[0-9a-f]{1,16}+|\?)"
    r"(?:(?:(?<=-1)|(?<=\?)) (E[A-Z0-9_]++) \(([^()]*+)\)|<((?>[^<>\"\\-]++|->?+|<[^<>\"\\]++>)*+)>"
    r"| \((?!INJ|DEL|errno |E[A-Z0-9_]++\))([^()\[]++)\))?"
    r"(?: <([0-9]{1,20}+(?:\.[0-9]{1,64}+)?)>)?"
)
TAIL = re.compile(f"{_TAIL}$")
"""The text of a complete call after `= `: result, errno, its text, annotation, detail, duration. Matches the common
forms."""
END = re.compile(rf"(.*)\) ++= ({_TAIL})$")
"""The text after the head of a complete call or second half: arguments, the text after `= `, and the parts of that. The
last `) = ` is assumed to be the real one."""


def prefix_expression(shape: Shape) -> str:
    """Return the expression of a prefix; it has two groups, the pid and the time stamp."""
    style, kind, context, since, number, pointer = shape
    parts = [_PID[style if style in _PID else "bracket"]]
    if context:
        parts.append(_EXTRAS[0])
    parts.append(_TIME[kind])
    parts += [extra for extra, there in zip(_EXTRAS[1:], (since, number, pointer), strict=True) if there]
    return "".join(parts)


def no_stranger(strangers: Collection[str]) -> str:
    """Return the expression before a name that excludes these: their lines are read one by one."""
    return rf"(?!(?:{'|'.join(sorted(strangers))})\()" if strangers else ""


def header_expression(shape: Shape, strangers: Collection[str] = ()) -> re.Pattern[str]:
    """Return the expression of one line of any kind, including its end; lines that begin with a stranger do not match.

    Its groups, for a call: pid, time stamp, mark of a second half, name, and the text after the head; for
    any other line, the last: the line.
    """
    return re.compile(f"{prefix_expression(shape)}{no_stranger(strangers)}{_CALL}|(.*)\n")
