"""Rules of tracediag that are pages about one call, read as rules only once such a call comes.

To read a query takes the parser of its language, which costs a short trace more than all else. What such a page
subscribes to stands in the text of its queries: each names its calls (`call == fcntl`) or its errors. The constants
that it names (`flags has F_SETFL`) and what evidence finds for it (`length.negative < 0`) are asked for first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.flag_mixups import confusion
from tracediag.evidence.lengths import MARKS, negative_length
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Finding
from tracediag.rules.base import Rule, Subscription
from tracediag.rules.heads import Field, last_calls, paragraphs, split_head
from tracediag.rules.page_cards import TITLE, class_name, described
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Signal

_NAMED = lazy_pattern(r"(?<![\w.])(call|errno|signal|exit\.signal) (?>== (\w++)|in \(([\w, \n]++)\))")
_MARKED = lazy_pattern(r"(?>\(flags has \w++(?> or flags has \w++)*+\)|flags has \w++) and call ")
_HAS = lazy_pattern(r"(?<=has )\w++")
_CODE = lazy_pattern(r"signal == \w++ and si_code == (\w++) and ")
_STRICT = lazy_pattern(r"exit\.signal == (\w++) and process\.strict")
_LAST = "end.last and "
_LATE = lazy_pattern(r"(?!sequence|count|absent|_?[a-z0-9]++(?>-[a-z0-9]++)++$)")
_GROUP = lazy_pattern(r"\([^()]*+\)")
_JOINED = lazy_pattern(r";|\b(?:or|not)\b")
_ASKED = lazy_pattern(r"(?:\A|\band )([\w.]++) (?:in|has|==|<) (?!\"\")")


class _Fact(msgspec.Struct, frozen=True):
    """What a query may need of a call, and evidence finds without it."""

    holds: Callable[[Action], bool]
    texts: tuple[str, ...] = ()
    """Texts of which such a call shows one; empty if none is known."""


_FACTS = {
    "flags.confused": _Fact(lambda action: confusion(action) is not None),
    "length.negative": _Fact(lambda action: negative_length(action.call) is not None, MARKS),
}
"""By their names in queries, those that hold for hardly any call."""


class LatePage(Rule):
    """A rule that is a page about one call; the classes are made by `late_page`."""

    file: ClassVar[Path]
    queries: ClassVar[tuple[str, ...]]
    marks: ClassVar[tuple[str, ...]]
    """Constants of which a call that matches shows one, where each query says so: `flags has F_SETFL`."""
    fact: ClassVar[_Fact | None]
    """What holds for a call that matches, where it is known."""
    codes: ClassVar[tuple[str, ...]]
    """The values of `si_code` of which a signal that matches shows one, where each query about signals says so."""
    killers: ClassVar[tuple[str, ...]]
    """The signals by which an end that matches came."""
    strict: ClassVar[tuple[str, ...]]
    """Those of them that count in seccomp strict mode alone: SIGKILL ends many a process."""
    waits: ClassVar[bool]
    """Whether it waits for the end of processes."""
    is_last: ClassVar[bool]
    """Whether a call that matches is the last one of its process: then no other need be asked about."""

    def __init__(self) -> None:
        self._latest: Cases[Process, Action] = Cases()
        """The latest call of each process that may match, where it has to be the last."""

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
        found = {each: ["heard"] for query in cls.queries for each in _needed(query)}
        found |= {
            ("call", call): ["seen"]
            for query in cls.queries
            for call in last_calls(query)
            if ("call", call) not in found
        }
        return {**found, ("process end", ""): ["left"]} if cls.waits else found

    @classmethod
    def texts_of(cls, method: str) -> tuple[str, ...]:
        """Return the texts of which a call that matches shows one."""
        texts = cls.marks or (() if cls.fact is None else cls.fact.texts)
        return texts if method == "heard" else ()

    def heard(self, action: Action) -> Iterable[Finding]:
        """Report the matches of a call, signal or end, unless it can be none without the query being read."""
        if not self._may_match(action):
            return ()
        if self.is_last:
            self._latest[action.process] = action
            return ()
        found: Iterable[Finding] = self._rule.heard(action)  # type: ignore[attr-defined]  # a PatternRule
        return found

    def seen(self, action: Action) -> None:
        """Take a call that the queries ask for as the last one before a signal: the model remembers it."""

    def _may_match(self, action: Action) -> bool:
        match action.event:
            case Signal(info=info):
                return not self.codes or any(code in info for code in self.codes)
            case Exit(signal=signal):
                return signal in self.killers and (signal not in self.strict or action.process.strictly_confined)
        if self.fact is not None and not self.fact.holds(action):
            return False
        return not self.marks or any(map(action.call.has, self.marks))  # dear where the call shows a path

    def left(self, end: ProcessEnd) -> Iterable[Finding]:
        """Report the matches that counted on how their process would end."""
        latest = self._latest.pop(end.process, None)
        if latest is not None and end.thread is not None and end.thread.last_call is latest.call:
            yield from self._rule.heard(latest)  # type: ignore[attr-defined]
        if "_rule" in self.__dict__:
            yield from self._rule.left(end)  # type: ignore[attr-defined]

    def rests(self, finding: Finding) -> Collection[str]:
        """Return the calls on whose absence a finding rests."""
        return self._rule.rests(finding)


def late_page(path: Path, text: str, package: str) -> type[LatePage] | None:
    """Return the rule that a page of tracediag is; None if it has to be read now: it is about several calls."""
    head, page = split_head(text)
    title = TITLE.match(page)
    card, *rest = paragraphs(head)
    queries = tuple(fields["match"].words for fields in rest if "match" in fields)
    if title is None or "needs" in card or not all(_LATE.match(query) and any(_needed(query)) for query in queries):
        return None
    return type(
        class_name(title),
        (LatePage,),
        {
            **described(path, title, card, package),
            "queries": queries,
            "marks": _marks(queries),
            "fact": _fact(queries),
            "codes": _codes(queries),
            "strict": tuple(name for query in queries for name in _STRICT.findall(query)),
            "killers": tuple(name for query in queries for name in _names_in(query)["exit.signal"]),
            "waits": any("ended" in fields for fields in rest),
            "is_last": all(_is_last(fields) for fields in rest if "match" in fields),
            "rests_on": _rests(rest),
        },
    )


def _is_last(case: dict[str, Field]) -> bool:
    """Whether what a case matches counts only as the last call of its process."""
    return "ended" in case and case["ended"].words.startswith(_LAST)


def _rests(cases: list[dict[str, Field]]) -> frozenset[str]:
    """Return the calls on whose absence a finding of one of the cases rests."""
    fields = (case["rests_on"] for case in cases if "rests_on" in case)
    return frozenset(word.strip() for field in fields for word in field.words.split(","))


def _marks(queries: tuple[str, ...]) -> tuple[str, ...]:
    """Return the constants of which each query requires one, if each begins so: `(flags has A or flags has B) and`."""
    found = [_MARKED.match(query) for query in queries]
    return tuple(word for each in found if each is not None for word in _HAS.findall(each[0])) if all(found) else ()


def _codes(queries: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reasons of which each query about a signal requires one, if each begins so."""
    found = [_CODE.match(query) for query in queries if _names_in(query)["signal"]]
    return tuple(each[1] for each in found if each is not None) if all(found) else ()


def _names_in(query: str) -> dict[str, list[str]]:
    """Return the calls, errors and signals that a query names, and the signals by which an end came."""
    named: dict[str, list[str]] = {"call": [], "errno": [], "signal": [], "exit.signal": []}
    for found in _NAMED.finditer(query):
        named[found[1]] += re.findall(r"\w+", found[2] or found[3])
    return named


def _fact(queries: tuple[str, ...]) -> _Fact | None:
    """Return what the only query of a page needs of each call, if it is one of `_FACTS`."""
    if len(queries) != 1:
        return None
    plain, grouped = queries[0], 1
    while grouped:
        plain, grouped = _GROUP.subn("", plain)
    asked = () if _JOINED.search(plain) else _ASKED.findall(plain)
    return next((_FACTS[name] for name in asked if name in _FACTS), None)


def _needed(query: str) -> Iterator[Subscription]:
    """Yield the calls, failures of calls, signals and ends that a query names; nothing where it names none."""
    named = _names_in(query)
    calls, errnos = named["call"], named["errno"]
    yield from (("signal", signal) for signal in named["signal"])
    if named["exit.signal"]:
        yield "exit", ""
    if not calls:
        yield from (("errno", errno) for errno in errnos)
    elif not errnos:
        yield from (("call", call) for call in calls)
    else:
        yield from (("failure", f"{call} {errno}") for call in calls for errno in errnos)
