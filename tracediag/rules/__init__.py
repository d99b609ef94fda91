"""The rules, found by walking this package: no list anywhere names them."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tracediag.errors import UnknownRuleError
from tracediag.rules.base import Rule
from tracediag.rules.failing import failure_rules
from tracediag.rules.late_pages import late_page
from tracediag.rules.selection import alike
from tracediag.rules.selection import find_rules as _find_rules

__all__ = ["Rule", "UnknownRuleError", "all_rules", "find_rule", "find_rules", "with_finders"]


_FAILURES = "failure"
"""The family whose pages have heads of another kind: `tracediag.rules.heads`."""


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Return every rule, in the order of the codes."""
    files = _files()
    for file in files:
        if file.suffix == ".py":
            importlib.import_module(f"{__name__}.{file.parent.name}.{file.stem}")
    failure_rules()
    late = {page: late_page(page, page.read_text("utf-8"), f"{__name__}.{page.parent.name}") for page in _pages(files)}
    early = [page for page, rule in late.items() if rule is None]
    if early:
        from tracediag.rules.page_rules import pattern_rules  # noqa: PLC0415  # it needs the language of queries

        pattern_rules(early)
    ours = (rule for rule in _subclasses(Rule) if hasattr(rule, "code") and rule.__module__.startswith(f"{__name__}."))
    return tuple(sorted(ours, key=lambda rule: rule.code))


def _files() -> list[Path]:
    """Return the files of the families. No `pkgutil`: it imports what takes longer than all that it would find."""
    return sorted(Path(__path__[0]).glob("[!_]*/*.*"))


def _pages(files: list[Path]) -> list[Path]:
    """Return the pages that are rules and nothing else, except those about failed calls, which have other heads."""
    modules = {file.with_suffix(".md") for file in files if file.suffix == ".py"}
    pages = (file for file in files if file.suffix == ".md" and not file.name.startswith("_"))
    return [page for page in pages if page.parent.name != _FAILURES and page not in modules]


def _subclasses(parent: type[Rule]) -> list[type[Rule]]:
    return [found for child in parent.__subclasses__() for found in (child, *_subclasses(child))]


def find_rules(words: str | Iterable[str], among: Iterable[type[Rule]] | None = None) -> tuple[type[Rule], ...]:
    """Return the rules that names, codes, prefixes of codes ("TD5") and families ("epoll") mean, in that order.

    A plain string may hold several, comma-separated; `among` are the rules to choose from, by default those of
    tracediag itself. Raises `UnknownRuleError`, which suggests names.
    """
    return _find_rules(words, all_rules() if among is None else among)


def find_rule(name_or_code: str, among: Iterable[type[Rule]] | None = None) -> type[Rule]:
    """Return one rule by its name or code, whatever the case, likewise. Raises `UnknownRuleError`."""
    rules = all_rules() if among is None else tuple(among)
    wanted = name_or_code.lower()
    for rule in rules:
        if wanted in (rule.name, rule.code.lower()):
            return rule
    raise UnknownRuleError(name_or_code, alike(name_or_code, rules))


def with_finders(rules: Iterable[type[Rule]]) -> tuple[type[Rule], ...]:
    """Return some rules and, after them, those that report findings under their names: see `Rule.found_by`."""
    asked = tuple(rules)
    missing = {rule.found_by for rule in asked} - {rule.name for rule in asked} - {""}
    return (*asked, *map(find_rule, sorted(missing)))
