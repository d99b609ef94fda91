"""The cards of rules: what a report says of each rule that it names, so that its readers need no rules."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tracediag.results.report import RuleCard
from tracediag.rules.base import Rule

_MEANING = re.compile(r"^## What it finds\n(?P<first>(?>[^\n]++\n)*+)", re.MULTILINE)
_SENTENCE = re.compile(r"[^.!?]*+(?>[.!?](?!\s+[A-Z`*(\"]|\s*+$)[^.!?]*+)*+[.!?]?")


def cards(rules: Iterable[type[Rule]]) -> dict[str, RuleCard]:
    """Return the cards of these rules by their names, in alphabetical order."""
    return {rule.name: card(rule) for rule in sorted(rules, key=lambda rule: rule.name)}


def card(rule: type[Rule]) -> RuleCard:
    """Return the card of a rule."""
    family = rule.__module__.rpartition(".")[0].rpartition(".")[2]
    try:
        page = rule.page()
    except OSError:  # a rule of the user's own needs none
        page = ""
    return RuleCard(
        code=rule.code,
        severity=rule.severity,
        maturity=rule.maturity,
        summary=rule.summary,
        meaning=_first_sentence(page),
        family=family,
        tags=(family,),
    )


def _first_sentence(page: str) -> str:
    """Return the first sentence below "What it finds", on one line."""
    found = _MEANING.search(page)
    text = " ".join(found["first"].split()) if found is not None else ""
    sentence = _SENTENCE.match(text)
    return sentence.group() if sentence is not None else text
