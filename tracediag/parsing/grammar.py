"""Finds `grammars/strace.lark` and makes lark read it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lark import Lark

import tracediag
from tracediag.parsing.builder import Builder

REGEX_FLAGS = re.ASCII
"""For all terminals: strace itself prints nothing else, and Unicode's `\\w` would weaken the proofs about them."""


def grammar_text(name: str) -> str:
    """Return the text of a grammar, from the installed package or, with an editable install, from the checkout."""
    package = Path(tracediag.__file__).parent
    for folder in (package / "grammars", package.parent / "grammars"):
        path = folder / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"{name} is neither in {package / 'grammars'} nor in {package.parent / 'grammars'}")


@cache
def parser() -> Lark:
    """Return the parser of the argument language; its results are templates. Building it takes a tenth of a second."""
    return Lark(
        grammar_text("strace.lark"),
        parser="lalr",
        start="arguments",
        transformer=Builder(),
        maybe_placeholders=False,
        g_regex_flags=REGEX_FLAGS,
    )


@cache
def terminal_patterns() -> dict[str, str]:
    """Return the regular expression of each terminal by its name."""
    return {terminal.name: terminal.pattern.to_regexp() for terminal in parser().terminals}
