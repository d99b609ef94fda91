"""The three separate grades of a finding: severity, confidence, and the maturity of its rule."""

from __future__ import annotations

import enum


class Graded(enum.StrEnum):
    """Names ordered by their meaning, not alphabetically; the members are listed from the greatest."""

    @property
    def rank(self) -> int:
        """The position in the order of a report: 0 for the greatest."""
        return list(type(self)).index(self)

    def __lt__(self, other: str) -> bool:
        return self.rank > self._of(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank >= self._of(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank < self._of(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank <= self._of(other).rank

    @classmethod
    def _of(cls, other: str) -> Graded:
        """Return the member of that name; raises TypeError for any other name, as `<` does."""
        try:
            return cls(other)
        except ValueError:
            raise TypeError(f"{cls.__name__} cannot be compared with {other!r}") from None


class Severity(Graded):
    """How bad the consequence is; `Severity.ERROR >= Severity.WARNING` is True."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Confidence(Graded):
    """How certain the trace makes it; `Confidence.CERTAIN >= Confidence.LIKELY` is True."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Maturity(Graded):
    """How well tested a rule is."""

    STABLE = "stable"
    PREVIEW = "preview"
