"""Rules of tracediag that are pages about one call, read as rules only once such a call comes.

To read a query takes the parser of its language, which costs a short trace more than all else. What such a page
subscribes to stands in the text of its queries: each names its calls (`call == fcntl`) or its errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from tracediag.kernel import Action
from tracediag.results.findings import Finding, Severity
from tracediag.rules.base import Rule, Subscription
from tracediag.rules.heads import paragraphs, split_head
from tracediag.trace.patterns import lazy_pattern

_TITLE = lazy_pattern(r"# ([a-z0-9-]++) \((TD[0-9]++)\)\n")
_NAMED = lazy_pattern(r"(?<![\w.])(call|errno) (?>== (\w++)|in \(([\w, \n]++)\))")
_LATE = lazy_pattern(r"(?!sequence|count|absent|_?[a-z0-9]++(?>-[a-z0-9]++)++$)")


class LatePage(Rule):
    """A rule that is a page about one call; the classes are made by `late_page`."""

    file: ClassVar[Path]
    queries: ClassVar[tuple[str, ...]]

    @cached_property
    def _rule(self) -> Rule:
        from tracediag.rules.page_rules import rule_of  # noqa: PLC0415  # it needs the language of queries

        rule = rule_of(self.file, self.file.read_text("utf-8"))()
        rule.scope = self.scope
        return rule

    @classmethod
    def page_file(cls) -> Path:
        """Return the file of the page."""
        return cls.file

    @classmethod
    def subscriptions(cls) -> dict[Subscription, list[str]]:
        """Return what its queries must see."""
        return {each: ["heard"] for query in cls.queries for each in _needed(query)}

    def heard(self, action: Action) -> Iterable[Finding]:
        """Report the matches of a call."""
        found: Iterable[Finding] = self._rule.heard(action)  # type: ignore[attr-defined]  # a PatternRule
        return found


def late_page(path: Path, text: str, package: str) -> type[LatePage] | None:
    """Return the rule that a page of tracediag is; None if it has to be read now: it is about several calls."""
    head, page = split_head(text)
    title = _TITLE.match(page)
    card, *rest = paragraphs(head)
    queries = tuple(fields["match"].words for fields in rest if "match" in fields)
    if title is None or "needs" in card or not all(_LATE.match(query) and any(_needed(query)) for query in queries):
        return None
    return type(
        title[1].title().replace("-", ""),
        (LatePage,),
        {
            "__module__": f"{package}.{path.stem}",
            "__doc__": card["summary"].words,
            "code": title[2],
            "name": title[1],
            "severity": Severity(card["severity"].words),
            "summary": card["summary"].words,
            "file": path,
            "queries": queries,
        },
    )


def _needed(query: str) -> Iterator[Subscription]:
    """Yield the calls, or failures of calls, that a query names; nothing where it names neither."""
    named: dict[str, list[str]] = {"call": [], "errno": []}
    for found in _NAMED.finditer(query):
        named[found[1]] += re.findall(r"\w+", found[2] or found[3])
    calls, errnos = named["call"], named["errno"]
    if not calls:
        yield from (("errno", errno) for errno in errnos)
    elif not errnos:
        yield from (("call", call) for call in calls)
    else:
        yield from (("failure", f"{call} {errno}") for call in calls for errno in errnos)
