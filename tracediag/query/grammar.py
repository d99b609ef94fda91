"""Parses the text of a query: the Python side of `grammars/query.lark`."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from tracediag.languages.tables import with_kept_tables
from tracediag.languages.texts import grammar_text, unchecked_terminals
from tracediag.query.errors import QueryError
from tracediag.query.mistakes import explained
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
    Sum,
)

MOST_TEXT = 1 << 16
"""Characters of a query: far more than any person writes."""


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
        raise explained(text, error) from None
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

    def total(
        self,
        _meta: Any,
        of: Operand,
        by: Token,
        step: Condition,
        least: Literal,
        within: Literal | None = None,
    ) -> Sum:
        return Sum(of, _literal(by), step, least, within)

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
