"""The card of a page that is a rule: the first paragraph of its head, with its title."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from tracediag.evidence.scope import Fact
from tracediag.results.findings import Confidence, Severity
from tracediag.rules.heads import Field, HeadError, word_of, words_of
from tracediag.trace.patterns import lazy_pattern

CARD = ("severity", "summary", "needs", "rests_on", "confidence")
TITLE = lazy_pattern(r"# ([a-z0-9]++(?>-[a-z0-9]++)*+) \(([A-Z]{1,8}[0-9]{1,6})\)\n")
"""The first line below the head: the name of the rule, and its code."""


class Outcome(StrEnum):
    """What would disprove a finding: where the recording shows no such calls, it proves nothing."""

    SUCCESSES = "successes"
    FAILURES = "failures"


def described(path: Path, title: re.Match[str], card: dict[str, Field], package: str) -> dict[str, object]:
    """Return what the class of a rule says of itself.

    Raises:
        HeadError: if a word of the card is none of those that may stand there.
    """
    rests = words_of(Outcome, card, "rests_on")
    return {
        "__module__": f"{package}.{path.stem}",
        "__doc__": card["summary"].words,
        "code": title[2],
        "name": title[1],
        "severity": word_of(Severity, card, "severity"),
        "summary": card["summary"].words,
        "needs": words_of(Fact, card, "needs"),
        "rests_on_successes": Outcome.SUCCESSES in rests,
        "rests_on_failures": Outcome.FAILURES in rests,
        "most": word_of(Confidence, card, "confidence") or Confidence.CERTAIN,
        "file": path,
    }


def class_name(title: re.Match[str]) -> str:
    """Return the name of the class: that of the rule without its hyphens."""
    return title[1].title().replace("-", "")


def check_card(fields: dict[str, Field], cases: Iterable[str]) -> None:
    """Check the first paragraph of a head.

    Raises:
        HeadError: if a field is unknown or missing, or belongs to a case.
    """
    for name in cases:
        if name in fields and name not in CARD:
            raise HeadError(fields[name].line - 1, f"a blank line has to follow: {name} begins a case")
    check_fields(fields, CARD, optional=("needs", "rests_on", "confidence"))


def check_fields(fields: dict[str, Field], known: Iterable[str], optional: Iterable[str]) -> None:
    """Check that a paragraph has all fields that it needs, and no others.

    Raises:
        HeadError: if it does not.
    """
    known = tuple(known)
    for name, field in fields.items():
        if name not in known:
            raise HeadError(field.line, f"no field of a head is named {name}; here may stand {', '.join(known)}")
        if not field.words:
            raise HeadError(field.line, f"{name} is empty")
    missing = [name for name in known if name not in fields and name not in optional]
    if missing:
        line = min((field.line for field in fields.values()), default=1)
        where = "the paragraph" if fields else "the head"
        raise HeadError(line, f"{where} lacks {' and '.join(missing)}")
