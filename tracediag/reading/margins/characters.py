"""Characters that were added or exchanged: colours, HTML, typographic marks, Markdown's backslashes."""

from __future__ import annotations

import re

from tracediag.reading.damage import BLANKS_AND_MARKS, unescaped
from tracediag.reading.margins.starts import head_of, start_of
from tracediag.reading.margins.undoing import Each, Joining, Undoing
from tracediag.trace.patterns import lazy_pattern

_STRING = r'"(?>[^"\\]++|\\.)*+"'
_STRINGS = lazy_pattern(_STRING)
_ESCAPE = lazy_pattern("(?:\x1b|\\^\\[|\u241b)(?:\\[[0-9;?]*+[a-zA-Z]|\\([AB0])")
_LOST_ESCAPE = lazy_pattern(rf"({_STRING})|\[[0-9;]{{0,12}}m|\(B(?=\[)")
_LOST = lazy_pattern(r"\[[0-9;]{0,12}m")
_ENTITY = lazy_pattern(r"&(?>amp;)*+(?:lt|gt|quot|apos|amp|nbsp|#[0-9]{1,5}|#[xX][0-9a-fA-F]{1,4});")
_HTML_CALL = lazy_pattern(r"(?<![a-z0-9_])[a-z_][a-z0-9_]*+\(|resumed&|(?:--- SIG|\+\+\+ (?:exited|killed))")
_TAGS = r"(?:br|hr|span|code|pre|p|div|b|i|em|strong|font|tt|td|tr|th|li|a)(?: [^<>]*+)?"
_OPENING = lazy_pattern(rf"(?<![\dDF])<{_TAGS}/?>|<br ?/?>", re.IGNORECASE)
_BREAK = lazy_pattern(r"<br ?/?>", re.IGNORECASE)
_CELLS = lazy_pattern(r"</t[dh]>\s*<t[dh](?: [^<>]*+)?>", re.IGNORECASE)
_TAG = lazy_pattern(rf"</?{_TAGS}/?>", re.IGNORECASE)
_DASHES = lazy_pattern("[\u2013\u2014]-?(?= SIG)|(?<=[})] )[\u2013\u2014]-?$")
"""What editors make of the three hyphens around a signal."""
_MARKED = lazy_pattern(r"(?<!\\)\\[_()\[\]<>*|]")
_MARKDOWN = lazy_pattern(r"\\([_()\[\]|*`<>#{}+.!~-])")
_MARKDOWN_ALL = lazy_pattern(r"\\([\\\"'_()\[\]|*`<>#{}+.!~-])")
_TWICE = lazy_pattern(r"\\\\[nrt0-9\"]")
_ONCE = lazy_pattern(r"(?<!\\)\\[nrt0-9]")
_TYPESET_RESULT = lazy_pattern("\\)[ \u00a0]*=[ \u00a0]*[\u00a0\u2010-\u2015\u2212\ufe63\uff0d]")
LEVELS = 3


def _outside(line: str) -> str:
    """Return a line without its strings."""
    return _STRINGS.sub('""', line)


def find_colours(lines: list[str]) -> Undoing | None:
    """Find colours of a terminal in the records, with or without the escape character before them."""
    coloured = [line for line in lines if _ESCAPE.search(line) is not None]
    if any(start_of(_ESCAPE.sub("", line)) >= 0 for line in coloured):
        return Each(lambda line: _ESCAPE.sub("", line))
    lost = [line for line in lines if "m" in line and "[" in line and _LOST.search(_outside(line)) is not None]
    records = sum(start_of(_without_lost(line)) >= 0 for line in lost)
    return Each(_without_lost) if 2 * records > len(lost) else None


def _without_lost(line: str) -> str:
    return _LOST_ESCAPE.sub(lambda found: found[1] or "", line)


def find_entities(lines: list[str]) -> Undoing | None:
    """Find HTML entities where strace prints none: outside strings."""
    times = 0
    while times < LEVELS and any("&" in line and _is_escaped(line) for line in lines):
        lines = [unescaped(line) for line in lines]
        times += 1

    def change(line: str) -> str:
        for _ in range(times):
            line = unescaped(line)
        return line

    return Each(change) if times else None


def _is_escaped(line: str) -> bool:
    return _HTML_CALL.search(line) is not None and _ENTITY.search(_outside(line)) is not None


def find_tags(lines: list[str]) -> Undoing | None:
    """Find the tags of a page in the records."""
    tagged = [line for line in lines if "<" in line and _OPENING.search(_outside(line)) is not None]
    if not any(start_of(_without_tags(line)) >= 0 for line in tagged):
        return None
    return Joining(_untagged)


def _untagged(line: str) -> list[tuple[str, bool]]:
    """Return the lines of a page that stand in one line of its source: `<br>` ends a line."""
    parts = _BREAK.split(line) if "<" in line else [line]
    return [(_without_tags(part), False) for part in (parts if len(parts) == 1 or parts[-1] else parts[:-1])]


def _without_tags(line: str) -> str:
    return _TAG.sub("", _CELLS.sub(" ", line)) if "<" in line else line


def find_typography(lines: list[str]) -> Undoing | None:
    """Find typographic quotes, dashes and blanks in the records: strace prints none."""
    for line in lines:
        if not line.isascii() and _is_typeset(line) and start_of(_plain(line)) >= 0:
            return Each(_plain)
    return None


def _plain(line: str) -> str:
    return line if line.isascii() else _DASHES.sub("---", line).translate(BLANKS_AND_MARKS)


def _is_typeset(line: str) -> bool:
    """Return whether marks stand where strace prints plain ones; after a plain quote they are data of the program."""
    before = line.partition('"')[0]
    return before.translate(BLANKS_AND_MARKS) != before or _TYPESET_RESULT.search(line) is not None


def find_markdown(lines: list[str]) -> Undoing | None:
    """Find backslashes before marks that mean something in Markdown; outside strings strace prints none."""
    marked = [line for line in lines if "\\" in line and _MARKED.search(_outside(line)) is not None]
    records = sum((head := head_of(_MARKDOWN.sub(r"\1", line))) is not None and head.strong for line in marked)
    if not records or 3 * records < sum(start_of(_MARKDOWN.sub(r"\1", line)) >= 0 for line in lines):
        return None
    text = "\n".join(lines)
    escape = _MARKDOWN_ALL if _TWICE.search(text) and not _ONCE.search(text) else _MARKDOWN
    return Each(lambda line: escape.sub(r"\1", line))
