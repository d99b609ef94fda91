"""Counts the requests that clients make of a server, and their failures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .client import BadAnswerError


@dataclass(frozen=True)
class DriveResult:
    """How a server handled its clients."""

    fault: str | None
    asked: int
    """How many answers were awaited (those of one connection count once)."""
    answered: int
    complaints: tuple[str, ...]
    """What was wrong, as the clients see it; a fault that only a trace shows leaves this empty."""


@dataclass
class Visit:
    """A series of requests to one server, and their results."""

    port: int
    asked: int = 0
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Run an action that must succeed."""
        self.asked += 1
        try:
            yield
        except (OSError, BadAnswerError) as error:
            self.complaints.append(f"{what}: {error}")

    def result(self, fault: str | None) -> DriveResult:
        """Return the result."""
        return DriveResult(fault, self.asked, self.asked - len(self.complaints), tuple(self.complaints))
