"""Descriptors under way from one process to another in a message: SCM_RIGHTS in unix(7)."""

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
    """What `-y` says of each of them."""
    to: OpenFile | None
    """The socket at which it arrives, where the trace shows both ends."""


class Rights:
    """The messages under way, the oldest first; the number of those that nobody in the trace receives is bounded."""

    def __init__(self) -> None:
        self._under_way: deque[Passed] = deque(maxlen=_KEPT)

    def send(self, passed: Passed) -> None:
        """Take a message in; from now on somebody outside the trace may hold what it carries."""
        self._under_way.append(passed)
        for file in passed.files:
            file.sent = file.sent or passed.call

    def withdraw(self, line: int) -> None:
        """Take back the message of a call that has failed after all."""
        for passed in [passed for passed in self._under_way if passed.call.line == line]:
            self._arrived(passed)

    def receive(self, by: OpenFile, notes: tuple[str | None, ...], *, unread_since: int, peek: bool) -> Passed | None:
        """Return the message that a call receives: the next one on its socket, else one of the same annotations.

        Args:
            by: the socket that is received from.
            notes: what `-y` says of the descriptors received.
            unread_since: the line of the last read that throws descriptors away: what was sent before may be lost.
            peek: whether the message stays where it is.
        """
        for passed in list(self._under_way):
            if passed.to not in (by, None):
                continue
            alike = len(passed.files) == len(notes) and passed.notes == notes
            told = alike and None not in notes
            if told or (passed.to is by and passed.call.line > unread_since and _may_be(passed.notes, notes)):
                if not peek:
                    self._arrived(passed)
                return passed
        return None

    def lose(self, by: OpenFile) -> None:
        """The next message on a socket was received without room for its descriptors."""
        passed = next((passed for passed in self._under_way if passed.to is by), None)
        if passed is not None:
            self._arrived(passed)

    def _arrived(self, passed: Passed) -> None:
        self._under_way.remove(passed)
        for file in passed.files:
            if file.sent is passed.call:
                file.sent = next((other.call for other in self._under_way if file in other.files), None)


def _may_be(sent: tuple[str | None, ...], received: tuple[str | None, ...]) -> bool:
    """Whether the annotations do not speak against two messages being one."""
    if len(sent) != len(received):
        return False
    return all(one is None or other is None or one == other for one, other in zip(sent, received, strict=True))
