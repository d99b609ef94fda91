"""Which findings mean failure: `--fail-on` and the key `fail-on` of the configuration, in one grammar.

    never                no finding
    warning              a finding that is a warning or worse
    error:likely         an error that is at least likely
    warning:certain>=3   three findings, each a warning or worse and certain

Several are separated by commas; each of them alone means failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from tracediag.results.findings import Finding
from tracediag.results.grades import Confidence, Severity
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

NEVER = "never"
VALID = (
    f"{NEVER}, or SEVERITY[:CONFIDENCE][>=COUNT] with {', '.join(Severity)} as SEVERITY"
    f" and {', '.join(Confidence)} as CONFIDENCE"
)
"""What may be written, in words."""
_LIMIT = lazy_pattern(
    rf"({'|'.join(Severity)})(?::({'|'.join(Confidence)}))?(?:\s*+>=\s*+([1-9][0-9]{{0,8}}+))?", re.ASCII
)
PATTERN = rf"^\s*({NEVER}|({'|'.join(Severity)})(:({'|'.join(Confidence)}))?(\s*>=\s*[1-9][0-9]{{0,8}})?)\s*(,|$)"
"""How a text of limits begins, for editors."""


class Limit(msgspec.Struct, frozen=True):
    """So many findings of a severity and a confidence, or worse and surer ones."""

    severity: Severity
    confidence: Confidence = Confidence.POSSIBLE
    count: int = 1

    def reached(self, causes: Iterable[Finding]) -> bool:
        """Whether these findings are as many; like incidents, which are folded into one finding, count once."""
        counted = (cause for cause in causes if self._counts(cause))
        return sum(1 for _ in counted) >= self.count

    def _counts(self, cause: Finding) -> bool:
        return cause.severity >= self.severity and cause.confidence >= self.confidence


def parse_limits(text: str) -> tuple[Limit, ...]:
    """Return the limits that a text names; none for "never".

    Raises:
        ValueError: if it is neither; the message says what is valid.
    """
    words = [word.strip() for word in text.split(",")]
    if words == [NEVER]:
        return ()
    return tuple(_limit(word) for word in words)


def _limit(word: str) -> Limit:
    found = _LIMIT.fullmatch(word)
    if word == NEVER:
        raise ValueError(f"{NEVER} stands alone")
    if found is None:
        raise ValueError(f"{word!r} is not {VALID}")
    severity, confidence, count = found.groups()
    return Limit(Severity(severity), Confidence(confidence or Confidence.POSSIBLE), checked_integer(count or "1"))
