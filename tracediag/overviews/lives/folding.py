"""One life, folded while it happens: a sequence of steps in which loops stand once, in bounded memory."""

from __future__ import annotations

from tracediag.trace.calls import (
    ACCEPTS,
    CLOSES,
    FSYNCS,
    FTRUNCATES,
    GETDENTS,
    MAPS,
    MOVES,
    OPENS,
    POSITIONED_READS,
    POSITIONED_WRITES,
    READS,
    WRITES,
)
from tracediag.trace.errnos import socket_error
from tracediag.trace.events import Syscall

_LONGEST_LOOP = 6
"""Steps of a loop that is recognised: request and answer of most protocols, with headers and body."""
_MOST_STEPS = 24
"""Steps that a life keeps; of a longer one the middle is cut out, the last ones stay."""
_CUT = "..."
_PASSING = frozenset({"EAGAIN", "EINTR", "EINPROGRESS", "EALREADY", "ENOTTY", "EOPNOTSUPP"})
"""Errors after which the call is made again or in another way: ENOTTY says that a file is no terminal, EOPNOTSUPP that
the filesystem cannot clone it (FICLONE in cp)."""

_KINDS = {
    **dict.fromkeys(MOVES, "copy"),
    **dict.fromkeys(WRITES | POSITIONED_WRITES, "write"),
    **dict.fromkeys(READS | POSITIONED_READS, "read"),
    **dict.fromkeys(ACCEPTS, "accept"),
    **dict.fromkeys(OPENS, "open"),
    **dict.fromkeys(FSYNCS, "sync"),
    **dict.fromkeys(FTRUNCATES, "truncate"),
    **dict.fromkeys(GETDENTS, "list"),
    **dict.fromkeys(MAPS, "map"),
    "connect": "connect",
    "shutdown": "shutdown",
}
"""The kinds of calls that are steps of a life; other calls only where they fail."""


def step_of(call: Syscall) -> str | None:
    """Return the step that a call is: its kind and its error; None for one that says nothing about the life."""
    name, errno = call.name, call.errno
    if errno is not None:
        if errno in _PASSING or errno.startswith("ERESTART"):
            return "connect" if name == "connect" and errno == "EINPROGRESS" else None
        return None if name in CLOSES else f"{_KINDS.get(name, name)} {errno}"
    if name == "getsockopt":
        pending = socket_error(call)
        return None if pending is None else f"error {pending}"
    kind = _KINDS.get(name)
    if kind == "read" and call.result == 0:
        return "end of data"
    return kind


class Life:
    """What happened to one object up to now."""

    __slots__ = ("first_line", "last_line", "name", "steps")

    def __init__(self, name: str, line: int) -> None:
        self.name = name
        self.first_line = self.last_line = line
        self.steps: list[str] = []

    def add(self, step: str, line: int) -> None:
        """Add a step; a loop that it completes once more is folded."""
        self.last_line = line
        steps = self.steps
        if steps and steps[-1] == step:
            return
        steps.append(step)
        for length in range(2, min(_LONGEST_LOOP, len(steps) // 2) + 1):
            if steps[-length:] == steps[-2 * length : -length]:
                del steps[-length:]
                return
        if len(steps) > _MOST_STEPS:
            middle = _MOST_STEPS // 2
            steps[middle : middle + 2] = [_CUT]
