"""Secrets that several calls, or several buffers of a call, move in pieces: no piece alone shows what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tracediag.redaction.literals import LITERAL, Literal
from tracediag.redaction.shapes import IN_DATA, Secret, may_hold
from tracediag.trace.patterns import lazy_pattern

_PIDS = lazy_pattern(r"(?:\[pid +)?([0-9]{1,10}+)[\] ]")
_CALL = lazy_pattern(
    r"\b(?:(?P<out>write|writev|send|sendto|sendmsg)|(?P<end>close)|(?P<in>read|readv|recv|recvfrom|recvmsg))"
    r"\((?P<fd>[0-9]{1,9}+)"
)
_RESUMED = lazy_pattern(r"<\.\.\. (?:readv?|recv(?:from|msg)?) resumed>")
_PREFIX = 96
"""Characters before a call: a pid, times."""
_TAIL, _OPEN = 96, 8192
"""Characters that are kept of what a stream has moved: of any, and of one that is inside a secret."""
_STREAMS = 1024
"""Streams that are remembered; the one that was idle longest is forgotten."""

Key = tuple[str, str, bool]
"""The pid, the descriptor, whether data goes out."""


class Split(msgspec.Struct, frozen=True):
    """A secret, or a part of one, in a literal of a record; start and end count the characters as shown."""

    literal: int
    start: int
    end: int
    kind: str


class _Piece(msgspec.Struct):
    literal: int
    shown: str
    offset: int
    """Where it begins in the text of all pieces."""


class Streams:
    """Joins what each descriptor of each process moves, record by record."""

    def __init__(self) -> None:
        self._tails: dict[Key, str] = {}
        self._unfinished: dict[str, Key] = {}

    def split(self, line: str) -> tuple[list[Split], list[tuple[str, str]]]:
        """Return where the next record holds secrets that stand in pieces, and these secrets: kind, and text as shown.

        Secrets that the record shows by itself are among them.
        """
        key = self._key(line)
        if key is None:
            return [], []
        places: list[Split] = []
        secrets: list[tuple[str, str]] = []
        for pieces, is_cut in _runs(line):
            tail = self._tails.pop(key, "")
            shown = tail + "".join(piece.shown for piece in pieces)
            kept = shown[-_TAIL:]
            if may_hold(shown):
                for begins, secret in _found(shown):
                    if secret.end <= len(tail):
                        continue
                    secrets.append((secret.kind, shown[secret.start : secret.end]))
                    places += _placed(pieces, secret, len(tail))
                    if secret.end == len(shown) and len(shown) - begins <= _OPEN:
                        kept = max(kept, shown[begins:], key=len)
            if not is_cut:
                self._keep(key, kept)
        return places, secrets

    def _key(self, line: str) -> Key | None:
        """Return the stream to which a record belongs; a descriptor that is closed has none any more."""
        call = _CALL.search(line, 0, _PREFIX)
        pid = _PIDS.match(line)
        who = "" if pid is None else pid[1]
        if call is None:
            return self._unfinished.pop(who, None) if _RESUMED.search(line, 0, _PREFIX) else None
        if call["end"]:
            for out in (True, False):
                self._tails.pop((who, call["fd"], out), None)
            return None
        key = who, call["fd"], call["out"] is not None
        if line.rstrip().endswith("<unfinished ...>") and len(self._unfinished) < _STREAMS:
            self._unfinished[who] = key
        return key

    def _keep(self, key: Key, tail: str) -> None:
        self._tails[key] = tail
        if len(self._tails) > _STREAMS:
            del self._tails[next(iter(self._tails))]


def _runs(line: str) -> Iterator[tuple[list[_Piece], bool]]:
    """Yield the buffers of a record that follow one another without a gap, and whether one follows."""
    pieces: list[_Piece] = []
    for number, found in enumerate(LITERAL.finditer(line)):
        start = found.start()
        if not (line.endswith("iov_base=", 0, start) or (number == 0 and line[start - 2 : start] in (", ", "> "))):
            continue
        offset = pieces[-1].offset + len(pieces[-1].shown) if pieces else 0
        pieces.append(_Piece(number, found[1], offset))
        if line.startswith("...", found.end()):
            yield pieces, True
            pieces = []
    if pieces:
        yield pieces, False


def _found(shown: str) -> Iterator[tuple[int, Secret]]:
    """Yield the secrets in the data of a stream, and where the text begins that tells what each is."""
    literal = Literal(shown, 0)
    for kind, pattern in IN_DATA:
        for found in pattern.finditer(literal.text):
            start, end = found.span(1)
            yield literal.place(found.start()), Secret(literal.place(start), literal.place(end), kind)


def _placed(pieces: Sequence[_Piece], secret: Secret, before: int) -> Iterator[Split]:
    for piece in pieces:
        start = max(secret.start - before - piece.offset, 0)
        end = min(secret.end - before - piece.offset, len(piece.shown))
        if start < end:
            yield Split(piece.literal, start, end, secret.kind)
