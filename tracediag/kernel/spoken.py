"""The last writes of a process to fd 2, bounded by lines: some programs write a message in pieces, or byte by byte."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from tracediag.trace.events import Syscall
from tracediag.trace.records import Message

_MESSAGES, _WRITES = 16, 512
"""Messages that are kept, and writes of all of them together."""
_NEAR = 12
"""Lines of the trace between two pieces of one message."""
_CRUMB = 2
"""Bytes of a write that is a part of a message, as an unbuffered stream makes them."""


def is_crumb(message: Message) -> bool:
    """Whether a write is so small that it is only a part of a message."""
    return isinstance(message, Syscall) and message.result is not None and 0 < message.result <= _CRUMB


class Spoken(deque[Message]):
    """The latest last. Pieces of one line count as one message."""

    def __init__(self) -> None:
        super().__init__()
        self._messages = 0

    def append(self, message: Message, /) -> None:
        """Add a write, and drop the oldest message if there are too many."""
        self._messages += self._begins(message, self[-1] if self else None)
        super().append(message)
        while self._messages > _MESSAGES or len(self) > _WRITES:
            dropped = self.popleft()
            self._messages -= not self or self._begins(self[0], dropped)

    def extend(self, messages: Iterable[Message], /) -> None:
        """Add several writes."""
        for message in messages:
            self.append(message)

    def clear(self) -> None:
        """Drop all."""
        super().clear()
        self._messages = 0

    @staticmethod
    def _begins(message: Message, before: Message | None) -> bool:
        return before is None or message.line - before.line > _NEAR or not _is_open(before)


def _is_open(message: Message) -> bool:
    """Whether a write has not ended its line; of one whose text strace has cut that is not known."""
    body = message.body
    end = body.rfind('"')
    return (
        isinstance(message, Syscall)
        and end > 0
        and not body.startswith("...", end + 1)
        and body[end - 2 : end] != "\\n"
    )
