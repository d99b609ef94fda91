"""The cases of a page that is a rule: what each matches, and what a finding says of a match."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tracediag.bounded import read_bounded
from tracediag.kernel import Action
from tracediag.query import Match, Query, QueryError, compile_query
from tracediag.query.objects import OBJECTS, ObjectKind
from tracediag.rules.heads import Field, HeadError, page_text, paragraphs, split_head
from tracediag.rules.page_cards import check_fields
from tracediag.rules.templates import subject_of
from tracediag.rules.wording import LISTS, SAYS, WORDS, Said, When, Wording, asks_for_end, wording_of
from tracediag.trace.patterns import lazy_pattern

REFERENCE = lazy_pattern(r"_?[a-z0-9]++(?>-[a-z0-9]++)++|_[a-z0-9]++")
OPTIONAL = ("ended", "once", "object", *WORDS, *LISTS)
"""The fields that a case need not have."""
CASE = ("match", "title", "why", "fix", *OPTIONAL)
WHEN = ("when", *SAYS)
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
    wording: Wording
    whens: tuple[When, ...] = ()
    """What is said instead, by condition; the later of two that hold wins."""
    ended: Query | None = None
    """What has to be true when the process ends for a match to count; None if it counts as it is found."""
    once: ObjectKind | None = None
    """The kind of object of which only the first match is reported."""

    @property
    def queries(self) -> tuple[Query, ...]:
        """What it matches, and the conditions of what it says instead."""
        conditions = [when.condition for when in self.whens]
        return self.query, *conditions, *([] if self.ended is None else [self.ended])

    @property
    def wordings(self) -> tuple[Wording, ...]:
        """What it says, and what it says instead."""
        return self.wording, *(when.wording for when in self.whens)

    def said(self, match: Match, action: Action | None) -> Said:
        """Return what is said of a match, as far as it does not depend on how the process ends."""
        said = self.wording.said(match, action)
        for when in self.whens:
            if not when.waits and when.holds(match, action):
                said.replace(when.wording.said(match, action))
        return said

    def ends(self, match: Match, action: Action, said: Said) -> bool:
        """Whether a match counts now that its process has ended; add what is to be said of that."""
        if self.ended is None or not self.ended.holds(subject_of(match, action)):
            return False
        said.learn(self.wording.at_end(match, action))
        for when in self.whens:
            if when.waits and when.holds(match, action):
                said.replace(when.wording.said(match, action))
        return True


def cases_of(path: Path, rest: list[dict[str, Field]]) -> tuple[Case, ...]:
    """Return the cases that the paragraphs of a head below its card describe.

    Raises:
        HeadError: if a field is unknown, missing or wrong.
    """
    cases: list[Case] = []
    for fields in rest:
        if "when" in fields:
            check_when(fields, first=not cases)
            case = cases[-1]
            _check_waits(fields["when"], case)
            cases[-1] = msgspec.structs.replace(case, whens=(*case.whens, when_of(fields, case.query.steps)))
        else:
            check_fields(fields, CASE, OPTIONAL)
            query = query_of(path, fields["match"])
            cases.append(Case(query, wording_of(fields, query.steps), ended=_ended(fields), once=_once(fields)))
    return tuple(cases)


def _ended(fields: dict[str, Field]) -> Query | None:
    return condition_of(fields, "ended") if "ended" in fields else None


def _once(fields: dict[str, Field]) -> ObjectKind | None:
    field = fields.get("once")
    if field is None:
        return None
    found = OBJECTS.get(field.words)
    if found is None:
        raise HeadError(field.line, f"once: {field.words} is none of {', '.join(OBJECTS)}")
    return found


def _check_waits(field: Field, case: Case) -> None:
    if case.ended is None and asks_for_end(compiled(field, "when")):
        raise HeadError(field.line, "when: how the process ends is known only in a case with `ended`")


def when_of(fields: dict[str, Field], steps: int) -> When:
    """Return what a paragraph `when` of a case says.

    Raises:
        HeadError: if a field is wrong.
    """
    return When(condition_of(fields, "when"), wording_of(fields, steps))


def condition_of(fields: dict[str, Field], name: str) -> Query:
    """Return the condition of a field.

    Raises:
        HeadError: if it is no query about one call.
    """
    condition = compiled(fields[name], name)
    if not condition.is_condition:
        raise HeadError(fields[name].line, f"{name}: a condition of the last call; a sequence is a case of its own")
    return condition


def check_when(fields: dict[str, Field], *, first: bool) -> None:
    """Check the fields of a paragraph `when`.

    Raises:
        HeadError: if one is unknown or missing, or no case stands above.
    """
    if first:
        raise HeadError(fields["when"].line, "when: it belongs to a case above it, which begins with match")
    check_fields(fields, WHEN, SAYS)
    if len(fields) == 1:
        raise HeadError(fields["when"].line, f"when: it says nothing; below it may stand {', '.join(SAYS)}")


def query_of(path: Path, field: Field, nested: int = 0) -> Query:
    """Return the query of a field, which may be the name of another page of the same folder.

    Raises:
        HeadError: if it is no query, or the page that it names has none.
    """
    name = field.words
    if REFERENCE.fullmatch(name) is not None:
        return _query_of_page(path, name, field.line, nested)
    return compiled(field, "match")


def compiled(field: Field, name: str) -> Query:
    """Return the query of a field.

    Raises:
        HeadError: if it is none, or too long.
    """
    if len(field.text) > MOST_QUERY:
        raise HeadError(field.line, f"{name}: a query of a page has at most {MOST_QUERY:,} characters")
    try:
        return compile_query(field.text, keep=True)
    except QueryError as error:
        place = f"column {error.column}: " if error.line > 1 else ""
        raise HeadError(field.line + error.line - 1, f"{name}: {place}{error.message}") from None


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
