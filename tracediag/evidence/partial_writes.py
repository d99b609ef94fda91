"""Short writes and sends: how many bytes are left, and whether the program writes them."""

from __future__ import annotations

import msgspec

from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence
from tracediag.trace.calls import VECTORS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit
from tracediag.trace.values import Array, Structure, Text, text_of

_SIZED = frozenset({"send", "sendto", "pwrite", "pwrite64"})
_PIECE = lazy_pattern(r"""(?:iov_len=|"(?:\.\.\.)?, )([0-9]{1,20}+)\}""")


class Partial(msgspec.Struct):
    """A write or send whose rest has not been written yet."""

    thread: Thread
    call: Syscall
    size: int
    """How many bytes the call was to write."""
    rest: int
    retried: Syscall | None = None
    """An attempt of which the kernel took nothing."""
    waits_for_room: bool = False
    """Whether an epoll set watches for EPOLLOUT: the program knows of the rest."""


def looks_complete(call: Syscall) -> bool:
    """Whether the result equals the size in the text of the arguments: then all was taken, without parsing."""
    body = call.body
    if call.name == "write":
        return body.endswith(f", {call.result}")
    if call.name in _SIZED:
        tail = body[max(body.rfind('"'), 0) :]
        return f", {call.result}," in tail or tail.endswith(f", {call.result}")
    if call.name in VECTORS:
        # Text that looks like a length can only make the sum too large, which only costs a needless parse.
        return sum(map(checked_integer, _PIECE.findall(body))) == call.result
    return False


def taken_in_part(action: Action, file: OpenFile) -> Partial | None:
    """Return what is left of the call at hand; None where all was taken, nothing was, or that is unknown."""
    call = action.call
    if call.result is None or call.result <= 0:
        return None
    size = asked(call)
    if size is None or call.result >= size:
        return None
    return Partial(action.thread, call, size, size - call.result, waits_for_room=watches_for_room(file))


def watches_for_room(file: OpenFile) -> bool:
    """Whether an epoll set watches a description for EPOLLOUT."""
    return any("EPOLLOUT" in (entry.events or ()) for entry in file.registrations)


def elsewhere(partial: Partial, call: Syscall) -> Confidence | None:
    """Say how sure it is that a call does not begin with the rest of the one before; None where it may."""
    size = asked(call)
    if size is None or size == partial.rest:
        return None
    before, now = _data(partial.call), _data(call)
    if before is not None and now is not None and not before.shortened and partial.call.result is not None:
        rest = before.data[partial.call.result :]
        same = now.data.startswith(rest[: len(now.data)])
        return None if same else Confidence.CERTAIN
    # A buffer that is filled up again may have the old size too; other data makes new data more likely.
    return Confidence.POSSIBLE if size == partial.size and _new_data(before, now) else None


def _new_data(before: Text | None, now: Text | None) -> bool:
    """Whether two calls begin with different data: the same block again is a retry."""
    return before is not None and now is not None and before.data != now.data


def _data(call: Syscall) -> Text | None:
    """Return the bytes to write, or the first of them."""
    value = call.arg(1)
    if isinstance(value, Array) and len(value.items) == 1 and isinstance(value.items[0], Structure):
        fields = value.items[0].fields
        return text_of(fields[0][1]) if fields else None
    return text_of(value)


def abandoned(partial: Partial, event: Event) -> bool:
    """Whether the rest was dropped on purpose: death by signal, a wait for room that timed out or was cut off."""
    if (isinstance(event, Exit) and event.signal is not None) or partial.waits_for_room:
        return True
    waits = (turn.wait for turn in partial.thread.rounds.values())
    later = [wait for wait in waits if wait.line > partial.call.line]
    return any(wait.result == 0 or isinstance(event, Exit) for wait in later)
