"""The rules, found by walking this package: no list anywhere names them."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from tracediag.errors import UnknownRuleError
from tracediag.rules.base import Rule

__all__ = ["Rule", "all_rules", "find_rule"]


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Return every rule, in the order of the codes."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    ours = (rule for rule in _subclasses(Rule) if hasattr(rule, "code") and rule.__module__.startswith(f"{__name__}."))
    return tuple(sorted(ours, key=lambda rule: rule.code))


def _subclasses(parent: type[Rule]) -> list[type[Rule]]:
    return [found for child in parent.__subclasses__() for found in (child, *_subclasses(child))]


def find_rule(name_or_code: str) -> type[Rule]:
    """Return a rule by its name or code, whatever the case.

    Raises:
        UnknownRuleError: if there is no such rule.
    """
    wanted = name_or_code.lower()
    for rule in all_rules():
        if wanted in (rule.name, rule.code.lower()):
            return rule
    raise UnknownRuleError(name_or_code)
