"""Which codes and names a rule of the user's own may have, and what a class of a rule must have to be applied."""

from __future__ import annotations

from collections.abc import Iterable

from tracediag.evidence.scope import Fact
from tracediag.results.grades import Maturity, Severity
from tracediag.rules import Rule, all_rules
from tracediag.rules.base import OWN
from tracediag.rules.selection import families_of
from tracediag.trace.patterns import lazy_pattern

_CODE = lazy_pattern(r"([A-Z]{1,10})([0-9]{1,6})")
_NAME = lazy_pattern(r"[a-z][a-z0-9]*+(?>-[a-z0-9]++)*+")
_LONGEST = 60
"""Characters of a name."""
OURS = "TD"
"""The letters of the codes of tracediag's own rules."""


class Taken:
    """The codes and names that are taken, with what has each."""

    def __init__(self) -> None:
        self._by = {word: f"tracediag's own {rule.code}" for rule in all_rules() for word in (rule.code, rule.name)}
        self._by |= dict.fromkeys((*families_of(all_rules()), OWN), "a family of rules")

    def take(self, rule: type[Rule], place: str) -> str | None:
        """Return what is wrong with the code or name of a rule, None if nothing is: then they are taken."""
        flaw = flaw_of_words(rule.code, rule.name)
        if flaw is not None:
            return flaw
        for kind, word in (("code", rule.code), ("name", rule.name)):
            if word in self._by:
                return f"the {kind} {word} is taken by {self._by[word]}"
        self._by |= {rule.code: place, rule.name: place}
        return None


def flaw_of_words(code: str, name: str) -> str | None:
    """Return what is wrong with the form of a code or name."""
    found = _CODE.fullmatch(code)
    if found is None:
        return f"the code {code!r} is not capital letters and a number, such as ACME101"
    if found[1] == OURS:
        return f"the code {code}: {OURS} stands for tracediag's own rules; take other letters, such as ACME{found[2]}"
    if _NAME.fullmatch(name) is None or len(name) > _LONGEST:
        return f"the name {name!r} is not lower-case words joined by hyphens, such as double-close"
    return None


def flaw_of_class(rule: object) -> str | None:
    """Return why something is no class of a rule that can be applied; None if it can."""
    if not (isinstance(rule, type) and issubclass(rule, Rule)):
        return "no class of a rule: it has to inherit from tracediag.rules.Rule"
    for field, (kind, word) in _FIELDS.items():
        if not isinstance(getattr(rule, field, None), kind):
            return f"{rule.__name__}.{field} is missing, or no {word}"
    if not _is_words(rule.needs) or (unknown := [need for need in rule.needs if need not in set(Fact)]):
        return f"{rule.__name__}.needs takes of {', '.join(Fact)}" + (
            f", not {unknown[0]}" if _is_words(rule.needs) else ""
        )
    if not _is_words(rule.rests_on) or not all(map(_is_words, _listed(rule.raised_by))):
        return f"{rule.__name__}: rests_on is names of calls, raised_by groups of them"
    if rule.found_by:
        return f"{rule.__name__}.found_by: only a rule of tracediag itself has findings that another rule reports"
    return None if rule.subscriptions() else f"{rule.__name__} subscribes to nothing: mark a method with @on_call"


_FIELDS: dict[str, tuple[type, str]] = {
    "code": (str, "text"),
    "name": (str, "text"),
    "summary": (str, "text"),
    "severity": (Severity, "Severity"),
    "maturity": (Maturity, "Maturity"),
}


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [None]


def _is_words(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str) and all(isinstance(each, str) for each in value)
