"""Finds the text of a grammar, and builds a parser quickly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tracediag


def grammar_text(name: str) -> str:
    """Return the text of a grammar, from the installed package or, for an editable install, from the checkout."""
    package = Path(tracediag.__file__).parent
    for folder in (package / "grammars", package.parent / "grammars"):
        path = folder / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"{name} is neither in {package / 'grammars'} nor in {package.parent / 'grammars'}")


@contextmanager
def unchecked_terminals() -> Iterator[None]:
    """Keep lark from comparing all pairs of terminals, which takes a second at each start.

    It does so if interegular is installed, as for development; our tests prove more, and only once.
    """
    import lark.lexer  # noqa: PLC0415  # a text is found without it

    checks: bool = lark.lexer.has_interegular
    lark.lexer.has_interegular = False
    try:
        yield
    finally:
        lark.lexer.has_interegular = checks
