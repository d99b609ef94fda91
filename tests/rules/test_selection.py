"""Which rules a word means, in the library as on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracediag
from tracediag.rules import UnknownRuleError, all_rules, find_rules

SAMPLE = Path(__file__).parents[2] / "samples" / "crashed" / "bug.strace"


def names(words):
    return [rule.name for rule in find_rules(words)]


def test_names_codes_prefixes_and_families():
    assert names("crashed") == names(["crashed"]) == names("TD501") == names(" td501 ") == ["crashed"]
    assert names("TD5") == [rule.name for rule in all_rules() if rule.code.startswith("TD5")]
    for family in ("epoll", "socket", "descriptor", "file", "process"):
        assert names(family) == [rule.name for rule in all_rules() if rule.family() == family] != []
    assert names("crashed, double-close") == names(["crashed", "TD303"])
    assert names(["TD501", "process"])[0] == "crashed"
    assert len(names(["process", "TD501"])) == len(names("process")), "each once"
    assert names("") == names([]) == []


def suggested(word):
    with pytest.raises(UnknownRuleError) as caught:
        find_rules(word)
    return caught.value.alike


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("epipe", "epipe-still-registered"),
        ("double-closed", "double-close"),
        ("epol", "epoll"),
        ("zombie", "child-not-reaped"),
        ("sigpipe", "send-without-nosignal"),
        ("dns", "dns-no-answer"),
    ],
)
def test_suggestions_by_spelling_and_by_meaning(word, meant):
    with pytest.raises(UnknownRuleError) as caught:
        find_rules(word)
    assert caught.value.alike[0] == meant
    assert f"did you mean {meant}" in str(caught.value)


@pytest.mark.parametrize("word", ["qqqq-xyzzy", "with-the", "the", "purple-elephant", "while that", "from"])
def test_nothing_is_suggested_for_words_that_name_no_fault(word):
    assert suggested(word) == ()


def test_a_stop_word_adds_nothing_to_the_words_beside_it():
    assert suggested("the zombie with that") == suggested("zombie")


@pytest.mark.parametrize("word", ["TD9", "TD599", "xyzzy"])
def test_no_code_is_suggested(word):
    with pytest.raises(UnknownRuleError) as caught:
        find_rules(word)
    assert caught.value.alike == ()


def test_the_library_takes_what_the_command_takes():
    for select in ("crashed", "TD5", "process", ["process"], "crashed,double-close", ("TD501",)):
        assert "crashed" in {finding.name for finding in tracediag.analyze(SAMPLE, select=select).findings}
    for ignore in ("crashed", "TD5", ["process"]):
        assert "crashed" not in {finding.name for finding in tracediag.analyze(SAMPLE, ignore=ignore).findings}
    with pytest.raises(KeyError):
        tracediag.analyze(SAMPLE, select="crash")
