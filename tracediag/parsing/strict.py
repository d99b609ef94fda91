"""The reference parser: lark parses the complete body by the grammar, or reports where it leaves the language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from tracediag.parsing.grammar import parser
from tracediag.parsing.template import MAX_DEPTH, Node, TooDeep, evaluate
from tracediag.trace.values import Value

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput

_STRING = re.compile(r'"(?>[^"\\]++|\\.)*+"?+', re.DOTALL)
_BRACKET = re.compile(r"[\[{(\]})]")
MAX_LENGTH = 1 << 16
"""Characters outside strings: lark takes some microseconds per token, and no call prints this many."""


class ArgumentError(ValueError):
    """The text is not in the language of `grammars/strace.lark`; `column` is where it leaves it, from 1."""

    def __init__(self, body: str, column: int) -> None:
        super().__init__(f"not arguments as strace prints them, at column {column}: {body[:80]!r}")
        self.body = body
        self.column = column


def parse_strict(body: str) -> tuple[Value, ...]:
    """Return the values of a call's arguments, by the grammar alone; raise ArgumentError for any other text."""
    return cast("tuple[Value, ...]", evaluate(template_of(body)))


def template_of(body: str) -> Node:
    """Return the template of the body, or raise ArgumentError."""
    _check_size(body)
    parse = parser().parse
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415  # as `grammar.parser` does

    try:
        return cast("Node", parse(body))
    except UnexpectedInput as error:
        raise ArgumentError(body, _column(error, body)) from None
    except TooDeep:
        raise ArgumentError(body, 1) from None


def _check_size(body: str) -> None:
    """Reject very long text before lark parses it: a megabyte of `[` would take it many seconds."""
    brackets = body.count("[") + body.count("{") + body.count("(")
    if len(body) <= MAX_LENGTH and brackets <= MAX_DEPTH:
        return
    outside = _STRING.sub('""', body)
    if len(outside) > MAX_LENGTH:
        raise ArgumentError(body, MAX_LENGTH)
    depth = 0
    for match in _BRACKET.finditer(outside):
        depth += 1 if match.group() in "[{(" else -1
        if depth > MAX_DEPTH:
            raise ArgumentError(body, 1)


def _column(error: UnexpectedInput, body: str) -> int:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken  # noqa: PLC0415

    if isinstance(error, UnexpectedCharacters):
        return (error.pos_in_stream or 0) + 1
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        return (error.token.start_pos or 0) + 1
    return len(body) + 1
