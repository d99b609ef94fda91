"""The parser of `grammars/strace.lark`."""

from __future__ import annotations

import re
from functools import cache

from tracediag.languages.machine import Machine
from tracediag.languages.tables import kept_tables
from tracediag.parsing.builder import makers

REGEX_FLAGS = re.ASCII
"""For all terminals: strace itself prints only ASCII, and Unicode's `\\w` would weaken the proofs about them."""


@cache
def parser() -> Machine:
    """Return the parser of the argument language; its results are templates."""
    return Machine(kept_tables("strace", "arguments"), makers(), REGEX_FLAGS)


def terminal_patterns() -> dict[str, str]:
    """Return the regular expression of each terminal by its name."""
    return parser().tables.terminals
