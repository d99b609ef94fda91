"""The result of a parse: not the value, but how to build it from the texts of the variable tokens.

A template of `3</etc/passwd>, 0x7ffe, 4096` is "annotate the decimal 1 with 2, the hexadecimal 3, the decimal 4". It
is evaluated once for the current body, and compiled for the bodies of the same shape. Both use the same template, so
they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

MAX_DEPTH = 40
"""Maximum nesting depth of values. strace itself stops at a fraction of it."""


class TooDeep(ValueError):  # noqa: N818  reads as what it says
    """Raised for text nested deeper than `MAX_DEPTH`."""


class Leaf(NamedTuple):
    """One variable token: the function that converts it, and its position."""

    make: Callable[[str], Any]
    terminal: str
    text: str
    start: int
    end: int


class Node(NamedTuple):
    """A call of `make` with the parts; with `make` None, the tuple of the parts."""

    make: Callable[..., Any] | None
    parts: tuple[Part, ...]
    depth: int
    unused: tuple[Leaf, ...] = ()
    """Tokens that vary, but do not become part of the value."""


class Constant(NamedTuple):
    """A value that is the same for every body of the shape."""

    value: Any


Part = Leaf | Node | Constant


def node(make: Callable[..., Any] | None, *parts: Part, unused: tuple[Leaf, ...] = ()) -> Node:
    """Return a node over the parts; raises TooDeep if it is nested too deeply."""
    depth = 1 + max((part.depth for part in parts if type(part) is Node), default=0)
    if depth > MAX_DEPTH * 3:  # a structure takes three nodes: itself, its tuple of fields, the pair
        raise TooDeep
    return Node(make, parts, depth, unused)


def evaluate(part: Part) -> Any:
    """Build the value from the tokens that the template was created from."""
    if type(part) is Leaf:
        return part.make(part.text)
    if type(part) is Node:
        values = tuple([evaluate(inner) for inner in part.parts])
        return values if part.make is None else part.make(*values)
    return part.value  # type: ignore[union-attr]


def leaves(part: Part) -> list[Leaf]:
    """Return all the variable tokens below the part."""
    if type(part) is Leaf:
        return [part]
    if type(part) is Node:
        return [leaf for inner in (*part.parts, *part.unused) for leaf in leaves(inner)]
    return []
