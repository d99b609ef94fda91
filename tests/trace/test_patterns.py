"""A lazy pattern is compiled when it is first used, and is then as good as any."""

import re

import pytest

from tracediag.trace.patterns import lazy_pattern


def test_it_is_compiled_when_first_used():
    broken = lazy_pattern("(")
    with pytest.raises(re.error):
        broken.match("")


def test_it_does_what_a_compiled_one_does():
    lazy, compiled = lazy_pattern(r"(a)(?P<rest>b+)", re.IGNORECASE), re.compile(r"(a)(?P<rest>b+)", re.IGNORECASE)
    text = "xABBab"
    assert lazy.search(text)["rest"] == "BB"
    assert lazy.findall(text) == compiled.findall(text)
    assert lazy.sub("-", text) == "x--"
    assert (lazy.pattern, lazy.flags, lazy.groups) == (compiled.pattern, compiled.flags, compiled.groups)


def test_a_method_is_looked_up_once():
    lazy = lazy_pattern("a")
    assert lazy.match is lazy.match
