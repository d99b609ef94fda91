"""Parses one line without its prefix into a frame: a call, half a call, or another record.

Quotes come first: a string may hold `+++`, `<unfinished ...>` and `) = 3`; an annotation may hold `)` and ` = 3`.
So the end of the arguments is found by skipping complete strings, annotations and comments. An unterminated string
extends to the end of the line, which keeps every step linear.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from tracediag.reading.records import read_record
from tracediag.reading.result import ANNOTATION, read_result
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Record

Kind = Literal["call", "begun", "open", "resultless", "rest", "open rest", "record"]
"""call: complete; begun: `<unfinished ...>`; open: breaks off; resultless: ends at `)`; rest: a resumed half."""

_ARGUMENTS = (
    r"""(?>[^"'<)/]++|"(?>[^"\\]++|\\.)*+(?:"|$)|(?<=[\dDF)])"""
    + ANNOTATION
    + r"""|'(?:[^'\\]|\\[^']{1,3}|\\')'|/\*(?>[^*]++|\*(?!/))*+(?:\*/|$)|\)(?![ \t]*+=[ \t])|[<'/])*+"""
)
_END = lazy_pattern(_ARGUMENTS + r"\)[ \t]*+(?==[ \t])")
_BODY = lazy_pattern(_ARGUMENTS)
_NAME = lazy_pattern(r"(?P<name>[a-z_][a-z0-9_]*+|SYS_\d++|\?{3,4}+)\(")
_RESUMED = lazy_pattern(r"<\.\.\. (?:(?P<name>[\w?]++) )?resumed>[ ]?")
_CLOSED = lazy_pattern(
    r"""(?>[^"'<()/;]++|"(?>[^"\\]++|\\.)*+"(?:\.\.\.)?|\([^()"]*+\)|(?<=[\dDF)])"""
    + ANNOTATION
    + r"""|/\*(?>[^*]++|\*(?!/))*+\*/|[<'/])*+\)"""
)
"""Complete arguments and the closing parenthesis, with nothing after it."""
_SPACED = lazy_pattern(r"(?P<name>[a-z_][a-z0-9_]*+)[ ]{1,3}\(")
"""A call retyped with a blank before the parenthesis."""
_RETYPED = lazy_pattern(r"\)[ \t]{0,60}(?P<sign>=>?|->|→|⇒|:|return(?:s|ed)\b|)[ \t]{0,60}(?=-?[0-9]|[-?]|-?E[A-Z0-9])")
"""What people write for `) = ` when they retype a call."""
_MARK = lazy_pattern(
    r"(?:\^C)?[ ]*+<(?P<mark>unfinished|detached|pid changed to \d{1,10}+) \.\.\.(?: exit status \d++)?>$"
)
_INSIDE = "<unfinished ...>"
_GLUED = lazy_pattern(
    r"(?:\^C|[ ]?\[wait\(0x[0-9a-f]++\) = \d++\][^\"]*+"
    r"|(?:strace: )?Process \d+ (?:attached|detached|resumed|suspended)\b[^\"]*+|strace: [^\"]*+"
    r"|\[ Process PID=\d+ runs in \w+ bit mode\. \])$"
)


class Frame(msgspec.Struct):
    """One line, parsed. The text fields depend on the kind."""

    kind: Kind
    name: str = ""
    body: str = ""
    """The arguments, or the part of them on this line."""
    tail: str = ""
    mark: str = ""
    """"unfinished" or "detached", if strace printed it."""
    record: Record | None = None
    glued: Record | None = None
    """A message of strace that was printed into the middle of the call."""
    cut: bool = False
    """Whether the record breaks off because strace left (`<detached ...>`) or the text was cut."""


def read_frame(text: str) -> Frame | None:
    """Parse a line without its prefix; None if it is not a form of strace output."""
    if (start := _NAME.match(text)) is not None:
        return _call(start["name"], text[start.end() :])
    if (start := _RESUMED.match(text)) is not None:
        return _rest(start["name"] or "", text[start.end() :])
    if (start := _SPACED.match(text)) is not None and start["name"] in SYSCALLS:
        frame = _call(start["name"], text[start.end() :])
        return frame if frame is not None and frame.kind in {"call", "begun"} else None
    record = read_record(text)
    return None if record is None else Frame(kind="record", record=record)


def split_end(text: str) -> tuple[str, str] | None:
    """Split `ARGS) = RESULT` into the arguments and the rest from `=` on; None if there is no end."""
    match = _END.match(text)
    if match is None:
        return None
    tail = text[match.end() :]
    if read_result(tail) is None:
        return None
    return text[: text.rindex(")", 0, match.end())], tail


def _split_retyped(text: str) -> tuple[str, str] | None:
    """Split `ARGS)=RESULT`, `ARGS) -1 EBADF` and the like, and return the tail as strace would print it.

    The parentheses before it must match: `msg_iov(1)=` is a field.
    """
    last = next(iter(deque(_RETYPED.finditer(text), maxlen=1)), None)
    if last is None or _CLOSED.fullmatch(text[: last.start() + 1]) is None:
        return None
    tail = f"= {text[last.end() :]}"
    result = read_result(tail)
    if result is None or result.end < len(tail.rstrip(" ;.")) or not (last["sign"] or result.errno):
        return None
    return text[: last.start()], tail


def is_arguments(body: str) -> bool:
    """Return whether the text is arguments only, without `) = ` outside strings and annotations."""
    match = _BODY.fullmatch(body)
    return match is not None


def _call(name: str, text: str) -> Frame | None:
    ended = split_end(text) or (_split_retyped(text) if name in SYSCALLS else None)
    if ended is not None:
        body, tail = ended
        mark = ""
        if body.endswith(_INSIDE):  # killed inside: `<unfinished ...>) = ?`
            body, mark = body.removesuffix(_INSIDE).rstrip(), "unfinished"
        return Frame(kind="call", name=name, body=body, tail=tail, mark=mark)
    if (begun := split_mark(text)) is not None:
        return Frame(kind="begun", name=name, body=begun[0], mark=begun[1], cut=begun[1] == "detached")
    if _CLOSED.fullmatch(text) is not None:
        return Frame(kind="resultless", name=name, body=text[:-1])
    if text.endswith(";"):  # a line of C
        return None
    body, glued = unglue(text)
    return Frame(kind="open", name=name, body=body, glued=glued, cut=len(body) < len(text) or _in_string(body))


def _in_string(text: str) -> bool:
    """Whether a text ends within a string: strace prints each argument of a call under way completely."""
    return text.replace("\\\\", "").replace('\\"', "").count('"') % 2 == 1


def split_mark(text: str) -> tuple[str, str] | None:
    """Split `ARGS <unfinished ...>` into the arguments so far and the word of the mark; None without a mark."""
    end = _MARK.search(text)
    return None if end is None else (text[: end.start()], end["mark"])


def unglue(text: str) -> tuple[str, Record | None]:
    """Split a message of strace, or a terminal's `^C`, off the end of an incomplete text."""
    found = _GLUED.search(text)
    if found is None:
        return text, None
    message = text[found.start() :]
    return text[: found.start()].removesuffix("^C"), read_record(message)


def _rest(name: str, text: str) -> Frame:
    ended = split_end(text)
    if ended is not None:
        body, tail = ended
        mark = ""
        if body.strip() == _INSIDE:
            body, mark = "", "unfinished"
        return Frame(kind="rest", name=name, body=body, tail=tail, mark=mark)
    if (begun := split_mark(text)) is not None:
        return Frame(kind="begun", name=name, body=begun[0], mark="resumed", cut=begun[1] == "detached")
    body, glued = unglue(text)
    return Frame(kind="open rest", name=name, body=body, glued=glued)
