"""Gives each event the frames of its stack: strace prints them below the record, without a pid (`-k`).

In the line after a record stands the innermost frame. An event that waits for its frames is held until the next record,
so only recordings that show stacks are read this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.trace.events import Begun, Event, Other, Syscall
from tracediag.trace.stacks import Frame, read_frame

MOST_FRAMES = 64
"""The innermost frames that are kept of a stack; strace prints up to 256."""
_LONGEST = 4096
"""Characters of a frame; a longer line is none."""
_REMEMBERED = 4096
"""Different frames, and different stacks, that are kept once: a program calls from few places."""
_START = (" > ", ">")


def has_stacks(sample: Iterable[str]) -> bool:
    """Return whether any of the first lines is a frame."""
    return any(line.startswith(_START) and read_frame(line[:_LONGEST]) is not None for line in sample)


def with_stacks(events: Iterable[Event], *, delayed: bool) -> Iterator[Event]:
    """Yield the events, with their stacks.

    With `delayed` an event is yielded after its last frame. Otherwise that begins with the first frame: for a trace of
    which so few lines are there that they cannot show whether it has stacks.
    """
    stacks = _Stacks()
    held: list[Event] = []
    owner: Event | None = None
    end = 0
    for event in events:
        if isinstance(event, Other) and event.kind in ("frame", "dump"):
            if event.line == end + 1 and owner is not None:
                end += 1
                if event.kind == "frame":
                    delayed = True
                    stacks.add(event.text)
            if held and len(held) <= MOST_FRAMES:
                held.append(event)
            else:
                yield event
            continue
        if owner is not None:
            owner.stack = stacks.take()
        yield from held
        owner, end = _owner(event)
        held = [event] if delayed else []
        if not delayed:
            yield event
    if owner is not None:
        owner.stack = stacks.take()
    yield from held


def _owner(event: Event) -> tuple[Event | None, int]:
    """Return the event that the next frames belong to, and the last line of its record.

    strace prints the stack of a call when it returns; what follows a first half belongs to another process.
    """
    if isinstance(event, Syscall):
        return event if event.returned else None, event.end_line
    return None if isinstance(event, Begun | Other) else event, event.line


class _Stacks:
    """Reads frames; equal ones, and equal stacks, are one object."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._frames: dict[str, Frame | None] = {}
        self._stacks: dict[tuple[str, ...], tuple[Frame, ...]] = {}

    def add(self, line: str) -> None:
        """Add the next frame of the stack."""
        if len(self._lines) < MOST_FRAMES:
            self._lines.append(line[:_LONGEST])

    def take(self) -> tuple[Frame, ...]:
        """Return the stack that was added."""
        if not self._lines:
            return ()
        lines = tuple(self._lines)
        self._lines.clear()
        stack = self._stacks.get(lines)
        if stack is None:
            stack = tuple(frame for line in lines if (frame := self._frame(line)) is not None)
            if len(self._stacks) >= _REMEMBERED:
                self._stacks.clear()
            self._stacks[lines] = stack
        return stack

    def _frame(self, line: str) -> Frame | None:
        if line not in self._frames:
            if len(self._frames) >= _REMEMBERED:
                self._frames.clear()
            self._frames[line] = read_frame(line)
        return self._frames[line]
