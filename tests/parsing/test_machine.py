"""The machine reads both languages as lark does: the same trees in the same places, the same errors."""

import random
import re

import pytest
from argument_lines import LINES, RECORDED
from lark import Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from tracediag.languages.machine import Machine, Token, TooDeepError, UnexpectedError
from tracediag.languages.making import lark_parser
from tracediag.languages.tables import kept_tables

PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\W', re.DOTALL)
FRAGMENTS = ["", '"a"', "[", "}", "0x1", "=", ", ", "and", "not", "(", ")", " in ", "£"]
QUERIES = [
    "errno == EPIPE and fd.kind == socket",
    "let slow = duration > 1s; slow and not errno has E",
    "sequence by fd [a == 1] [b == 2] until [c ~ 'x'] within 10ms",
    "count by fd [not a == b and (c == 1 or arg('cmd') in (X, 2,))] >= 10  # a remark",
    "absent [a == 1] between [b in %file] and [c under '/x'] by process",
    "a not in (b) and c >= 3 or d !~ 'e' and it.x reports it",
]


class Naming(dict):
    """Makes of each rule its name, its children and its place."""

    def get(self, name):
        return (lambda children, start, end: (name, children, start, end)) if name else None


def texts(whole):
    """The texts, and each of them three times with a piece that stands for another."""
    chosen = random.Random(7)
    for text in whole:
        yield text
        for _ in range(3):
            pieces = PIECE.findall(text) or [""]
            pieces[chosen.randrange(len(pieces))] = chosen.choice(FRAGMENTS)
            yield "".join(pieces)


def by_lark(parser, text):
    try:
        return of_lark(parser.parse(text))
    except UnexpectedInput as error:
        at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        expected = set(getattr(error, "accepts", None) or getattr(error, "allowed", None) or ())
        return len(text) if at_end else error.pos_in_stream, expected - {"<END-OF-FILE>"}


def of_lark(part):
    if isinstance(part, Tree):
        place = (None, None) if part.meta.empty else (part.meta.start_pos, part.meta.end_pos)
        return (str(part.data), [of_lark(child) for child in part.children], *place)
    return (part.type, str(part), part.start_pos, part.end_pos)


def by_the_machine(machine, text):
    try:
        return of_the_machine(machine.parse(text))
    except UnexpectedError as error:
        return error.place, set(error.expected)


def of_the_machine(part):
    if isinstance(part, Token):
        return tuple(part)
    name, children, start, end = part
    place = (start, end) if start < end else (None, None)
    return (name, [of_the_machine(child) for child in children], *place)


@pytest.mark.parametrize(
    ("name", "start", "whole"),
    [("strace", "arguments", [*(body for body, _ in LINES), *RECORDED]), ("query", "query", QUERIES * 12)],
)
def test_as_lark_does(name, start, whole):
    tables = kept_tables(name, start)
    machine, parser = Machine(tables, Naming(), re.ASCII), lark_parser(tables.grammar, start)
    parsed = 0
    for text in texts(whole):
        found = by_the_machine(machine, text)
        assert found == by_lark(parser, text), text
        parsed += len(found) > 2
    assert parsed > len(whole)


def test_nesting_is_bounded():
    machine = Machine(kept_tables("query", "query"), Naming(), deepest=100)
    machine.parse("not " * 40 + "a == b")
    with pytest.raises(TooDeepError):
        machine.parse("not " * 400 + "a == b")
