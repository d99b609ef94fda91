"""The head of a page: what it matches, in the language of queries, and what it says of a match.

    ---
    severity: warning
    summary: a call that creates a file fails because its directory is missing

    match: call in (open, openat, creat) and errno == ENOENT and flags has O_CREAT
    says: the directory {parent} does not exist
    why: O_CREAT creates the file, and none of the directories in its path: open(2)
    fix: mkdir -p {parent}
    ---

The first paragraph is the card. Each further one is a reading: one case that the page tells apart from its others. In
`says`, `why` and `fix` these stand for what the trace shows: {call}, {errno}, {it} for the path or address, {parent}
for the directory of a path, {to} for the last path of several, {port} for the port of an address, {uid} for the user,
{filter} for the seccomp filter with its line, {limit} for the resource limit that the error is about, with its line,
{user} for the process that executes or writes a file (ETXTBSY), {pointer} for the argument that is no address, {long}
for the part of a path that has too many bytes (ENAMETOOLONG).
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tracediag.trace.patterns import lazy_pattern

if TYPE_CHECKING:
    from tracediag.query import Query

_HEAD = lazy_pattern(r"\A---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)
_DASHES = lazy_pattern(r"^---[ \t]++$", re.MULTILINE)
_ERRNO = lazy_pattern(r"\bE[A-Z0-9_]++\b")
_COMPARISON = lazy_pattern(r"\band\b")
_LAST_CALL = lazy_pattern(r"\bthread\.last\.call (?>== (\w++)|in \(([\w, \n]++)\))")
_FORM = "NAME: TEXT, or a blank before a line that continues a field"
_FIELD = lazy_pattern(r"^(\w++): *+(.*)$")


Word = TypeVar("Word", bound=StrEnum)


class HeadError(ValueError):
    """A head is malformed."""

    def __init__(self, line: int, message: str) -> None:
        """Set where, as a 1-based line of the page, and what is wrong, in one line."""
        super().__init__(message)
        self.line = line
        self.message = message


class Field(msgspec.Struct, frozen=True):
    """One field of a head."""

    text: str
    """What follows the colon, with the line breaks that it has in the page."""
    line: int
    """The 1-based line of the page in which it begins."""

    @property
    def words(self) -> str:
        """The text on one line."""
        return " ".join(self.text.split())


class Reading(msgspec.Struct, frozen=True, dict=True):
    """What a failed call means in one case."""

    match: str
    """The query that its call matches."""
    says: str
    """What the error means here, as a clause that follows a colon."""
    why: str
    fix: str

    @cached_property
    def query(self) -> Query:
        """The compiled query; compiled on first use, since most traces need none.

        Raises:
            QueryError: if it is not of the language.
        """
        from tracediag.query import compile_query  # noqa: PLC0415  # most traces need no query

        return compile_query(self.match, keep=True)

    @cached_property
    def errnos(self) -> frozenset[str]:
        """The errors that its query names, read without compiling it."""
        return frozenset(_ERRNO.findall(self.match))

    @cached_property
    def comparisons(self) -> int:
        """How many comparisons its query joins by `and`: how specific it is."""
        return len(_COMPARISON.findall(self.match))


class Head(msgspec.Struct, frozen=True):
    """The head of a page."""

    severity: str
    summary: str
    readings: tuple[Reading, ...]


def words_of(words: type[Word], fields: dict[str, Field], name: str) -> tuple[Word, ...]:
    """Return the words of a field, comma-separated; none where it is missing.

    Raises:
        HeadError: if one is none of those that may stand there.
    """
    field = fields.get(name)
    if field is None:
        return ()
    try:
        return tuple(words(word) for each in field.words.split(",") if (word := each.strip()))
    except ValueError:
        wrong = next(word for each in field.words.split(",") if (word := each.strip()) and word not in set(words))
        raise HeadError(field.line, f"{name}: {wrong} is none of {', '.join(words)}") from None


def word_of(words: type[Word], fields: dict[str, Field], name: str) -> Word | None:
    """Return the word of a field; None where it is missing.

    Raises:
        HeadError: if it is none of those that may stand there, or there are several.
    """
    found = words_of(words, fields, name)
    if len(found) > 1:
        raise HeadError(fields[name].line, f"{name}: one of {', '.join(words)}")
    return found[0] if found else None


def page_text(data: bytes) -> str:
    """Return the text of a page as any editor may have saved it: with a byte order mark, CRLF, blanks after `---`.

    Raises:
        UnicodeDecodeError: if it is not UTF-8.
    """
    return _DASHES.sub("---", data.decode("utf-8-sig").replace("\r\n", "\n"), count=2)


def last_calls(query: str) -> tuple[str, ...]:
    """Return the calls that a query asks for as the last one before a signal or an end."""
    found = (each[1] or each[2] for each in _LAST_CALL.finditer(query))
    return tuple(call for each in found for call in re.findall(r"\w+", each))


def split_head(text: str) -> tuple[str, str]:
    """Return the head of a page, "" if it has none, and the page below it."""
    found = _HEAD.match(text)
    return ("", text) if found is None else (found[1], text[found.end() :])


def parse_head(text: str) -> Head:
    """Take the head of a page about failed calls apart.

    Raises:
        HeadError: if a line is no field, or a field is unknown or missing.
    """
    card, *readings = ({name: field.words for name, field in part.items()} for part in paragraphs(text))
    try:
        return Head(**card, readings=tuple(Reading(**fields) for fields in readings))
    except TypeError as error:
        raise HeadError(1, f"the head of the page: {error}") from None


def paragraphs(text: str) -> list[dict[str, Field]]:
    """Return the fields of each paragraph of a head. A line that begins with a blank continues the one above it.

    Raises:
        HeadError: if a line is no field, or a field stands twice in a paragraph.
    """
    found: list[dict[str, Field]] = [{}]
    name = ""
    for number, line in enumerate(text.rstrip().split("\n"), start=2):  # the first line of the page is "---"
        if not line.strip():
            found += [{}] if found[-1] else []
            name = ""
        elif line[0].isspace() and name:
            held = found[-1][name]
            found[-1][name] = Field(f"{held.text}\n{line}", held.line)
        elif (field := _FIELD.match(line)) is None:
            raise HeadError(number, f"the head of the page: no field: {line.strip()}; write {_FORM}")
        elif field[1] in found[-1]:
            raise HeadError(number, f"the head of the page: {field[1]} stands twice in a paragraph")
        else:
            name = field[1]
            found[-1][name] = Field(field[2], number)
    return found if found[-1] else found[:-1]
