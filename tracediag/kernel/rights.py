"""Descriptors in transit between processes: SCM_RIGHTS in unix(7)."""

from __future__ import annotations

from collections import deque

import msgspec

from tracediag.kernel.descriptor import OpenFile
from tracediag.trace.events import Begun, Syscall

_KEPT = 64


class Passed(msgspec.Struct, eq=False):
    """One message that carries descriptors and has not been received yet."""

    call: Syscall | Begun
    files: tuple[OpenFile, ...]
    notes: tuple[str | None, ...]
    """What `-y` shows of each descriptor."""
    to: OpenFile | None
    """The receiving socket, if the trace shows both ends."""


class Rights:
    """The messages in transit, oldest first; bounded, because the trace may never show their receipt."""

    def __init__(self) -> None:
        self._under_way: deque[Passed] = deque(maxlen=_KEPT)

    def send(self, passed: Passed) -> None:
        """Add a message; from now on a process outside the trace may hold its descriptors."""
        self._under_way.append(passed)
        for file in passed.files:
            file.sent = file.sent or passed.call

    def withdraw(self, line: int) -> None:
        """Remove the message of a call that failed."""
        for passed in [passed for passed in self._under_way if passed.call.line == line]:
            self._arrived(passed)

    def receive(self, by: OpenFile, notes: tuple[str | None, ...], *, unread_since: int, peek: bool) -> Passed | None:
        """Return the message that a call receives: the next on its socket, else one with the same annotations.

        Args:
            by: the receiving socket.
            notes: what `-y` shows of the received descriptors.
            unread_since: the line of the last read without room for descriptors: messages sent before may be lost.
            peek: whether the message stays queued.
        """
        for passed in list(self._under_way):
            if passed.to not in (by, None):
                continue
            alike = len(passed.files) == len(notes) and passed.notes == notes
            certain = alike and None not in notes
            if certain or (passed.to is by and passed.call.line > unread_since and _may_be(passed.notes, notes)):
                if not peek:
                    self._arrived(passed)
                return passed
        return None

    def lose(self, by: OpenFile) -> None:
        """Drop the next message on a socket, received without room for its descriptors."""
        passed = next((passed for passed in self._under_way if passed.to is by), None)
        if passed is not None:
            self._arrived(passed)

    def _arrived(self, passed: Passed) -> None:
        self._under_way.remove(passed)
        for file in passed.files:
            if file.sent is passed.call:
                file.sent = next((other.call for other in self._under_way if file in other.files), None)


def _may_be(sent: tuple[str | None, ...], received: tuple[str | None, ...]) -> bool:
    """Whether the annotations are compatible with both being the same message."""
    if len(sent) != len(received):
        return False
    return all(one is None or other is None or one == other for one, other in zip(sent, received, strict=True))
