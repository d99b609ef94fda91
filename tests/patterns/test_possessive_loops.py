"""A possessive loop over a plain group is miscompiled in CPython 3.11.2 of Debian 12 (gh-106052, fixed in 3.11.5).

`(?:a|bc)*+` may fail there where it should match; `(?>a|bc)*+`, a loop over an atomic group, means the same and
works.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator

import pytest

import tracediag
from tracediag.parsing.grammar import terminal_patterns
from tracediag.query.grammar import parser as query_parser
from tracediag.trace.patterns import LazyPattern

SINGLE = {codes.ATOMIC_GROUP, codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY}


def patterns() -> Iterator[object]:
    for module in pkgutil.walk_packages(tracediag.__path__, "tracediag."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            owner = getattr(value, "__self__", value)
            if isinstance(owner, re.Pattern | LazyPattern) and isinstance(owner.pattern, str):
                yield pytest.param(owner.pattern, owner.flags, id=f"{module.name}.{name}")
    queries = {terminal.name: terminal.pattern.to_regexp() for terminal in query_parser().terminals}
    for name, pattern in (*terminal_patterns().items(), *queries.items()):
        yield pytest.param(pattern, 0, id=f"terminal {name}")


def loops(tree: object) -> Iterator[object]:
    """Yield the bodies of the possessive loops in a parsed expression."""
    if isinstance(tree, parser.SubPattern | list | tuple):
        if isinstance(tree, tuple) and len(tree) == 2 and tree[0] is codes.POSSESSIVE_REPEAT:
            yield tree[1][2]
        for part in tree:
            yield from loops(part)


@pytest.mark.parametrize(("pattern", "flags"), list(patterns()))
def test_possessive_loops_are_over_atoms(pattern: str, flags: int) -> None:
    for body in loops(parser.parse(pattern, flags & ~re.UNICODE)):
        assert len(body) == 1
        assert body[0][0] in SINGLE, pattern
