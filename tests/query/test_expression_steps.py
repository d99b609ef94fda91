"""An expression that is accepted takes at most as many steps as the square of the length of the text."""

from __future__ import annotations

import random
import re

import pytest
from expression_steps import steps_of

from tracediag.query.expressions import danger

SHORT, LONG = 20, 40
MOST = 60_000
ROUNDS = 400
PARTS = ("a", "b", "[ab]", ".", "a|b", "ab", "a|ab", "(?>a+)", "[^a]", "b?a", "(?=a)", "aa|a", "(?=a*b)", "(?!.*c)")
REPEATS = ("*", "+", "?", "*?", "+?", "{1,3}", "{2}", "", "", "")
TEXTS = ("a", "b", "ab", "aab", "abb")


def expression(source: random.Random, depth: int = 2) -> str:
    """Return an expression of up to four parts, some of which hold others."""
    parts = []
    for _ in range(source.randint(1, 4)):
        part = expression(source, depth - 1) if depth and source.random() < 0.3 else source.choice(PARTS)
        repeat = source.choice(REPEATS)
        parts.append(f"(?:{part}){repeat}" if repeat or "|" in part else part)
    return "".join(parts)


def growth(pattern: str) -> tuple[float, int]:
    """Return how many times as many steps a text of twice the length takes, at most, and the most steps."""
    found = []
    for text in TEXTS:
        short, long = (steps_of(pattern, (text * length)[:length] + "!", MOST) for length in (SHORT, LONG))
        found.append((long / short, long))
    return max(times for times, _ in found), max(most for _, most in found)


def accepted(seed: int) -> str | None:
    """Return an expression of a generator, if it is accepted; none of them matches what it is tried on."""
    source = random.Random(seed)
    pattern = source.choice(("", "", "^")) + expression(source) + source.choice(("c", "x$", ""))
    return pattern if danger(pattern) is None else None


def test_what_is_accepted_grows_with_the_square_at_most():
    """The square of twice the length is four times as much, the cube eight times."""
    patterns = [pattern for seed in range(ROUNDS) if (pattern := accepted(seed)) is not None]
    assert len(patterns) > ROUNDS / 4
    for pattern in patterns:
        times, most = growth(pattern)
        assert times < 5, (pattern, times, most)
        assert most < MOST, pattern


@pytest.mark.parametrize(
    "pattern",
    [r"a+a+x", r".*a.*x", r"(a+)+x", r"(a|a)*x", r"(?:a|aa)+x", r"^a*a*a*x", r"(?:(?!.*x)a)*y", r"(?>(a+)+x)"],
)
def test_the_measure_tells_what_is_refused(pattern: str):
    assert danger(pattern) is not None
    times, most = growth(pattern)
    assert times > 5.5 or most >= MOST


@pytest.mark.parametrize(
    "pattern", [r"(a|b)+c", r"a*?b", r"^(ab|a)*$", r"(?>a+)b", r"[^a]b{1,2}", r"(?=ab)a.*b", "aa?b"]
)
@pytest.mark.parametrize("text", ["", "a", "b", "ab", "aab", "abab", "bbb", "aabbab!", "cab", "ba!"])
def test_the_measure_searches_as_re_does(pattern: str, text: str):
    """A search that finds nothing has tried every place of the text."""
    whole = steps_of(f"(?:{pattern})~", text, MOST)
    assert (steps_of(pattern, text, MOST) < whole) is (re.search(pattern, text) is not None)
