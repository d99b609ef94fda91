"""Parses the text of a query: the Python side of `grammars/query.lark`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from tracediag.languages.machine import END, Machine, Maker, Token, TooDeepError, UnexpectedError
from tracediag.languages.tables import kept_tables
from tracediag.query.errors import QueryError, nearest
from tracediag.query.nodes import (
    Absent,
    Both,
    Comparison,
    Condition,
    Count,
    Either,
    Let,
    Literal,
    Not,
    Operand,
    Parsed,
    Reports,
    Sequence,
)
from tracediag.trace.patterns import lazy_pattern

MOST_TEXT = 1 << 16
"""Characters of a query: far more than any person writes."""
_DEEPEST = 200

_READABLE = {
    "WORD": "a name",
    "CLASS": "a class such as %file",
    "STRING": "a string in quotes",
    "NUMBER": "a number",
    "QUANTITY": "a time such as 100ms",
    "COMPARISON": "a comparison",
    "_AT_LEAST": ">=",
    "MATCHING": "~",
    "_ASSIGN": "=",
    "_LSQB": "[",
    "_RSQB": "]",
    "_LPAR": "(",
    "_RPAR": ")",
    "_COMMA": ",",
    "_SEMICOLON": "",
    "_LET": "",
    END: "the end",
}
_KEYWORDS = (
    *("let", "sequence", "count", "absent", "by", "until", "between", "within", "and", "or", "not", "in", "has"),
    *("under", "reports", "it", "arg"),
)
_WORD = lazy_pattern(r"\S[\w.]*+")
_HABITS = {
    "=": "write == to compare",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
    '"': "this string does not end",
    "'": "this string does not end",
    "/": "write a path or a regular expression in double quotes",
}
"""What people write who know other languages."""


def parse(text: str) -> Parsed:
    """Parse a query.

    Raises:
        QueryError: if the text is not of the language.
    """
    if len(text) > MOST_TEXT:
        raise QueryError(text, MOST_TEXT, f"a query has at most {MOST_TEXT:,} characters")
    if not text.strip():
        raise QueryError(text, 0, "the query is empty; write for example: errno == EPIPE and fd.kind == socket")
    try:
        parsed: Parsed = parser().parse(text)
    except UnexpectedError as error:
        raise _explained(text, error) from None
    except TooDeepError:
        raise QueryError(text, 0, "the query nests too deeply") from None
    return parsed


@cache
def parser() -> Machine:
    """Return the parser of the query language; its results are nodes."""
    nodes = _Nodes()
    makers = {name: _with_span(getattr(nodes, name)) for name in vars(_Nodes) if not name.startswith("_")}
    return Machine(kept_tables("query", "query"), makers, deepest=_DEEPEST)


class Span(NamedTuple):
    """Where the text of a node begins and ends."""

    start: int
    end: int


def _with_span(method: Callable[..., Any]) -> Maker:
    return lambda children, start, end: method(Span(start, end), *children)


def _explained(text: str, error: UnexpectedError) -> QueryError:
    """Return the error in words: what stands at the place, and what may stand there."""
    ends = error.place == len(text)
    place = len(text.rstrip()) if ends else error.place
    expected = error.expected
    wanted = _wanted(expected)
    if ends:
        return QueryError(text, place, f"the query ends too early; expected {wanted}")
    found = _WORD.match(text, place)
    word = text[place : place + 1] if found is None else found[0]
    habit = _HABITS.get(text[place : place + 1])
    if habit is not None and (not error.is_known or text[place] not in "\"'"):
        return QueryError(text, place, f"unexpected {word!r}: {habit}")
    keywords = [name[1:].lower() for name in expected if name[:1] == "_" and name[1:].lower() in _KEYWORDS]
    if word in _KEYWORDS and "WORD" in expected:
        return QueryError(text, place, f"{word!r} is a word of the language; expected {wanted}")
    return QueryError(text, place, f"unexpected {word!r}; expected {wanted}{nearest(word, keywords)}")


def _wanted(expected: frozenset[str]) -> str:
    """Return in words what may stand at a place."""
    if {"WORD", "_NOT", "_LPAR"} <= expected:
        return "a condition, such as errno == EPIPE"
    if {"COMPARISON", "_HAS"} <= expected:
        return "a comparison (==, !=, <, <=, >, >=, ~, in, has, under), `and`, `or` or the end"
    if expected == {END}:
        return "`and`, `or` or the end"
    words = [_READABLE.get(name, name.removeprefix("_").lower()) for name in sorted(expected, key=_order)]
    words = [word for word in words if word]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "something else"


def _order(name: str) -> tuple[int, str]:
    return (list(_READABLE).index(name) if name in _READABLE and name != END else 50 + (name == END), name)


def _comparison(span: Span, operand: Operand, operator: str, *values: Any) -> Comparison:
    kind = values[0].text if values and isinstance(values[0], Token) and values[0].name == "CLASS" else ""
    held = () if kind else tuple(_literal(value) if isinstance(value, Token) else value for value in values)
    return Comparison(operand, operator, held, span.start, span.end, kind)


def _literal(token: Token) -> Literal:
    return Literal(token.name, token.text, token.start)


class _Nodes:
    """One method per rule of the grammar; each takes the place of its text and its children, and returns the node."""

    def query(self, _span: Span, *parts: Any) -> Parsed:
        return Parsed(tuple(part for part in parts if isinstance(part, Let)), parts[-1])

    def let(self, _span: Span, name: Token, condition: Condition) -> Let:
        return Let(name.text, name.start, condition)

    def sequence(self, _span: Span, by: Token, *parts: Any) -> Sequence:
        until = next((part[1] for part in parts if isinstance(part, tuple)), None)
        within = next((part for part in parts if isinstance(part, Literal)), None)
        steps = tuple(part for part in parts if not isinstance(part, tuple | Literal))
        return Sequence(_literal(by), steps, until, within)

    def count(self, _span: Span, by: Token, step: Condition, least: Token, within: Literal | None = None) -> Count:
        return Count(_literal(by), step, _literal(least), within)

    def absent(
        self,
        _span: Span,
        missing: Condition,
        first: Condition,
        last: Condition,
        by: Token,
        within: Literal | None = None,
    ) -> Absent:
        return Absent(_literal(by), missing, first, last, within)

    def step(self, _span: Span, condition: Condition) -> Condition:
        return condition

    def until(self, _span: Span, condition: Condition) -> tuple[str, Condition]:
        return "until", condition

    def within(self, _span: Span, quantity: Token) -> Literal:
        return _literal(quantity)

    def either(self, _span: Span, *parts: Condition) -> Either:
        return Either(parts)

    def both(self, _span: Span, *parts: Condition) -> Both:
        return Both(parts)

    def negated(self, _span: Span, part: Condition) -> Not:
        return Not(part)

    def name(self, _span: Span, word: Token) -> Operand:
        return Operand(word.text, word.start)

    def argument(self, span: Span, word: Token) -> Operand:
        return Operand(word.text[1:-1], span.start, argument=True)

    def literal(self, _span: Span, token: Token) -> Literal:
        return _literal(token)

    def lone(self, span: Span, operand: Operand) -> Comparison:
        return _comparison(span, operand, "")

    def compared(self, span: Span, operand: Operand, operator: Token, value: Literal) -> Comparison:
        return _comparison(span, operand, operator.text, value)

    def at_least(self, span: Span, operand: Operand, value: Literal) -> Comparison:
        return _comparison(span, operand, ">=", value)

    def among(self, span: Span, operand: Operand, *values: Any) -> Comparison:
        return _comparison(span, operand, "in", *values)

    def not_among(self, span: Span, operand: Operand, *values: Any) -> Not:
        return Not(_comparison(span, operand, "in", *values))

    def has(self, span: Span, operand: Operand, value: Token) -> Comparison:
        return _comparison(span, operand, "has", value)

    def matched(self, span: Span, operand: Operand, operator: Token, value: Token) -> Condition:
        found = _comparison(span, operand, "~", value)
        return found if operator.text == "~" else Not(found)

    def under(self, span: Span, operand: Operand, value: Token) -> Comparison:
        return _comparison(span, operand, "under", value)

    def reports(self, span: Span) -> Reports:
        return Reports(span.start, span.end)
