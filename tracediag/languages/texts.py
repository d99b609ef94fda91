"""Finds the text of a grammar."""

from __future__ import annotations

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
