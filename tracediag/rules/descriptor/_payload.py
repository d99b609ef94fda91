"""What a write transfers, as far as needed to see that two writes are of one kind."""

from __future__ import annotations

import re

from tracediag.trace.events import Syscall
from tracediag.trace.values import Text, walk

_LENGTH = 12
_SHORTEST = 4
_NUMBER = re.compile(rb"\d+")


def payload(call: Syscall) -> bytes | None:
    """Return the first text that a call writes, as far as strace shows it."""
    for arg in call.args[1:]:
        for value in walk(arg):
            if isinstance(value, Text):
                return value.data
    return None


def shape(call: Syscall) -> bytes | None:
    """Return the beginning of what is written, with 0 for each number; None if it is too short to compare."""
    text = payload(call)
    if text is None or len(text) < _SHORTEST:
        return None
    return _NUMBER.sub(b"0", text)[:_LENGTH]
