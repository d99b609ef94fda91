"""Which regular expressions are refused: those that divide one text among their repeats in too many ways."""

from __future__ import annotations

import pytest

from tracediag.query.expressions import MOST_TEXT, danger, loose_dots

AMBIGUOUS = [
    r"(a+)+$", r"(a*)*b", r"(\w+\s?)*$", r"(.*)+", r"(a?){50}", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(x+x+)+y",
    r"(?=(a+)+$)b", r"(a|aa)+$", r"([^/]*/?)+$", r"(?:(?:a|b)*)*c", r"(\d+|\w+)*x", r"(a.*)*z", r"(a|a)*b",
    r"(?>(a+)+b)", r"(?:(?:a+)+b)*+", r"(?:[ab]+){2}c",
    r"(?:a(?!b)|a)*$", r"(?i)(?:ab|AB)*x", r"(?i:sa|\u017fa)*x", r"(?:(?:|)a)*b", r"(?m-i:x)(?i:k|\u212ab?)*y",
]  # fmt: skip
SHARED = [
    r".*a.*b.*c", r"\s*\s*\s*x", r"a{1,50}a{1,50}a{1,50}", r"x*.*y*.*z", r"\d+\d+x", r".*a.*b", r"^a*a*a*x",
    r"/usr/.*/lib.*\.so", r"(.*)\1", r"[ab]*(?>a+)x", r"a*(?!.*x)b", r"(?m)^a*a*x", r"^a*a*x|a*a*x",
    r"\w+[^a]+x", r"[\u00e9]+\w+x", r"\S+\w+;", r"[^\u00e9]+\w+x", r"(?a)\w+\W+x",
]  # fmt: skip
WAYS = ["a?" * 25 + "a" * 25, "(a|a)" * 30, "(ab?|a)(b?c|c)(ab?|a)(b?c|c)(ab?|a).*x"]
LOOKING = [r"(?:(?=.*x)a)*", r"(?:(?<!x)(?!.*y).)+z"]
SOUND = [
    r"\.so(\.\d+)*$", r"\d+\.\d+\.\d+\.\d+", r"^.*a.*b", r"a.*b",
    r"^/usr/.*/lib.*\.so$", r"^/etc/(passwd|shadow)$", r"(foo|bar|baz)+x",
    r"([a-z]+/)+[a-z]+\.conf", r"(?>a+)+", r"(?:a++b)*", r"HTTP/1\.[01] 5\d\d", r"[^/]+/[^/]+/[^/]+$", r"(.|\n)*",
    r"(\w|-)+", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", r"(?i)select .* from", r"(['\"]).*\1", r"^$",
    r"(((a)))", r"[\w.]+@[\w.]+", r"(?<!x)\bPASS\w*=", r"(?:(?!foo).)*x",
    r"/etc/(passwd|shadow|group|hosts)", r"^(?=.*a)(?=.*b)", r"[\w.-]+@[\w.-]+\.\w+", r"/usr/[^/]*/lib[^/]*\.so",
    r"(?i)error.*timeout", r"\w+\s*=", r"(\w+)\s+(\w+)\s*\(", r"\d+\D+x", r"[^\w]+\w+;", r"\s+\S+:",
]  # fmt: skip


@pytest.mark.parametrize("pattern", AMBIGUOUS)
def test_ambiguous_repeats_are_refused(pattern: str) -> None:
    assert "in many ways" in (danger(pattern) or "")


@pytest.mark.parametrize("pattern", SHARED)
def test_repeats_that_share_one_text_are_refused(pattern: str) -> None:
    assert "repeats can match the same text" in (danger(pattern) or "")


@pytest.mark.parametrize("pattern", WAYS)
def test_branches_that_share_one_text_are_refused(pattern: str) -> None:
    assert "branches and optional parts" in (danger(pattern) or "")


@pytest.mark.parametrize("pattern", LOOKING)
def test_repeats_that_look_around_are_refused(pattern: str) -> None:
    assert "looks ahead or behind" in (danger(pattern) or "")


@pytest.mark.parametrize("pattern", SOUND)
def test_the_usual_is_not(pattern: str) -> None:
    assert danger(pattern) is None


def test_what_is_too_large_to_be_looked_at_is_refused() -> None:
    assert danger("a" * (MOST_TEXT + 1)) == "this expression has more than 2,000 characters"
    assert danger("[ab]c" * 200 + "d*") == "this expression is too large"
    assert danger("|".join(f"{number}-file" for number in range(200))) is None
    assert danger("(" * 900 + "a" + ")" * 900) in (None, "this expression nests too deeply")


def test_what_is_no_expression_is_left_to_the_compiler() -> None:
    assert danger("(") is None


@pytest.mark.parametrize(
    ("pattern", "dots"),
    [
        (r"config.json", [6]),
        (r"config\.json", []),
        (r"a.*b", []),
        (r"[a.b]c.d", [6]),
        (r"lib.+so", []),
        (r"x.y.z", [1, 3]),
        (r"\d.\d", []),
        (r"/a.b/", [2]),
        (r"a\\.b", []),
        (r"[]x.]y.z", [6]),
    ],
)
def test_dots_between_plain_characters_are_found(pattern: str, dots: list[int]) -> None:
    assert list(loose_dots(pattern)) == dots
