"""Puts the data of a connection in order: both directions, each byte once, although both ends may be recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tracediag.results.following import Chunk, End, Piece


class Flow(msgspec.Struct, frozen=True):
    """The data of one call and where it went: from one end to the other."""

    end: End
    """An end that the trace shows."""
    other: End | None
    outward: bool
    """Whether the data left `end`; else it arrived there."""
    chunk: Chunk


class Turn(msgspec.Struct):
    """The data of successive calls in one direction."""

    title: str
    line: int
    pieces: list[Piece]

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return sum(len(piece.data) + piece.missing for piece in self.pieces)

    @property
    def missing(self) -> int:
        """How many of them the trace does not show."""
        return sum(piece.missing for piece in self.pieces)


def flows(ends: Sequence[End]) -> list[Flow]:
    """Return the data of all ends in the order of the trace; where both ends are recorded, as it was written."""
    named = {end.name: end for end in ends if end.name}
    found = []
    for end in ends:
        other = named.get(end.other)
        answered = other is not None and any(chunk.written for chunk in other.chunks)
        found += [
            Flow(end, other, chunk.written, chunk) for chunk in end.chunks if chunk.written or not answered
        ]  # fmt: skip
    found.sort(key=_line)
    return found


def _line(flow: Flow) -> int:
    return flow.chunk.line


def turns(ends: Sequence[End]) -> Iterator[Turn]:
    """Yield the data in order, successive chunks of one direction joined."""
    turn: Turn | None = None
    for flow in flows(ends):
        title = _title(flow)
        if turn is None or turn.title != title:
            if turn is not None:
                yield turn
            turn = Turn(title, flow.chunk.line, [])
        turn.pieces += flow.chunk.pieces
    if turn is not None:
        yield turn


def _title(flow: Flow) -> str:
    end = flow.end
    far = flow.chunk.address or end.peer
    here, there = end.name or "here", flow.other.name if flow.other is not None and flow.other.name else far
    if end.kind not in ("socket", "pipe"):
        return f"{'written to' if flow.outward else 'read from'} {end.what or end.name}"
    there = there or "the other end"
    return f"{here} -> {there}" if flow.outward else f"{there} -> {here}"
