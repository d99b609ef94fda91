"""Repairs what editors, browsers and terminals do to a trace, one step at a time.

A line that parses as it is never gets here: see `slowpath`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracediag.reading.frame import Frame, read_frame
from tracediag.reading.prefix import Bare, Prefix, read_prefix
from tracediag.reading.result import read_result
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.patterns import lazy_pattern

Found = tuple[str, Prefix, Frame]
"""The cleaned text, its prefix and its frame."""

LONGEST = 1 << 16
"""Longer lines are not searched."""

_COLOUR = lazy_pattern(r"\x1b\[[0-9;]*+[a-zA-Z]|\x1b\(B|[\u200b\u200e\u200f\ufeff]")
_REFERENCE = lazy_pattern(r"&(?:#[0-9]{1,7}(?![0-9]);?|#[xX][0-9a-fA-F]{1,6}(?![0-9a-fA-F]);?|[^\t\n\f <&#;]{1,32};?)")
"""An HTML reference, as `html.unescape` accepts it, but with a number of bounded length."""
_ENTITY = lazy_pattern(r"&(?:lt|gt|quot|amp|apos|nbsp|#[0-9]{1,5}|#x[0-9a-fA-F]{1,4});")
_TAG = lazy_pattern(r"</?(?:br|span|code|pre|p|div|b|i|em|strong|font|tt|td|tr|a)(?: [^<>]*+)?/?>", re.IGNORECASE)
_MARKDOWN = lazy_pattern(r"\\([_()\[\]|*`<>#])")
BLANKS_AND_MARKS = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02", '"')
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " ")
    | dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff\u00ad", "")
    | {"\u2026": "...", "\u2192": "->", "\u21d2": "=>"}
)
"""What editors and word processors put in place of the quotes, dashes, blanks and arrows that strace prints."""
_MARGIN = lazy_pattern(r"(?>[ \t>|:*`•·➜»!]|//|#|[-=]{1,12}+>|[-+](?![-+\d]))*+")
_LAST_MARK = lazy_pattern(r"(?P<name>[a-z_]\w*+)\((?P<body>.*)\)[^\s()\"=]{0,64}?[ \t]*(?P<tail>= .*)$")
_HEADLESS = lazy_pattern(r"(?:p?id +|id +)(?=\d++\] )")
_PID = lazy_pattern(r"\[pid ++\d++(?:<[^<>]*+>)?\] ")
_STRONG = frozenset(("call", "begun", "rest"))


def is_strong(frame: Frame | None) -> bool:
    """Return whether a line is certainly strace's: a complete call, a marked half, a signal, an exit, a message."""
    return frame is not None and (frame.kind in _STRONG or frame.kind == "record")


def is_known(frame: Frame) -> bool:
    """Return whether the frame's call, if any, is a Linux system call."""
    return not frame.name or is_known_name(frame.name)


def is_known_name(name: str) -> bool:
    """Return whether strace has that name for a Linux system call, of any architecture or version."""
    return name in SYSCALLS or name.startswith(("SYS_", "syscall_", "?")) or name.endswith("_subcall")


def scrub(line: str) -> str:
    """Remove colours, HTML, typographic quotes and unusual blanks."""
    if "\x1b" in line or "\u200b" in line or "\ufeff" in line:
        line = _COLOUR.sub("", line)
    if "&" in line and _ENTITY.search(line) is not None:
        line = unescaped(unescaped(line)) if "&amp;" in line else unescaped(line)
    if "<" in line:
        line = _TAG.sub("", line)
    return line.translate(BLANKS_AND_MARKS).replace("\t", " ").rstrip(" \\")


def unescaped(line: str) -> str:
    """Replace the HTML entities of a line, once."""
    import html  # noqa: PLC0415  # its table of names is long, and seldom needed

    return _REFERENCE.sub(lambda found: html.unescape(found[0]), line)


def repair(line: str, bare: Bare) -> Found | None:
    """Read a damaged line as the original; None if no certain reading exists."""
    if len(line) > LONGEST:
        return None
    for text in _candidates(line):
        prefix = read_prefix(text, bare)
        frame = read_frame(text[prefix.end :])
        if frame is not None and is_strong(frame) and is_known(frame):
            return text, prefix, frame
    return _by_last_mark(margin_off(scrub(line)), bare)


def repair_weak(line: str, bare: Bare) -> Found | None:
    """Read an indented or quoted line that breaks off inside a call; None if the name is not a system call's."""
    if len(line) > LONGEST:
        return None
    text = margin_off(scrub(line))
    prefix = read_prefix(text, bare)
    frame = read_frame(text[prefix.end :])
    if frame is None or not frame.name or not is_known(frame):
        return None
    return text, prefix, frame


def margin_off(text: str) -> str:
    """Remove indentation, marks of quotations and comments, and arrows that point at the line."""
    margin = _MARGIN.match(text)
    return text if margin is None else text[margin.end() :]


def _candidates(line: str) -> Iterator[str]:
    clean = scrub(line)
    if clean != line:
        yield clean
    text = margin_off(clean)
    if text != clean:
        yield text
    if "\\" in text and _MARKDOWN.search(text) is not None:
        yield _MARKDOWN.sub(r"\1", text)
    if (found := _HEADLESS.match(text)) is not None:
        yield "[pid " + text[found.end() :]
    if (pid := _PID.search(text, 1)) is not None:
        yield text[pid.start() :]


def _by_last_mark(text: str, bare: Bare) -> Found | None:
    """Read a call with a truncated string, or with output between `)` and `=`: the last mark is the real one."""
    prefix = read_prefix(text, bare)
    match = _LAST_MARK.match(text, prefix.end)
    if match is None or match["name"] not in SYSCALLS or read_result(match["tail"]) is None:
        return None
    return text, prefix, Frame(kind="call", name=match["name"], body=match["body"], tail=match["tail"])
