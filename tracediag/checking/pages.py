"""Checks the pages of folders of rules, all problems of all pages at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from tracediag.checking.heads import check_head, declared
from tracediag.checking.queries import check_query, facts_of
from tracediag.checking.traces import MOST_TRACES, check_traces, traces_of
from tracediag.ownrules.folder import PageText, brief, pages_in, rule_name, shown
from tracediag.ownrules.heads import place_in, queries_of
from tracediag.ownrules.legality import Taken, flaw_of_words
from tracediag.ownrules.pages import rule_of_page
from tracediag.ownrules.plugins import Plugin, plugins
from tracediag.results.problems import Check, Problem
from tracediag.rules import Rule
from tracediag.trace.patterns import lazy_pattern

_TITLE = lazy_pattern(r"^# (\S++) \((\w++)\)[ \t]*+$", re.MULTILINE)

MOST_PROBLEMS = 100
"""Problems of one page that are told: it is no page where there are more."""


def check_folders(folders: Iterable[str | os.PathLike[str]]) -> Check:
    """Check the pages of some folders.

    Raises:
        RulesFolderError: if one cannot be read.
    """
    taken, problems = Taken(), list[Problem]()
    pages = traces = 0
    for each in plugins():
        if isinstance(each, Plugin):
            taken.take(each.rule, each.place)
    for folder in folders:
        for page in pages_in(folder):
            if isinstance(page, Problem):
                problems.append(page)
            else:
                pages += 1
                traces += min(len(traces_of(page.text)), MOST_TRACES)
                found = list(islice(_Checked(page, taken).problems(), MOST_PROBLEMS))
                problems += sorted(found, key=_order)
    return Check(pages=pages, traces=traces, problems=tuple(dict.fromkeys(problems)))


def _order(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


class _Checked:
    """One page that is being checked."""

    def __init__(self, page: PageText, taken: Taken) -> None:
        self._page, self._path, self._text = page, page.path, page.text
        self._taken = taken
        self._hopeless = False

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the page; one that is not a rule is checked as far as it goes."""
        told: set[int | None] = set()
        for problem in self._of_queries():
            told.add(problem.line)
            yield problem
        if self._page.is_hidden:
            return
        found = rule_of_page(self._page)
        for problem in (*self._of_words(found.rule), *self._of_head(), *found.problems):
            if problem.line is None or problem.line not in told:
                told.add(problem.line)
                yield problem
        yield from self._of_needs()
        if found.rule is not None and not self._hopeless:
            for remark in check_traces(found.rule, self._text):
                yield self._problem(remark.message, remark.line)

    def _problem(self, message: str, line: int | None = None, column: int | None = None) -> Problem:
        return Problem(
            file=shown(self._path), line=line, column=column, message=brief(message), rule=rule_name(self._path)
        )

    def _at(self, index: int, message: str) -> Problem:
        return self._problem(message, *place_in(self._text, index))

    def _of_queries(self) -> Iterator[Problem]:
        for field in queries_of(self._text):
            for remark in check_query(field.text):
                self._hopeless |= remark.hopeless
                yield self._at(field.start + remark.place, remark.message)

    def _of_words(self, rule: type[Rule] | None) -> Iterator[Problem]:
        """Yield what is wrong with the name and the code."""
        title = _TITLE.search(self._text)
        if rule is not None:
            flaw = self._taken.take(rule, shown(self._path))
        else:
            flaw = None if title is None else flaw_of_words(title[2], title[1])
        if flaw is not None:
            yield self._at(0 if title is None else title.start(), flaw)

    def _of_head(self) -> Iterator[Problem]:
        for error in check_head(self._path, self._text):
            yield self._problem(error.message, error.line)

    def _of_needs(self) -> Iterator[Problem]:
        """Yield the facts that a query needs and the head does not declare."""
        known = declared(self._text)
        for field in (each for each in queries_of(self._text) if each.name == "match"):
            lacking = sorted(facts_of(field.text) - known)
            if lacking:
                said = f"the query needs {' and '.join(lacking)}, which not every recording has"
                yield self._at(field.start, f"{said}: add `needs: {', '.join(sorted({*known, *lacking}))}` to the head")
