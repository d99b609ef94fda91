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

import tracediag
from tracediag.parsing.grammar import terminal_patterns
from tracediag.query.grammar import parser as query_parser
from tracediag.trace.patterns import LazyPattern

SINGLE = {codes.ATOMIC_GROUP, codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY}


def patterns() -> Iterator[tuple[str, str, int]]:
    """Yield the name, the text and the flags of each pattern of ours."""
    for module in pkgutil.walk_packages(tracediag.__path__, "tracediag."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            owner = getattr(value, "__self__", value)
            if isinstance(owner, re.Pattern | LazyPattern) and isinstance(owner.pattern, str):
                yield f"{module.name}.{name}", owner.pattern, owner.flags
    queries = {terminal.name: terminal.pattern.to_regexp() for terminal in query_parser().terminals}
    for name, pattern in (*terminal_patterns().items(), *queries.items()):
        yield f"terminal {name}", pattern, 0


def loops(tree: object) -> Iterator[object]:
    """Yield the bodies of the possessive loops in a parsed expression."""
    if isinstance(tree, parser.SubPattern | list | tuple):
        if isinstance(tree, tuple) and len(tree) == 2 and tree[0] is codes.POSSESSIVE_REPEAT:
            yield tree[1][2]
        for part in tree:
            yield from loops(part)


def test_possessive_loops_are_over_atoms() -> None:
    found = {
        (name, pattern): [body for body in loops(parser.parse(pattern, flags & ~re.UNICODE)) if not is_atom(body)]
        for name, pattern, flags in patterns()
    }
    assert len(found) > 400
    assert {place: bodies for place, bodies in found.items() if bodies} == {}


def is_atom(body: parser.SubPattern) -> bool:
    return len(body) == 1 and body[0][0] in SINGLE


def test_a_loop_over_a_group_is_seen() -> None:
    assert [is_atom(body) for body in loops(parser.parse("(?:a|bc)*+(?>a|bc)*+d++"))] == [False, True, True]
