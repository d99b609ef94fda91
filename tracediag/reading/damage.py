"""Repairs what editors, browsers and terminals do to a trace, one step at a time.

A line that parses as it is never gets here: see `slowpath`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from tracediag.reading.frame import Frame, read_frame
from tracediag.reading.prefix import Bare, Prefix, read_prefix
from tracediag.reading.result import read_result
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.numbers import checked_integer

Found = tuple[str, Prefix, Frame]
"""The cleaned text, its prefix and its frame."""

LONGEST = 1 << 16
"""Longer lines are not searched."""
TOKENS = 14

_COLOUR = re.compile(r"\x1b\[[0-9;]*+[a-zA-Z]|\x1b\(B|[\u200b\u200e\u200f\ufeff]")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}(?![0-9]);?|#[xX][0-9a-fA-F]{1,6}(?![0-9a-fA-F]);?|[^\t\n\f <&#;]{1,32};?)")
"""An HTML reference, as `html.unescape` accepts it, but with a number of bounded length."""
_ENTITY = re.compile(r"&(?:lt|gt|quot|amp|apos|nbsp|#[0-9]{1,5}|#x[0-9a-fA-F]{1,4});")
_TAG = re.compile(r"</?(?:br|span|code|pre|p|div|b|i|em|strong|font|tt|td|tr|a)(?: [^<>]*+)?/?>", re.IGNORECASE)
_QUOTED_PRINTABLE = re.compile(r"=(?:3D|20|A0|22|09|3E|3C)")
_MARKDOWN = re.compile(r"\\([_()\[\]|*`<>#])")
_QUOTES = str.maketrans(
    {
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'",
        "\u00a0": " ", "\t": " ", "\u3000": " ",
    }
)  # fmt: skip
_MARGIN = re.compile(r"(?>[ \t>|:*`•·]|//|#|[-+](?![-+\d]))*+")
_TOKEN = re.compile(r"\S++\s*+")
_GREP = re.compile(r"[^\s:()\"]{1,200}+:\d++[:-]")
_WORD = re.compile(r"[a-z]{2,}[,.]?\s*$")
_LAST_MARK = re.compile(r"(?P<name>[a-z_]\w*+)\((?P<body>.*)\)[^\s()\"=]{0,64}?[ \t]*(?P<tail>= .*)$")
_HEADLESS = re.compile(r"(?:p?id +|id +)(?=\d++\] )")
_PID = re.compile(r"\[pid ++\d++(?:<[^<>]*+>)?\] ")
_STRONG = frozenset(("call", "begun", "rest"))


def is_strong(frame: Frame | None) -> bool:
    """Return whether a line is certainly strace's: a complete call, a marked half, a signal, an exit, a message."""
    return frame is not None and (frame.kind in _STRONG or frame.kind == "record")


def is_known(frame: Frame) -> bool:
    """Return whether the frame's call, if any, is a Linux system call."""
    name = frame.name
    return not name or name in SYSCALLS or name.startswith(("SYS_", "syscall_", "?")) or name.endswith("_subcall")


def scrub(line: str) -> str:
    """Remove colours, HTML, typographic quotes and unusual blanks."""
    if "\x1b" in line or "\u200b" in line or "\ufeff" in line:
        line = _COLOUR.sub("", line)
    if "&" in line and _ENTITY.search(line) is not None:
        line = _unescaped(_unescaped(line)) if "&amp;" in line else _unescaped(line)
    if "<" in line:
        line = _TAG.sub("", line)
    return line.translate(_QUOTES).rstrip(" \\")


def _unescaped(line: str) -> str:
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
    """Remove indentation and quotation or comment marks."""
    margin = _MARGIN.match(text)
    return text if margin is None else text[margin.end() :]


def _candidates(line: str) -> Iterator[str]:
    clean = scrub(line)
    if clean != line:
        yield clean
    text = margin_off(clean)
    if text != clean:
        yield text
    if _QUOTED_PRINTABLE.search(text) is not None:
        text = _QUOTED_PRINTABLE.sub(lambda found: chr(checked_integer(found[0][1:], 16)), text).replace("\xa0", " ")
        yield text
    if "\\" in text and _MARKDOWN.search(text) is not None:
        yield _MARKDOWN.sub(r"\1", text)
    if (found := _HEADLESS.match(text)) is not None:
        yield "[pid " + text[found.end() :]
    if (found := _GREP.match(text)) is not None:
        yield text[found.end() :]
    if (pid := _PID.search(text, 1)) is not None:
        yield text[pid.start() :]
    yield from _later_starts(text)


def _later_starts(text: str) -> Iterator[str]:
    """Yield the line from each of its first words on: log prefixes, nicknames or line numbers may come first."""
    at = 0
    for _ in range(TOKENS):
        token = _TOKEN.match(text, at)
        if token is None:
            return
        word = token[0]
        if '"' in word or "(" in word or _WORD.match(word) is not None:
            return
        at = token.end()
        yield text[at:]


def _by_last_mark(text: str, bare: Bare) -> Found | None:
    """Read a call with a truncated string, or with output between `)` and `=`: the last mark is the real one."""
    prefix = read_prefix(text, bare)
    match = _LAST_MARK.match(text, prefix.end)
    if match is None or match["name"] not in SYSCALLS or read_result(match["tail"]) is None:
        return None
    return text, prefix, Frame(kind="call", name=match["name"], body=match["body"], tail=match["tail"])
