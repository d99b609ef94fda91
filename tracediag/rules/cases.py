"""The cases of a page that is a rule: what each matches, and what a finding says of a match."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from tracediag.bounded import read_bounded
from tracediag.query import Query, QueryError, compile_query
from tracediag.rules.heads import Field, HeadError, page_text, paragraphs, split_head
from tracediag.rules.templates import Template, template
from tracediag.trace.patterns import lazy_pattern

REFERENCE = lazy_pattern(r"_?[a-z0-9]++(?>-[a-z0-9]++)++|_[a-z0-9]++")
CARD = ("severity", "summary", "needs", "confidence")
CASE = ("match", "title", "why", "fix", "notes")
MOST_QUERY = 4_096
"""Characters of a query: a folder of pages that each take a second to read would never be read."""
_NESTED = 8
"""Pages that may refer to one another in a row."""
_LARGEST = 1 << 20
"""Bytes of a page that another refers to."""


class _AnotherPageError(HeadError):
    """What is wrong with the page that another refers to; the message names it, however far the reference goes."""


class Case(msgspec.Struct, frozen=True):
    """One case of a page."""

    query: Query
    title: Template
    why: Template
    fix: Template
    notes: tuple[Template, ...]
    """What each step means; empty where the outcome of the call says enough."""


def case_of(path: Path, fields: dict[str, Field]) -> Case:
    """Return the case that a paragraph of a head describes.

    Raises:
        HeadError: if a field is unknown, missing or wrong.
    """
    check_fields(fields, CASE, optional=("notes",))
    query = query_of(path, fields["match"])
    notes = [note.strip() for note in fields["notes"].words.split(" | ")] if "notes" in fields else []
    if notes and len(notes) != query.steps:
        raise HeadError(fields["notes"].line, f"notes: {len(notes)}, but a match has {query.steps} steps")
    title, why, fix = (_template(fields[name], fields[name].words, query.steps) for name in ("title", "why", "fix"))
    return Case(query, title, why, fix, tuple(_template(fields["notes"], note, query.steps) for note in notes))


def check_card(fields: dict[str, Field]) -> None:
    """Check the first paragraph of a head.

    Raises:
        HeadError: if a field is unknown or missing, or belongs to a case.
    """
    for name in CASE:
        if name in fields:
            raise HeadError(fields[name].line - 1, f"a blank line has to follow: {name} begins a case")
    check_fields(fields, CARD, optional=("needs", "confidence"))


def check_fields(fields: dict[str, Field], known: Iterable[str], optional: Iterable[str]) -> None:
    """Check that a paragraph has all fields that it needs, and no others.

    Raises:
        HeadError: if it does not.
    """
    known = tuple(known)
    for name, field in fields.items():
        if name not in known:
            raise HeadError(field.line, f"no field of a head is named {name}; here may stand {', '.join(known)}")
        if not field.words:
            raise HeadError(field.line, f"{name} is empty")
    missing = [name for name in known if name not in fields and name not in optional]
    if missing:
        line = min((field.line for field in fields.values()), default=1)
        where = "the paragraph" if fields else "the head"
        raise HeadError(line, f"{where} lacks {' and '.join(missing)}")


def query_of(path: Path, field: Field, nested: int = 0) -> Query:
    """Return the query of a field, which may be the name of another page of the same folder.

    Raises:
        HeadError: if it is no query, or the page that it names has none.
    """
    name = field.words
    if REFERENCE.fullmatch(name) is not None:
        return _query_of_page(path, name, field.line, nested)
    if len(field.text) > MOST_QUERY:
        raise HeadError(field.line, f"match: a query of a page has at most {MOST_QUERY:,} characters")
    try:
        return compile_query(field.text)
    except QueryError as error:
        place = f"column {error.column}: " if error.line > 1 else ""
        raise HeadError(field.line + error.line - 1, f"match: {place}{error.message}") from None


def _query_of_page(path: Path, name: str, line: int, nested: int) -> Query:
    """Return the query of another page: of its first case."""
    if nested >= _NESTED:
        raise HeadError(line, f"match: {name}: the pages refer to one another in a circle, or more than {_NESTED} deep")
    try:
        file = next(each for each in (path.with_name(f"{name}.md"), _with_lines(path, name)) if each.is_file())
        head, _ = split_head(page_text(read_bounded(file, _LARGEST)))
    except StopIteration:
        raise HeadError(line, f"match: no page of this folder is named {name}") from None
    except (OSError, ValueError) as error:
        raise HeadError(line, f"match: the page {name} cannot be read: {error}") from None
    try:
        field = next((part["match"] for part in paragraphs(head) if "match" in part), None)
        if field is not None:
            return query_of(path, field, nested + 1)
    except _AnotherPageError as error:
        raise _AnotherPageError(line, error.message) from None
    except HeadError as error:
        said = f"match: the page {name}, line {error.line}: {error.message}"
        raise _AnotherPageError(line, said) from None
    raise HeadError(line, f"match: the page {name} matches nothing: its head has no match")


def _with_lines(path: Path, name: str) -> Path:
    """Return the file of a page of tracediag's own, whose name is that of a module."""
    return path.with_name(f"{name.replace('-', '_')}.md")


def _template(field: Field, text: str, steps: int) -> Template:
    try:
        return template(text, steps)
    except ValueError as error:
        raise HeadError(field.line, str(error)) from None
