"""What ends a wait for descriptors: poll(2), select(2), epoll_wait(2); with none of them such a call is a sleep."""

from __future__ import annotations

from tracediag.evidence.questions import question_for
from tracediag.evidence.reasons.transfers import of_request
from tracediag.evidence.waits import Standing, Waited
from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.descriptor import Descriptor
from tracediag.trace.calls import EPOLL_WAITS, SELECTS
from tracediag.trace.quantities import seconds
from tracediag.trace.values import Array, Structure, number_of

_MANY = 64
"""Entries of an epoll set that are looked at."""
_PARTS = {"tv_sec": 1.0, "tv_usec": 1e-6, "tv_nsec": 1e-9}


def watched(call: Waited) -> list[int]:
    """Return the numbers that a poll or a select waits for, each once."""
    if call.name in SELECTS:
        return list(dict.fromkeys(selected(call)))
    entries = call.arg(0)
    items = entries.items if isinstance(entries, Array) else ()
    numbers = [number_of(item.get("fd")) for item in items if isinstance(item, Structure)]
    return list(dict.fromkeys(number for number in numbers if number is not None and number >= 0))


def of_poll(standing: Standing) -> str:
    """Return what ends the wait: a descriptor that is ready, or the timeout."""
    call, longest = standing.call, _longest(standing.call)
    limit = "" if longest is None else f", for at most {seconds(longest)}"
    if call.name in EPOLL_WAITS:
        return f"it waits until a descriptor of the epoll set is ready{limit}{_in_set(standing)}"
    numbers = watched(call)
    if not numbers and longest is not None:
        return f"it sleeps for {seconds(longest)}"
    if len(numbers) != 1:
        return f"it waits until one of them is ready{limit}"
    held = polled(standing)
    if held is not None and held.file.socket is not None and held.file.socket.accepting:
        return f"it waits for a connection{limit}"
    if held is not None and _for_input(call):
        if (question := question_for(standing, held.file)) is not None:
            return f"it waits for {question.awaited}{limit}"
        if held.file.socket is not None and (asked := of_request(held.file.socket)):
            return f"{asked}{limit and f'; the program waits{limit[1:]}'}"
    return f"it waits until fd {numbers[0]} is ready{limit}"


def polled(standing: Standing) -> Descriptor | None:
    """Return the descriptor that a poll or a select waits for; None if there are several."""
    numbers = watched(standing.call)
    if len(numbers) != 1:
        return None
    gone = (one for one in standing.released if one.number == numbers[0])
    return standing.process.table.open.get(numbers[0]) or next(gone, None)


def _in_set(standing: Standing) -> str:
    """Say what is known of the connection that owes an answer, where only one of an epoll set does."""
    held = standing.held
    entries = [] if held is None or held.file.epoll is None else list(held.file.epoll.entries.values())[:_MANY]
    sockets = ((entry.number, entry.file.socket) for entry in entries)
    owing = [(number, asked) for number, socket in sockets if socket is not None and (asked := of_request(socket))]
    return f"; on fd {owing[0][0]} {owing[0][1]}" if len(owing) == 1 else ""


def _for_input(call: Waited) -> bool:
    """Whether a wait for one descriptor is one for data to read."""
    return call.has("POLLIN") if call.name not in SELECTS else bool(list(selected(call, sets=(1,))))


def _longest(call: Waited) -> float | None:
    """Return the timeout of a wait in seconds; None if it has none, or the trace does not show it."""
    place = 4 if call.name in SELECTS else 3 if call.name in EPOLL_WAITS else 2
    value = call.arg(place)
    if isinstance(value, Structure):
        parts = [(number_of(value.get(name)) or 0) * unit for name, unit in _PARTS.items()]
        return sum(parts) or None
    milliseconds = None if call.name in SELECTS else number_of(value)
    return milliseconds / 1000 if milliseconds is not None and milliseconds > 0 else None
