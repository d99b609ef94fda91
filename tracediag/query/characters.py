"""The characters that the items of a regular expression take: those of ASCII, and the kinds of others."""

from __future__ import annotations

import re._constants as op  # type: ignore[import-not-found]
from collections.abc import Callable
from typing import Any

_LETTER, _SPACE, _DIGIT, _SIGN = range(128, 132)
"""Characters beyond ASCII, by their kind."""
OTHERS = frozenset((_LETTER, _SPACE, _DIGIT, _SIGN))
ALL = frozenset(range(132))
"""ASCII, and the kinds of other characters."""
_FOLDED = frozenset(map(ord, "iksIKS"))
"""ASCII letters that without case are also another character."""
_CATEGORIES: dict[Any, tuple[Callable[[str], bool], frozenset[int]]] = {
    op.CATEGORY_DIGIT: (str.isdecimal, frozenset({_DIGIT})),
    op.CATEGORY_SPACE: (str.isspace, frozenset({_SPACE})),
    op.CATEGORY_WORD: (lambda one: one.isalnum() or one == "_", frozenset({_LETTER, _DIGIT})),
}
"""What is of a category: in ASCII, and beyond."""
_OPPOSITES = {
    op.CATEGORY_NOT_DIGIT: op.CATEGORY_DIGIT,
    op.CATEGORY_NOT_SPACE: op.CATEGORY_SPACE,
    op.CATEGORY_NOT_WORD: op.CATEGORY_WORD,
}


def folded(takes: frozenset[int]) -> frozenset[int]:
    """Return the characters that are taken without case."""
    both = frozenset(ord(case) for code in takes if code < _LETTER for case in (chr(code).upper(), chr(code).lower()))
    return takes | both | ({_LETTER} if takes & _FOLDED else frozenset())


def taken(kind: Any, held: Any) -> frozenset[int]:
    """Return the characters that one item takes."""
    if kind is op.LITERAL:
        return frozenset({_code(held)})
    if kind is op.NOT_LITERAL:
        return ALL - ({held} if held < _LETTER else set())
    if kind is op.RANGE:
        return frozenset(range(held[0], min(held[1] + 1, _LETTER))) | (OTHERS if held[1] >= _LETTER else frozenset())
    if kind is op.CATEGORY:
        return _category(held)
    if kind is op.IN:
        return _class(held)
    return ALL - {ord("\n")} if kind is op.ANY else ALL


def _class(items: Any) -> frozenset[int]:
    """Return the characters of a class; a negated one takes others of a kind unless the kind is named in it."""
    found = frozenset().union(*(taken(*item) for item in items if item[0] is not op.NEGATE))
    if items[0][0] is not op.NEGATE:
        return found
    named = frozenset().union(*(taken(*item) for item in items if item[0] is op.CATEGORY))
    return ALL - (found - (OTHERS - named))


def _code(code: int) -> int:
    """Return a character of ASCII, or the kind of another."""
    if code < _LETTER:
        return code
    one = chr(code)
    if one.isspace():
        return _SPACE
    return _DIGIT if one.isdecimal() else _LETTER if one.isalnum() else _SIGN


def _category(kind: Any) -> frozenset[int]:
    if kind in _OPPOSITES:
        return ALL - _category(_OPPOSITES[kind])
    found = _CATEGORIES.get(kind)
    return ALL if found is None else frozenset(code for code in range(_LETTER) if found[0](chr(code))) | found[1]
