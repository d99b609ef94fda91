"""Data of a write that another thread interrupted on the page: it stands between the halves of the call."""

from __future__ import annotations

from tracediag.reading.halves import Half, key_of
from tracediag.reading.join import Joiner
from tracediag.reading.output import WRITERS
from tracediag.reading.said import Shown, readings


class Speech:
    """Collects lines until they are all that a pending write has written."""

    def __init__(self, joiner: Joiner) -> None:
        self._joiner = joiner
        self._half: Half | None = None
        self._shown: Shown | None = None
        self._words = ""

    @property
    def goes_on(self) -> bool:
        """Whether data has begun and is not yet complete."""
        return self._shown is not None

    def takes(self, line: str) -> bool:
        """Take a line that is no record; return whether it is data of a pending write."""
        if self._half is None or self._joiner.pending.get(key_of(self._half.pid)) is not self._half:
            self._find(line)
        if self._half is None or self._shown is None:
            return False
        self._words += f"{line}\n"
        missing = self._shown.size - len(self._words.encode("utf-8", "surrogateescape"))
        if missing <= 0:
            whole = self._shown.filled(self._words) if not missing else None
            self._half.body = whole or self._half.body
            self._half = self._shown = None
            return whole is not None
        return True

    def _find(self, line: str) -> None:
        """Find the write whose data begins with this line."""
        self._half, self._shown, self._words = None, None, ""
        for half in self._joiner.latest():
            if half.name in WRITERS and "..." in half.body:
                shown = next((each for each in readings(half.body) if len(each.arguments) == len(half.body)), None)
                if shown is not None and shown.begins(line):
                    self._half, self._shown = half, shown
                    return
