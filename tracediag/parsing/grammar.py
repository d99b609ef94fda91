"""Builds the lark parser of `grammars/strace.lark`."""

from __future__ import annotations

import re
from functools import cache, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

REGEX_FLAGS = re.ASCII
"""For all terminals: strace itself prints only ASCII, and Unicode's `\\w` would weaken the proofs about them."""


@cache
def parser() -> Lark:
    """Return the parser of the argument language; its results are templates."""
    # A short trace may need no argument that is not read without parsing: lark takes long to import.
    from tracediag.languages.tables import with_kept_tables  # noqa: PLC0415
    from tracediag.languages.texts import grammar_text  # noqa: PLC0415

    text = grammar_text("strace.lark")
    return with_kept_tables("strace", text, partial(build, text))


def build(text: str, tables: str | bool) -> Lark:
    """Build the parser, with the value of lark's option `cache`."""
    from lark import Lark  # noqa: PLC0415

    from tracediag.languages.texts import unchecked_terminals  # noqa: PLC0415
    from tracediag.parsing.builder import Builder  # noqa: PLC0415

    with unchecked_terminals():
        return Lark(
            text,
            parser="lalr",
            start="arguments",
            transformer=Builder(),
            maybe_placeholders=False,
            g_regex_flags=REGEX_FLAGS,
            cache=tables,
        )


@cache
def terminal_patterns() -> dict[str, str]:
    """Return the regular expression of each terminal by its name."""
    return {terminal.name: terminal.pattern.to_regexp() for terminal in parser().terminals}
