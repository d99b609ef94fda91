"""Rules that are a page and nothing else: `<name>.md`, whose head says in the language of queries what it matches.

    ---
    severity: warning
    summary: a program sends again after EPIPE

    match: sequence by description
      [call in %send and errno == EPIPE]
      [call in %send and errno == EPIPE]
    title: {process.comm|the program} sends again on {object}, whose peer has closed it
    notes: the peer has closed the connection | the program sends again
    why: a connection that failed with EPIPE never works again: send(2)
    fix: close the descriptor at the first EPIPE
    ---

The first paragraph is the card: `severity` and `summary`, and if wanted `needs` (facts, comma-separated),
`rests_on` (`successes` or `failures`, where one would disprove a finding) and `confidence` (certain unless it says
otherwise). Each further paragraph is a case: `match`, `title`, `why` and `fix`,
and if wanted `notes` for the steps, separated by bars between blanks, and what `tracediag.rules.wording` has besides.
A paragraph that begins with `when` says what else is said where its condition is true. `match` may also be the name of
another page of the same folder: the case then matches what that page does. A page whose name begins with an underscore
has `match` alone: it is no rule, but others refer to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tracediag.rules.cases import CASE, Case, cases_of
from tracediag.rules.heads import Field, HeadError, paragraphs, split_head
from tracediag.rules.page_cards import TITLE, check_card, class_name, described
from tracediag.rules.pattern_rules import PatternRule
from tracediag.trace.calls import SYSCALLS

_MOST_CASES = 100
"""Cases of a page: each is asked about each call that it may match."""


class PageError(ValueError):
    """A page is no rule."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        """Set the page, the 1-based line in it, and what is wrong, in one line."""
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line
        self.message = message


def pattern_rules(pages: Iterable[Path]) -> tuple[type[PatternRule], ...]:
    """Return the rules of tracediag that these pages are.

    Raises:
        PageError: if a page is no rule.
    """
    return tuple(rule_of(page, page.read_text("utf-8"), f"{__package__}.{page.parent.name}") for page in pages)


def rule_of(path: Path, text: str, package: str = "own") -> type[PatternRule]:
    """Return the rule that a page is.

    Args:
        path: the file of the page; pages that it refers to are read from its folder.
        text: its text.
        package: the package that the rule belongs to; those of users belong to none of tracediag's.

    Raises:
        PageError: if the page has no head or no title, a field is unknown, missing or wrong, or a query is.
    """
    head, page = split_head(text)
    title = TITLE.match(page)
    if not head:
        if page != text:
            raise PageError(path, 2, "the head is empty; it begins with severity and summary")
        flaw = "head has no end," if text.startswith("---\n") else "page has no head: it begins with"
        raise PageError(path, 1, f"the {flaw} a line of three dashes")
    if title is None:
        raise PageError(path, 3 + head.count("\n"), "below the head stands the title: # name-of-the-rule (XY123)")
    try:
        card, *rest = paragraphs(head)
        check_card(card, CASE)
        cases = cases_of(path, _bounded(rest) or [{}])
        return _made(path, title, card, cases, package)
    except HeadError as error:
        raise PageError(path, error.line, error.message) from None


def _bounded(cases: list[dict[str, Field]]) -> list[dict[str, Field]]:
    if len(cases) > _MOST_CASES:
        line = min(field.line for field in cases[_MOST_CASES].values())
        raise HeadError(line, f"a page has at most {_MOST_CASES} cases")
    return cases


def _made(
    path: Path, title: re.Match[str], card: dict[str, Field], cases: tuple[Case, ...], package: str
) -> type[PatternRule]:
    asked = [case.query.absent for case in cases]
    absent = SYSCALLS if None in asked else frozenset().union(*(each or () for each in asked))
    said = [each.rests_on or () for case in cases for each in case.wordings]
    return type(
        class_name(title),
        (PatternRule,),
        {
            **described(path, title, card, package),
            "rests_on": absent.union(*said),
            "absent": absent,
            "cases": cases,
        },
    )
