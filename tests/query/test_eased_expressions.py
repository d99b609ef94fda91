"""Expressions that are searched in another form: found in the same texts, and never slower than the square."""

from __future__ import annotations

import random
import re

import pytest

from tracediag.query import compile_query
from tracediag.query.easing import eased
from tracediag.query.expressions import danger

PIECES = ("a", "b", "ab", "a.", r"\.", r"\d", "[ab]", "ba", "")
LASTS = ("a", "b$", "ab", "(ab)+", "a?b", r"(\.\d+)*$", "", "$", "[^a]$")
ALPHABET = "abA.1\n"


def test_the_same_texts_have_a_match():
    source = random.Random(1)
    changed = 0
    for _ in range(1_500):
        pieces = [source.choice(PIECES) for _ in range(source.randint(1, 3))]
        pattern = source.choice(("", "^", "(?i)", "(?s)")) + ".*".join((*pieces, source.choice(LASTS)))
        other = eased(pattern)
        changed += other != pattern
        for _ in range(8):
            text = "".join(source.choices(ALPHABET, k=source.randint(0, 12)))
            assert (re.search(pattern, text) is None) is (re.search(other, text) is None), (pattern, other, text)
    assert changed > 500


@pytest.mark.parametrize(
    "pattern",
    [
        "a.*b.*c",
        ".*a.*b",
        r"/usr/.*/lib.*\.so(\.\d+)*$",
        "^a.*b.*c.*d$",
        "(?i)error.*time.*out",
        r"GET .*\.\w\w.*HTTP/1\.[01]",
    ],
)
def test_what_people_write_is_accepted(pattern):
    assert danger(pattern) is not None
    assert danger(eased(pattern)) is None
    assert compile_query(f'path ~ "{pattern}"')


@pytest.mark.parametrize(
    "pattern", [r"\d+.*\d+.*x", "a.*b+.*c", "a.*[^b].*c", "(a.*b.*c)", "a.*b.*c|d", r"a.*\s.*c", "a.*b.*?c", "a.*b.*+c"]
)
def test_other_pieces_are_left_as_they_are(pattern):
    """A piece that may take more or less, or the end of a line, is not found best where it is found first."""
    assert eased(pattern) == pattern


def test_an_expression_that_is_quick_is_left_as_it_is():
    assert eased("a.*b") == "a.*b"
