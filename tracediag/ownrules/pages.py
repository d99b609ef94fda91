"""The text of a page -> a rule: the page of a user's own says what ours say, and must not make a trace take forever."""

from __future__ import annotations

import msgspec

from tracediag.ownrules.folder import PageText, brief, rule_name, shown
from tracediag.results.problems import Problem
from tracediag.rules import Rule
from tracediag.rules.page_rules import PageError, rule_of


class PageRule(msgspec.Struct, frozen=True):
    """A page as a rule."""

    rule: type[Rule] | None
    """None where the page cannot be one, or must not be applied to any trace."""
    problems: tuple[Problem, ...]
    """Why it is not applied; empty where it is."""


def rule_of_page(page: PageText) -> PageRule:
    """Read a page."""
    file, name = shown(page.path), rule_name(page.path)
    try:
        rule = rule_of(page.path, page.text)
    except PageError as error:
        return PageRule(None, (Problem(file=file, line=error.line, message=brief(error.message), rule=name),))
    if rule.name != name:
        said = f"the page is of {rule.name}: its file has to be {rule.name.replace('-', '_')}.md"
        return PageRule(rule, (Problem(file=file, message=said, rule=name),))
    return PageRule(rule, ())
