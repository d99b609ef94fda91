"""Keeps the score of what clients asked of a server and how they fared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .client import BadAnswerError


@dataclass(frozen=True)
class DriveResult:
    """How a server took its clients."""

    fault: str | None
    asked: int
    """How many answers were awaited (those of one connection count once)."""
    answered: int
    complaints: tuple[str, ...]
    """What was wrong, as the clients see it; a fault that only a trace shows leaves this empty."""


@dataclass
class Visit:
    """A visit to one server, and the score of its answers."""

    port: int
    asked: int = 0
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Do something that must succeed."""
        self.asked += 1
        try:
            yield
        except (OSError, BadAnswerError) as error:
            self.complaints.append(f"{what}: {error}")

    def result(self, fault: str | None) -> DriveResult:
        """Sum up."""
        return DriveResult(fault, self.asked, self.asked - len(self.complaints), tuple(self.complaints))
