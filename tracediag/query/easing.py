"""Expressions of plain pieces with `.*` between them, written so that no search tries one text twice."""

from __future__ import annotations

from tracediag.query.expressions import danger
from tracediag.trace.patterns import lazy_pattern

_GAP = ".*"
_PLAIN = lazy_pattern(r"\^?+(?>[\w/ @:,=\"'<>%~&;!#.-]|\\[^\w\s]|\\[dw]|\[(?!\^)[\w.-]++\])*+")
"""A piece that always takes the same number of characters, and no end of a line."""
_FLAGS = lazy_pattern(r"(?>\(\?[ais]++\))?+")
_LAST = lazy_pattern(r"[^*+?{|](?>[^|\\]|\\.)*+|")
"""The last piece may be any but one of several branches."""


def eased(pattern: str) -> str:
    """Return an expression that is found in the same texts, and whose search does not try one text again and again.

    In `a.*b.*c`, the first `b` after an `a` will do: where a `c` follows a later one, it follows this one as well.
    """
    first, *rest = pattern.split(_GAP)
    if danger(pattern) is None or not rest or not _LAST.fullmatch(rest[-1]):
        return pattern
    if not all(_PLAIN.fullmatch(piece) for piece in (_FLAGS.sub("", first, count=1), *rest[:-1])):
        return pattern
    between = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return f"{first}{between}.*?{rest[-1]}"
