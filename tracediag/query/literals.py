"""Texts that the line of a call must show for a comparison of paths to be true."""

from __future__ import annotations

from tracediag.query.names import Name
from tracediag.query.nodes import Comparison
from tracediag.query.types import pattern_of
from tracediag.trace.patterns import lazy_pattern


def texts_of(node: Comparison, name: Name) -> tuple[str, ...]:
    """Return texts of which a comparison of paths needs one: a part of the path, or the mark of an encoded string."""
    if name.texts:
        return name.texts
    literal = literal_of(pattern_of(node.values[0])) if node.operator == "~" and name.name == "path" else ""
    return (literal, "\\x") if literal else ()


def literal_of(pattern: str) -> str:
    r"""Return a text that every path that matches must show as it is; "" where none is certain.

    Only letters, digits and dots count: anything else may be escaped in a trace, or stand where a path is joined to its
    directory. `\.so(\.\d+)*$` needs ".so".
    """
    if not _SIMPLE.fullmatch(pattern):
        return ""
    best = ""
    for run in _RUN.finditer(pattern.replace(_VERSION, "/")):
        found = run[0].replace("\\.", ".")
        if len(found) > len(best) and found.strip("."):
            best = found
    return best


_SIMPLE = lazy_pattern(r"(?>[\w/^$-]|\\\.|\(\\\.\\d\+\)\*|\.\*)*+")
"""Patterns of plain text, `\\.`, `.*` and `(\\.\\d+)*`, in which nothing but these two repeats."""
_VERSION = r"(\.\d+)*"
_RUN = lazy_pattern(r"(?>[A-Za-z0-9_]|\\\.)++")
