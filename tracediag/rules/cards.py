"""The cards of rules: what a report says of each rule that it names, so that its readers need no rules."""

from __future__ import annotations

from collections.abc import Iterable

from tracediag.results.report import RuleCard
from tracediag.rules.base import Rule
from tracediag.rules.pages import parse_page


def cards(rules: Iterable[type[Rule]]) -> dict[str, RuleCard]:
    """Return the cards of these rules by their names, in alphabetical order."""
    return {rule.name: card(rule) for rule in sorted(rules, key=lambda rule: rule.name)}


def card(rule: type[Rule]) -> RuleCard:
    """Return the card of a rule."""
    family = rule.family()
    try:
        page = rule.page()
    except (OSError, ValueError):  # a rule of the user's own needs none
        page = ""
    parsed = parse_page(page)
    return RuleCard(
        code=rule.code,
        severity=rule.severity,
        maturity=rule.maturity,
        summary=rule.summary,
        meaning=parsed.first_sentence,
        family=family,
        tags=(family,),
        help=parsed.help,
    )
