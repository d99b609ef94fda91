"""The three separate statements about a finding: how bad, how sure, and how well tried its rule is."""

from __future__ import annotations

import enum


class Graded(enum.StrEnum):
    """Names that are ordered by what they mean, not by their letters; members stand with the greatest first."""

    @property
    def rank(self) -> int:
        """The place in the order of a report: 0 for the greatest."""
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
        """Return the member of that name; raise TypeError for what is no name of this kind, as `<` does."""
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
    """How sure the trace makes it; `Confidence.CERTAIN >= Confidence.LIKELY` is True."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Maturity(Graded):
    """How long a rule has proved itself."""

    STABLE = "stable"
    PREVIEW = "preview"
