"""Parses the text of a query: the Python side of `grammars/query.lark`."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from tracediag.languages.tables import with_kept_tables
from tracediag.languages.texts import grammar_text, unchecked_terminals
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
    "$END": "the end",
}
_KEYWORDS = (
    *(
        "let",
        "sequence",
        "count",
        "absent",
        "by",
        "until",
        "unless",
        "between",
        "within",
        "and",
        "or",
        "not",
        "in",
        "has",
    ),
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
        parsed: Parsed = _Nodes().transform(parser().parse(text))
    except UnexpectedInput as error:
        raise _explained(text, error) from None
    except RecursionError:
        raise QueryError(text, 0, "the query nests too deeply") from None
    return parsed


@cache
def parser() -> Lark:
    """Return the parser of the query language; its results are trees of tokens."""
    text = grammar_text("query.lark")
    return with_kept_tables("query", text, partial(build, text))


def build(text: str, tables: str | bool) -> Lark:
    """Build the parser, with the value of lark's option `cache`."""
    with unchecked_terminals():
        return Lark(text, parser="lalr", start="query", propagate_positions=True, cache=tables)


def _explained(text: str, error: UnexpectedInput) -> QueryError:
    """Return the error in words: what stands at the place, and what may stand there."""
    ends = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    place = len(text.rstrip()) if ends else error.pos_in_stream or 0
    expected: set[str] = set(getattr(error, "accepts", None) or getattr(error, "allowed", None) or ())
    wanted = _wanted(expected)
    if ends:
        return QueryError(text, place, f"the query ends too early; expected {wanted}")
    found = _WORD.match(text, place)
    word = text[place : place + 1] if found is None else found[0]
    habit = _HABITS.get(text[place : place + 1])
    if habit is not None and (isinstance(error, UnexpectedCharacters) or text[place] not in "\"'"):
        return QueryError(text, place, f"unexpected {word!r}: {habit}")
    keywords = [name[1:].lower() for name in expected if name[:1] == "_" and name[1:].lower() in _KEYWORDS]
    if word in _KEYWORDS and "WORD" in expected:
        return QueryError(text, place, f"{word!r} is a word of the language; expected {wanted}")
    return QueryError(text, place, f"unexpected {word!r}; expected {wanted}{nearest(word, keywords)}")


def _wanted(expected: set[str]) -> str:
    """Return in words what may stand at a place."""
    if {"WORD", "_NOT", "_LPAR"} <= expected:
        return "a condition, such as errno == EPIPE"
    if {"COMPARISON", "_HAS"} <= expected:
        return "a comparison (==, !=, <, <=, >, >=, ~, in, has, under), `and`, `or` or the end"
    if expected == {"$END"}:
        return "`and`, `or` or the end"
    words = [_READABLE.get(name, name.removeprefix("_").lower()) for name in sorted(expected, key=_order)]
    words = [word for word in words if word]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "something else"


def _order(name: str) -> tuple[int, str]:
    return (list(_READABLE).index(name) if name in _READABLE and name != "$END" else 50 + (name == "$END"), name)


def _comparison(meta: Any, operand: Operand, operator: str, *values: Any) -> Comparison:
    kind = str(values[0]) if values and isinstance(values[0], Token) and values[0].type == "CLASS" else ""
    held = () if kind else tuple(_literal(value) if isinstance(value, Token) else value for value in values)
    return Comparison(operand, operator, held, meta.start_pos, meta.end_pos, kind)


def _literal(token: Token) -> Literal:
    return Literal(token.type, str(token), token.start_pos or 0)


@v_args(inline=True, meta=True)
class _Nodes(Transformer[Token, Parsed]):
    """Turns the tree into nodes."""

    def query(self, _meta: Any, *parts: Any) -> Parsed:
        return Parsed(tuple(part for part in parts if isinstance(part, Let)), parts[-1])

    def let(self, _meta: Any, name: Token, condition: Condition) -> Let:
        return Let(str(name), name.start_pos or 0, condition)

    def sequence(self, _meta: Any, by: Token, *parts: Any) -> Sequence:
        ends: dict[str, Condition] = dict(part for part in parts if isinstance(part, tuple))
        within = next((part for part in parts if isinstance(part, Literal)), None)
        steps = tuple(part for part in parts if not isinstance(part, tuple | Literal))
        return Sequence(_literal(by), steps, ends.get("until"), within, ends.get("unless"))

    def count(self, _meta: Any, by: Token, step: Condition, least: Token, within: Literal | None = None) -> Count:
        return Count(_literal(by), step, _literal(least), within)

    def absent(
        self,
        _meta: Any,
        missing: Condition,
        first: Condition,
        last: Condition,
        by: Token,
        within: Literal | None = None,
    ) -> Absent:
        return Absent(_literal(by), missing, first, last, within)

    def step(self, _meta: Any, condition: Condition) -> Condition:
        return condition

    def until(self, _meta: Any, condition: Condition) -> tuple[str, Condition]:
        return "until", condition

    def unless(self, _meta: Any, condition: Condition) -> tuple[str, Condition]:
        return "unless", condition

    def within(self, _meta: Any, quantity: Token) -> Literal:
        return _literal(quantity)

    def either(self, _meta: Any, *parts: Condition) -> Either:
        return Either(parts)

    def both(self, _meta: Any, *parts: Condition) -> Both:
        return Both(parts)

    def negated(self, _meta: Any, part: Condition) -> Not:
        return Not(part)

    def name(self, _meta: Any, word: Token) -> Operand:
        return Operand(str(word), word.start_pos or 0)

    def argument(self, meta: Any, word: Token) -> Operand:
        return Operand(str(word)[1:-1], meta.start_pos, argument=True)

    def literal(self, _meta: Any, token: Token) -> Literal:
        return _literal(token)

    def lone(self, meta: Any, operand: Operand) -> Comparison:
        return _comparison(meta, operand, "")

    def compared(self, meta: Any, operand: Operand, operator: Token, value: Literal) -> Comparison:
        return _comparison(meta, operand, str(operator), value)

    def at_least(self, meta: Any, operand: Operand, value: Literal) -> Comparison:
        return _comparison(meta, operand, ">=", value)

    def among(self, meta: Any, operand: Operand, *values: Any) -> Comparison:
        return _comparison(meta, operand, "in", *values)

    def not_among(self, meta: Any, operand: Operand, *values: Any) -> Not:
        return Not(_comparison(meta, operand, "in", *values))

    def has(self, meta: Any, operand: Operand, value: Token) -> Comparison:
        return _comparison(meta, operand, "has", value)

    def matched(self, meta: Any, operand: Operand, operator: Token, value: Token) -> Condition:
        found = _comparison(meta, operand, "~", value)
        return found if operator == "~" else Not(found)

    def under(self, meta: Any, operand: Operand, value: Token) -> Comparison:
        return _comparison(meta, operand, "under", value)

    def reports(self, meta: Any) -> Reports:
        return Reports(meta.start_pos, meta.end_pos)
