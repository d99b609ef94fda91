"""Makes parsing fast: a body of the same shape as an earlier one is parsed by one regular expression.

lark parses some thousand bodies per second. But an LALR parse depends only on the sequence of terminals, and the
grammar ensures that only one terminal can match at each position. So the template of a body holds for every body with
the same terminals in the same places. It is compiled: the variable tokens become groups (the grammar's own terminals,
as atomic groups, so that each ends where lark would end it), the text between them remains literal, and one generated
function builds the values from the groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tracediag.parsing.grammar import REGEX_FLAGS, terminal_patterns
from tracediag.parsing.template import Constant, Leaf, Node, Part, leaves
from tracediag.parsing.tokens import plain
from tracediag.trace.values import Value

MAX_TOKENS = 64
"""Variable tokens in a shape; longer bodies are mostly arrays, each length with a shape of its own."""
MAX_NESTING = 24
"""Nesting depth of a shape; Python's own parser rejects much deeper expressions."""

Key = tuple[str, ...]


class Shape(NamedTuple):
    """One compiled shape."""

    fullmatch: Callable[[str], re.Match[str] | None]
    build: Callable[..., tuple[Value, ...]]


class Outline(NamedTuple):
    """The identity of a shape: the texts between the variable tokens, and the terminals of these."""

    key: Key
    tokens: tuple[Leaf, ...]
    template: Node


def outline(body: str, template: Node) -> Outline | None:
    """Return the outline of a parsed body, or None if a shape of it would not be worth keeping."""
    tokens = sorted(leaves(template), key=_start)
    if len(tokens) > MAX_TOKENS or template.depth > MAX_NESTING:
        return None
    key: list[str] = []
    last = 0
    for token in tokens:
        key += (body[last : token.start], token.terminal)
        last = token.end
    return Outline((*key, body[last:]), tuple(tokens), template)


def _start(leaf: Leaf) -> int:
    return leaf.start


def compiled(found: Outline) -> Shape:
    """Compile a shape: the regular expression, and the function that builds the values from its groups."""
    patterns = terminal_patterns()
    parts = [f"((?>{patterns[text]}))" if index % 2 else re.escape(text) for index, text in enumerate(found.key)]
    return Shape(re.compile("".join(parts), REGEX_FLAGS).fullmatch, _Constructor(found.tokens).function(found.template))


class _Constructor:
    """Generates the Python expression that builds a template's value."""

    def __init__(self, tokens: tuple[Leaf, ...]) -> None:
        self._groups = {token.start: f"g{index}" for index, token in enumerate(tokens)}
        self._names: dict[str, Any] = {}

    def function(self, template: Node) -> Callable[..., tuple[Value, ...]]:
        """Return a function of the groups."""
        source = f"lambda {', '.join(self._groups.values())}: {self._expression(template)}"
        function: Callable[..., tuple[Value, ...]] = eval(source, self._names)
        return function

    def _expression(self, part: Part) -> str:
        if isinstance(part, Leaf):
            group = self._groups[part.start]
            return group if part.make is plain else f"{self._name(part.make)}({group})"
        if isinstance(part, Constant):
            return self._name(part.value)
        inner = "".join(f"{self._expression(one)}, " for one in part.parts)
        return f"({inner})" if part.make is None else f"{self._name(part.make)}({inner})"

    def _name(self, thing: Any) -> str:
        for name, known in self._names.items():
            if known is thing:
                return name
        name = f"v{len(self._names)}"
        self._names[name] = thing
        return name
