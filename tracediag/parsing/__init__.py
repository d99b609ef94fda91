"""Parses the text of a call's arguments into values: the Python side of `grammars/strace.lark`.

text -> calls     a shape seen before: one regular expression, one constructor
|
strict    lark and the grammar, the authority; teaches a new shape
|
tolerant  text outside the language: cut, retyped, prose
"""

from __future__ import annotations

from tracediag.parsing.calls import parser_for
from tracediag.parsing.strict import ArgumentError, parse_strict
from tracediag.trace.events import Parser
from tracediag.trace.values import Symbol, Value

__all__ = ["ArgumentError", "parse_arguments", "parse_strict", "parse_value", "parser_for"]

parse_arguments: Parser = parser_for("")
"""Return the values of a call's arguments; never raises, whatever the text. Prefer `parser_for(name)` in a loop."""

_parse_lone: Parser = parser_for("value")


def parse_value(text: str) -> Value:
    """Return one value: a siginfo `{si_signo=SIGPIPE, ...}`, or the detail of a result `[{fd=5, revents=POLLOUT}]`."""
    values = _parse_lone(text)
    return values[0] if len(values) == 1 else Symbol(text)
