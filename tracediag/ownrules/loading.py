"""Loads all rules that an analysis may apply: ours, those of installed packages, those of the user's folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import msgspec

from tracediag.ownrules.folder import PageText, RulesFolderError, pages_in, shown
from tracediag.ownrules.legality import Taken, flaw_of_class
from tracediag.ownrules.plugins import Plugin, plugins
from tracediag.results.problems import Problem
from tracediag.results.report import BrokenRule
from tracediag.rules import Rule, all_rules

__all__ = ["OwnRules", "RuleSet", "RulesFolderError", "load_rules"]

OwnRule = str | os.PathLike[str] | type[Rule]
"""A folder of pages, or a rule written in Python."""


class RuleSet(msgspec.Struct, frozen=True):
    """The rules that can be applied, and what is wrong with those that cannot."""

    rules: tuple[type[Rule], ...]
    """Ours in the order of their codes, then the user's own in the order of theirs."""
    problems: tuple[Problem, ...] = ()

    @property
    def broken(self) -> tuple[BrokenRule, ...]:
        """The rules that could not be loaded, as a report names them."""
        return tuple(
            BrokenRule(rule=each.rule, line=None, error=each.message, own=True, place=each.place)
            for each in self.problems
        )


OwnRules = OwnRule | Iterable[OwnRule] | RuleSet
"""What names the rules of the user's own; a `RuleSet` has been loaded already."""


def load_rules(own: OwnRules = ()) -> RuleSet:
    """Load our rules, those of installed packages, and those that are named; a broken one costs no other.

    Raises:
        RulesFolderError: if a folder is none, or cannot be read.
        TypeError: if something else than a folder or a class of a rule is named.
    """
    if isinstance(own, RuleSet):
        return own
    taken = Taken()
    rules: list[type[Rule]] = []
    problems: list[Problem] = []
    for found in (*plugins(), *_named(own)):
        if isinstance(found, Problem):
            problems.append(found)
        elif (flaw := taken.take(found.rule, found.place)) is not None:
            problems.append(Problem(file=found.place, message=flaw, rule=found.rule.name))
        else:
            rules.append(found.rule)
    return RuleSet((*all_rules(), *sorted(rules, key=_order)), tuple(problems))


def _order(rule: type[Rule]) -> tuple[str, int, str]:
    letters = rule.code.rstrip("0123456789")
    return letters, len(rule.code), rule.code


def _named(own: OwnRule | Iterable[OwnRule]) -> Iterator[Plugin | Problem]:
    seen: set[str] = set()
    for each in [own] if isinstance(own, str | os.PathLike | type) else own:
        if isinstance(each, type):
            flaw = flaw_of_class(each)
            if flaw is not None:
                raise TypeError(flaw)
            yield Plugin(each, f"{each.__module__}.{each.__qualname__}")
        elif (folder := os.path.realpath(each)) not in seen:
            seen.add(folder)
            for page in pages_in(each):
                yield from (page,) if isinstance(page, Problem) else _of_page(page)


def _of_page(page: PageText) -> Iterator[Plugin | Problem]:
    if page.is_hidden:
        return
    from tracediag.ownrules.pages import rule_of_page  # noqa: PLC0415  # it needs the language of queries

    found = rule_of_page(page)
    if found.rule is not None and not found.problems:
        yield Plugin(found.rule, shown(page.path))
    yield from found.problems
