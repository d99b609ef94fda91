"""Which findings mean failure: `--fail-on` and the key `fail-on` of the configuration, in one grammar.

    never                no finding
    warning              a finding that is a warning or worse
    error:likely         an error that is at least likely
    warning:certain>=3   three findings, each a warning or worse and certain
    error>=2/10 traces   an error that two in ten traces have: a fault that comes now and then

Several are separated by commas; each of them alone means failure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from tracediag.results.findings import Finding
from tracediag.results.grades import Confidence, Severity
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

NEVER = "never"
VALID = (
    f"{NEVER}, or SEVERITY[:CONFIDENCE][>=COUNT[/N traces]] with {', '.join(Severity)} as SEVERITY"
    f" and {', '.join(Confidence)} as CONFIDENCE"
)
"""What may be written, in words."""
_LIMIT = lazy_pattern(
    rf"({'|'.join(Severity)})(?::({'|'.join(Confidence)}))?"
    r"(?:\s*+>=\s*+([1-9][0-9]{0,8}+)(?:\s*+/\s*+([1-9][0-9]{0,8}+)\s*+traces)?)?",
    re.ASCII,
)
PATTERN = rf"^\s*({NEVER}|({'|'.join(Severity)})(:({'|'.join(Confidence)}))?"
PATTERN += r"(\s*>=\s*[1-9][0-9]{0,8}(\s*/\s*[1-9][0-9]{0,8}\s*traces)?)?)\s*(,|$)"
"""How a text of limits begins, for editors."""


class Limit(msgspec.Struct, frozen=True):
    """So many findings of a severity and a confidence, or worse and surer ones."""

    severity: Severity
    confidence: Confidence = Confidence.POSSIBLE
    count: int = 1
    traces: int | None = None
    """Of how many traces `count` must have one and the same finding; None where all findings are counted."""

    def reached(self, traces: Sequence[Iterable[Finding]], entries: Iterable[Finding] = ()) -> bool:
        """Whether there are as many findings; like incidents of one trace, which are folded into one, count once.

        Args:
            traces: the causes of each trace.
            entries: findings about the configuration, which all traces have.
        """
        if self.traces is None:
            return sum(map(self._counts, chain(entries, *traces))) >= self.count
        having = Counter(kind for causes in traces for kind in self._kinds(causes))
        most = max(having.values(), default=0)
        return any(map(self._counts, entries)) or most * self.traces >= self.count * len(traces) > 0

    def _kinds(self, causes: Iterable[Finding]) -> set[str]:
        return {cause.fingerprint for cause in causes if self._counts(cause)}

    def _counts(self, cause: Finding) -> bool:
        return cause.severity >= self.severity and cause.confidence >= self.confidence


def parse_limits(text: str) -> tuple[Limit, ...]:
    """Return the limits that a text names; none for "never".

    Raises:
        ValueError: if it is neither; the message says what is valid.
    """
    words = [word.strip() for word in text.split(",")]
    if not any(words):
        raise ValueError(f"no limit is named; write {VALID}")
    if words == [NEVER]:
        return ()
    return tuple(_limit(word) for word in words)


def _limit(word: str) -> Limit:
    found = _LIMIT.fullmatch(word)
    if word == NEVER:
        raise ValueError(f"{NEVER} stands alone")
    if found is None:
        raise ValueError(f"{word!r} is not {VALID}")
    severity, confidence, count, traces = found.groups()
    limit = Limit(Severity(severity), Confidence(confidence or Confidence.POSSIBLE), checked_integer(count or "1"))
    if traces is None:
        return limit
    if (of := checked_integer(traces)) < limit.count:
        raise ValueError(f"{word!r}: {limit.count} is more than all {of} traces")
    return msgspec.structs.replace(limit, traces=of)
