"""Digits are converted in one module, and digits of any length and script raise nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracediag
from tracediag.trace.numbers import MOST_DIGITS, Numbers, hexadecimal, identifier, integer, seconds

PACKAGE = Path(tracediag.__file__).parent
ROOMS = ("trace", "reading", "parsing", "kernel", "evidence", "rules", "results", "overviews", "report")
CONVERSIONS = {"int", "float"}


def conversions(tree: ast.AST) -> Iterator[int]:
    """Yield the lines where `int` or `float` is called, or passed to a function that may call it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in CONVERSIONS:
            yield node.lineno
        elif name not in {"isinstance", "cast", "defaultdict"}:
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            yield from (value.lineno for value in values if isinstance(value, ast.Name) and value.id in CONVERSIONS)


def modules() -> list[Path]:
    found = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]
    return [*found, PACKAGE / "engine.py", PACKAGE / "api.py"]


def test_no_other_module_converts_digits() -> None:
    numbers = PACKAGE / "trace" / "numbers.py"
    bare = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in modules()
        if path != numbers
        for line in conversions(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert bare == []
    assert list(conversions(ast.parse(numbers.read_text(encoding="utf-8"))))
    assert list(conversions(ast.parse("x = map(int, y)\nz = f(key=float)\nint(z)"))) == [1, 2, 3]


@pytest.mark.parametrize("text", [None, "", "-", "1_000", " 7", "7 ", "+7", "\u0663", "0x7", "7e9", "9" * 5000])
def test_text_that_is_not_a_decimal_number(text: str | None) -> None:
    assert integer(text) is None
    assert identifier(text) is None


def test_numbers() -> None:
    assert integer("-007") == -7
    assert integer("9" * MOST_DIGITS) == 10**MOST_DIGITS - 1
    assert integer("9" * (MOST_DIGITS + 1)) is None
    assert hexadecimal("0xff") == hexadecimal("ff") == 255
    assert hexadecimal("-0x1") == -1
    assert hexadecimal("f" * (MOST_DIGITS + 1)) is None
    assert hexadecimal("0x") is None
    assert hexadecimal("\u0663") is None
    assert identifier("4294967295") == 4294967295
    assert identifier("-1") is None
    assert identifier("7" * 11) is None
    assert seconds("0.25") == 0.25
    assert seconds("9" * 310) is None
    assert seconds("inf") is seconds("nan") is seconds("1e999") is seconds("1.") is None


def test_remembered_numbers_are_bounded() -> None:
    numbers = Numbers({"?": None})
    assert (numbers["?"], numbers["17"], numbers["-1"], numbers["0x1f"]) == (None, 17, -1, 31)
    for number in range(2 * Numbers.MOST):
        assert numbers[str(number)] == number
    assert len(numbers) <= Numbers.MOST


@given(st.text() | st.from_regex(r"-?(0x)?[0-9a-f]{0,400}(\.[0-9]{0,400})?", fullmatch=True))
def test_nothing_raises(text: str) -> None:
    assert integer(text) is None or len(text) <= MOST_DIGITS + 1
    assert hexadecimal(text) is None or len(text) <= MOST_DIGITS + 3
    found = seconds(text)
    assert found is None or isfinite(found)
