"""Finds `grammars/strace.lark` and builds the lark parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import lark.lexer
from lark import Lark

import tracediag
from tracediag.parsing.builder import Builder
from tracediag.parsing.tables import with_kept_tables

REGEX_FLAGS = re.ASCII
"""For all terminals: strace itself prints only ASCII, and Unicode's `\\w` would weaken the proofs about them."""


def grammar_text(name: str) -> str:
    """Return the text of a grammar, from the installed package or, for an editable install, from the checkout."""
    package = Path(tracediag.__file__).parent
    for folder in (package / "grammars", package.parent / "grammars"):
        path = folder / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"{name} is neither in {package / 'grammars'} nor in {package.parent / 'grammars'}")


@cache
def parser() -> Lark:
    """Return the parser of the argument language; its results are templates."""
    text = grammar_text("strace.lark")
    return with_kept_tables(text, partial(build, text))


def build(text: str, tables: str | bool) -> Lark:
    """Build the parser, with the value of lark's option `cache`."""
    with _unchecked_terminals():
        return Lark(
            text,
            parser="lalr",
            start="arguments",
            transformer=Builder(),
            maybe_placeholders=False,
            g_regex_flags=REGEX_FLAGS,
            cache=tables,
        )


@contextmanager
def _unchecked_terminals() -> Iterator[None]:
    """Keep lark from comparing all pairs of terminals, which takes a second at each start.

    It does so if interegular is installed, as for development; our tests prove more, and only once.
    """
    checks: bool = lark.lexer.has_interegular
    lark.lexer.has_interegular = False
    try:
        yield
    finally:
        lark.lexer.has_interegular = checks


@cache
def terminal_patterns() -> dict[str, str]:
    """Return the regular expression of each terminal by its name."""
    return {terminal.name: terminal.pattern.to_regexp() for terminal in parser().terminals}
