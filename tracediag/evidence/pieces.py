"""The texts of writes: each buffer a piece, and the bytes of an unbuffered stream joined to lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from tracediag.kernel.spoken import is_crumb
from tracediag.trace.records import Message, Remark
from tracediag.trace.values import Text, walk

BURST = 12
"""Lines between two writes to fd 2 that belong to one message."""
_LONGEST, _BUFFERS = 8192, 64
"""Characters of a text and buffers of a writev that are searched: a trace recorded with -s may hold megabytes."""


class Piece(msgspec.Struct, frozen=True, gc=False):
    """The text of one write, or one buffer of a writev."""

    call: Message
    text: str
    shortened: bool
    """Whether strace shows only its beginning."""


def pieces_of(call: Message) -> Iterator[Piece]:
    """Yield the texts of a write or similar call, as far as strace shows them; of a remark its line."""
    if isinstance(call, Remark):
        yield Piece(call, f"{call.text}\n", shortened=False)
        return
    values = (found for arg in call.args[1:] for found in walk(arg))
    texts = (value for value in values if isinstance(value, Text))
    for value in islice(texts, _BUFFERS):
        yield Piece(call, str(value)[:_LONGEST], value.shortened or len(value.data) > _LONGEST)


def gathered(calls: Iterable[Message]) -> Iterator[Piece]:
    """Yield the texts of writes; those of an unbuffered stream, a byte or two each, joined up to the end of a line."""
    crumbs: list[Piece] = []
    for call in calls:
        small = is_crumb(call)
        for piece in pieces_of(call):
            if crumbs and (not small or crumbs[-1].text.endswith("\n") or call.line - crumbs[-1].call.line > BURST):
                yield _swept(crumbs)
                crumbs = []
            if small:
                crumbs.append(piece)
            else:
                yield piece
    if crumbs:
        yield _swept(crumbs)


def _swept(crumbs: list[Piece]) -> Piece:
    return Piece(crumbs[0].call, "".join(piece.text for piece in crumbs), shortened=crumbs[-1].shortened)
