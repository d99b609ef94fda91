"""What is wrong with a query of a page: all errors of its text, and conditions that cannot be as meant."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.checking.conditions import Judge
from tracediag.checking.facts import constants
from tracediag.evidence.scope import Fact
from tracediag.query import QueryError, compile_query
from tracediag.query.compiled import Compiled
from tracediag.query.conditions import Compiler
from tracediag.query.errors import nearest
from tracediag.query.expressions import loose_dots
from tracediag.query.grammar import parse
from tracediag.query.nodes import Absent, Comparison, Count, Literal, Parsed, Sequence, Sum, conditions, leaves
from tracediag.query.types import pattern_of

_NEEDS = {"duration": Fact.DURATIONS, "time": Fact.TIMES}
"""The names that no call of a recording has without an option of strace."""


class Remark(msgspec.Struct, frozen=True):
    """Something that is wrong with a query."""

    place: int
    """The index in its text."""
    message: str
    hopeless: bool = False
    """Whether the traces of the page need not be tried: they cannot match, or it could take forever."""


def check_query(text: str) -> Iterator[Remark]:
    """Yield what is wrong with a query, errors of the language first: with one of these, nothing else is looked at."""
    try:
        parsed = parse(text)
    except QueryError as error:
        yield _remark(text, error)
        return
    wrong = list(_wrong(text, parsed))
    yield from wrong
    if not wrong:
        for condition in conditions(parsed):
            judge = Judge(text, {let.name: let.condition for let in parsed.lets})
            yield from (Remark(flaw.place, flaw.message, hopeless=True) for flaw in judge.flaws(condition))
    for leaf in _comparisons(parsed):
        yield from _check_pattern(text, leaf)
        yield from _check_constant(leaf)


def facts_of(text: str) -> frozenset[Fact]:
    """Return the facts without which a query never matches; none for one that is not of the language."""
    try:
        parsed = parse(text)
    except QueryError:
        return frozenset()
    names = {leaf.operand.name for leaf in _comparisons(parsed) if not leaf.operand.argument}
    found = {fact for name, fact in _NEEDS.items() if name in names}
    if getattr(parsed.body, "within", None) is not None:
        found.add(Fact.TIMES)
    return frozenset(found)


def _wrong(text: str, parsed: Parsed) -> Iterator[Remark]:
    """Yield the errors of all comparisons, where the compiler stops at the first."""
    compiler = Compiler(text, sequence=isinstance(parsed.body, Sequence | Count | Sum | Absent))
    seen: set[int] = set()
    for let in parsed.lets:
        try:
            compiler.define(let.name, let.place, let.condition)
        except QueryError as error:
            seen.add(_remark(text, error).place)
            yield _remark(text, error)
            compiler.lets.setdefault(let.name, Compiled(lambda _it: False))  # its name is known all the same
    for leaf in leaves(parsed):
        try:
            compiler.compile(leaf)
        except QueryError as error:
            if (found := _remark(text, error)).place not in seen:
                seen.add(found.place)
                yield found
    if not seen:
        try:
            compile_query(text)
        except QueryError as error:
            yield _remark(text, error)


def _remark(text: str, error: QueryError) -> Remark:
    before = text.split("\n")[: error.line - 1]
    return Remark(sum(len(line) + 1 for line in before) + error.column - 1, error.message)


def _check_pattern(text: str, leaf: Comparison) -> Iterator[Remark]:
    if leaf.operator != "~":
        return
    literal = leaf.values[0]
    pattern = pattern_of(literal)
    for index in loose_dots(pattern):
        # An escaped quote is one character of the pattern and two of the text.
        place = literal.place + 1 + index + text.count(f"\\{literal.text[0]}", literal.place, literal.place + index)
        yield Remark(place, f"this dot matches any character; a dot is written \\. in {literal.text}")


def _check_constant(leaf: Comparison) -> Iterator[Remark]:
    """Report a constant that is not known and spelled much like one that is."""
    argued = leaf.operand.argument and leaf.operator in ("==", "!=", "in")
    for literal in leaf.values if leaf.operator == "has" or argued else ():
        if _is_unknown(literal) and (hint := nearest(literal.text, constants())):
            yield Remark(literal.place, f"no constant is known as {literal.text}{hint}")


def _is_unknown(literal: Literal) -> bool:
    return literal.form == "WORD" and literal.text not in constants()


def _comparisons(parsed: Parsed) -> Iterator[Comparison]:
    return (leaf for leaf in leaves(parsed) if isinstance(leaf, Comparison))
