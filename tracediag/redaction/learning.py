"""Learns the secrets of a trace while it is read, so that a report hides them wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracediag.redaction.known import Known
from tracediag.redaction.redactor import Redactor
from tracediag.redaction.streams import Split, Streams

_MOST = 65_536
"""Lines whose parts of secrets are remembered."""


class Secrets:
    """The secrets of one trace, learnt line by line; memory is bounded."""

    def __init__(self) -> None:
        self.known = Known()
        self._streams = Streams()
        self._finder = Redactor(known=self.known)
        self._split: dict[int, Sequence[Split]] = {}

    def read(self, text: str, before: int) -> None:
        """Learn from the next lines of the trace; `before` is the number of lines that stand before them."""
        for number, line in enumerate(text.split("\n"), before + 1):
            places = self.learn(line)
            if places and len(self._split) < _MOST:
                self._split[number] = places

    def learn(self, line: str) -> Sequence[Split]:
        """Learn from the next record; return the parts of secrets in it that it does not show to be ones."""
        self._finder.learn(line)
        places, secrets = self._streams.split(line)
        for kind, shown in secrets:
            self.known.add(kind, shown)
        return places

    def redactor(self) -> Redactor:
        """Return what hides these secrets in a report on the trace, and has counted nothing yet."""
        return Redactor(known=self.known, split=self._split)


def without_secrets(lines: Iterator[str], secrets: Secrets) -> Iterator[str]:
    """Yield the records of a trace without the secrets that were learnt from it, each as long as it was."""
    streams = Streams()
    redactor = Redactor(keep_length=True, known=secrets.known)
    for line in lines:
        places, _ = streams.split(line)
        yield redactor.line(line, places)
