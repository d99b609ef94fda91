"""Which rules some words mean: names, codes, prefixes of codes, families; and which may have been meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from tracediag.errors import UnknownRuleError
from tracediag.rules.base import Rule
from tracediag.trace.patterns import lazy_pattern

_CODE = lazy_pattern(r"[a-z]++[0-9]*+")
_DIGITS = "0123456789"
_WORDS = lazy_pattern(r"[^a-z0-9]+")
_STOP_WORDS = frozenset(
    _WORDS.split(
        "and any are but can does for from has have how into its may not other rule rules some such than that the "
        "their then there these this those was what when where which while why will with"
    )
)
"""Words that say nothing of a fault; names and summaries are full of them."""
_SUGGESTED = 3
_IN_NAME, _IN_SUMMARY = 2.0, 1.0
"""What a word counts that a rule's name or its summary holds."""
_ALIKE = 0.6
"""How alike two words are, from 0 to 1, where one may be a slip of the other: `difflib`."""


def find_rules(words: str | Iterable[str], rules: Iterable[type[Rule]]) -> tuple[type[Rule], ...]:
    """Return the rules that are meant, each once, in the order of the words.

    Args:
        words: names ("double-close"), codes ("TD303"), prefixes of codes ("TD3") or families ("descriptor"), whatever
            the case; a plain string may hold several, comma-separated.
        rules: all rules, in the order of their codes.

    Raises:
        UnknownRuleError: if a word means no rule.
        TypeError: if a word is no text.
    """
    every = tuple(rules)
    found: dict[type[Rule], None] = {}
    for word in filter(None, map(str.strip, _listed(words))):
        meant = _meant(word.lower(), every)
        if not meant:
            raise UnknownRuleError(word, alike(word, every))
        found.update(dict.fromkeys(meant))
    return tuple(found)


def _listed(words: str | Iterable[str]) -> list[str]:
    if isinstance(words, str):
        return words.split(",")
    listed = list(words) if isinstance(words, Iterable) else [words]
    for word in listed:
        if not isinstance(word, str):
            raise TypeError(f"a rule is named by text, not by {type(word).__name__}")
    return listed


def _meant(word: str, rules: tuple[type[Rule], ...]) -> list[type[Rule]]:
    named = [rule for rule in rules if word == rule.name]
    if named:
        return named
    family = [rule for rule in rules if rule.family() == word]
    if family or not _CODE.fullmatch(word):
        return family
    letters = word.rstrip(_DIGITS)
    return [rule for rule in rules if (code := rule.code.lower()).startswith(word) and code.rstrip(_DIGITS) == letters]


def families_of(rules: Iterable[type[Rule]]) -> list[str]:
    """Return the families, each once, in the order of the rules."""
    return list(dict.fromkeys(rule.family() for rule in rules))


def alike(word: str, rules: Iterable[type[Rule]]) -> tuple[str, ...]:
    """Return names of rules and families that may have been meant by a word that is none, the most likely first."""
    every = tuple(rules)
    wanted = word.lower()
    scores = {rule.name: _score(wanted, rule.name, rule.summary) for rule in every}
    scores |= {family: _score(wanted, family, "") for family in families_of(every)}
    ranked = sorted((name for name, score in scores.items() if score), key=lambda name: (-scores[name], name))
    return tuple(ranked[:_SUGGESTED])


def _score(wanted: str, name: str, summary: str) -> float:
    """Return how well a word fits a rule, 0 where it does not: what it spells like, or what it is about."""
    ratio = difflib.SequenceMatcher(None, wanted, name).ratio()
    score = 2 * _IN_NAME * ratio if ratio >= _ALIKE else 0.0
    for part in filter(None, _WORDS.split(wanted)):
        if len(part) < 3 or part in _STOP_WORDS or re.fullmatch(r"td\d*", part):
            continue
        if any(held.startswith(part) for held in _WORDS.split(name)):
            score += _IN_NAME
        elif any(held.startswith(part) for held in _WORDS.split(summary.lower())):
            score += _IN_SUMMARY
    return score
