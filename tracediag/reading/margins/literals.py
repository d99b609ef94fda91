"""Lines that are string literals: of JSON, of C, of Python, of YAML; alone, in a list, or as a field of an object."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tracediag.reading.margins.starts import head_of, start_of
from tracediag.reading.margins.undoing import Joining
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

_LITERAL = lazy_pattern(
    r"(?P<key>[\"']?[\w.@-]{1,64}+[\"']?[ \t]{0,8}[:=][ \t]{0,8})?(?P<bytes>[bBuUL](?=[\"']))?"
    r"(?:\"(?P<double>(?>[^\"\\]++|\\.)*+)\"|'(?P<single>(?>[^'\\]++|\\.|'')*+)')"
)
_ALONE = lazy_pattern(
    r"[\s\[({]*+(?:- )?(?P<key>)(?P<bytes>[bBuUL](?=[\"']))?"
    r"(?:\"(?P<double>(?>[^\"\\]++|\\.)*+)\"|'(?P<single>(?>[^'\\]++|\\.|'')*+)')[\s,;\\\])}]*+$"
)
_ESCAPE = lazy_pattern(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))")
_YAML = lazy_pattern(r"(?:^\s*- |(?<![\w\"'])[\w.-]{1,64}: )'$")
"""Before a literal in which a backslash is one."""
_RAW = lazy_pattern(r"^[^\"\\]*+\"[^\"\\]*+\\[^\\'\"]")
"""A literal that shows the escapes of strace's own first string as they are: the shell's, not Python's."""
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "e": "\x1b"}
SHARE = 0.6
MOST = 64
"""In at most so many literals of one line a record is looked for."""


def unquoted(literal: re.Match[str]) -> str:
    """Return the text of a literal."""
    single = literal["single"]
    text = (literal["double"] or "") if single is None else single.replace("''", "'")
    if single is not None and (_is_yaml(literal) or _RAW.search(single)):
        return text
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _is_yaml(literal: re.Match[str]) -> bool:
    start = literal.start("single")
    return _YAML.search(literal.string, max(0, start - 80), start) is not None


def _character(escape: re.Match[str]) -> str:
    code, byte, octal, other = escape.groups()
    if other is not None:
        return _PLAIN.get(other, other)
    if code is not None or byte is not None:
        return chr(checked_integer(code or byte, 16))
    return chr(checked_integer(octal, 8) & 0xFF)


class Literals(Joining):
    """Replaces each line by the text of its literals under one key; lines without any stay."""

    def __init__(self, key: str | None, *, ended: bool) -> None:
        """Take the key before the literals, None for lines that are nothing else.

        `ended` says that a line feed ends each record, and a literal without one is a part.
        """
        self._key = key
        self._ended = ended
        super().__init__(self._parts_of)

    def _parts_of(self, line: str) -> Iterator[tuple[str, bool]]:
        texts = self._texts(line) if '"' in line or "'" in line else []
        if not texts:
            yield line, False
        for text in texts:
            *complete, last = text.split("\n")
            yield from ((part.rstrip("\r"), False) for part in complete)
            if last or not complete:
                yield last, self._ended

    def _texts(self, line: str) -> list[str]:
        if self._key is None:
            alone = _ALONE.fullmatch(line)
            return [] if alone is None else [unquoted(alone)]
        return [unquoted(found) for found in _LITERAL.finditer(line) if _key(found) == self._key]


def _key(literal: re.Match[str]) -> str:
    return (literal["key"] or "").rstrip(" \t:=").strip("\"'")


def find_literals(lines: list[str]) -> Literals | None:
    """Find the key of the literals in which the records stand."""
    keys: Counter[str] = Counter()
    records = alone = within = 0
    ended: list[bool] = []
    for line in lines:
        start = start_of(line)
        quoted = start > 0 and ('"' in line[:start] or "'" in line[:start])
        literal = _around(line, start) if quoted else None
        records += start >= 0
        if literal is not None and start_of(unquoted(literal)) >= 0:
            keys[_key(literal)] += 1
            ended.append(unquoted(literal).endswith("\n"))
            alone += _is_record_alone(line)
            within += _ALONE.fullmatch(line) is None
    if not keys:
        return None
    key, count = keys.most_common(1)[0]
    if count >= SHARE * records and (key or within):
        only = sum(ended)
        return Literals(key, ended=key == "log" and 0 < only < len(ended))
    return Literals(None, ended=False) if not within or alone > 1 or alone >= 0.05 * records else None


def _around(line: str, start: int) -> re.Match[str] | None:
    """Return the literal that a place lies in."""
    for tried, found in enumerate(_LITERAL.finditer(line)):
        if found.end() > start:
            return found if max(found.start("double"), found.start("single")) <= start else None
        if tried > MOST:
            break
    return None


def _is_record_alone(line: str) -> bool:
    alone = _ALONE.fullmatch(line)
    head = None if alone is None else head_of(unquoted(alone))
    return head is not None and head.strong
