"""Signals to tracediag while a command is traced: they end the command in order, and leave nothing of it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Self

from tracediag.recording.recording import GRACE, Recording
from tracediag.stopping import Interrupted, Terminated

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Interruption:
    """Takes Ctrl-C, SIGTERM, SIGHUP and SIGQUIT from its `with` on; a signal that is ignored stays so (nohup).

    While a command runs, the first Ctrl-C is left to the command, which has got it from the terminal, too; the second
    sends SIGTERM to all that is traced, the third SIGKILL. The other signals send SIGTERM, and SIGKILL when they are
    repeated or after ten seconds. Before the start and after the end they stop tracediag itself.
    """

    def __init__(self, hint: Callable[[Recording], None] | None = None) -> None:
        """Take what to call at the first Ctrl-C; without it, every signal stops tracediag and what it traces."""
        self._hint = hint
        self._recording: Recording | None = None
        self._deferring = False
        self._pending: list[int] = []
        self._hinted = False
        self._terminated = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in _NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def guarding(self, start: Callable[[], Recording]) -> Iterator[Recording]:
        """Yield the recording that `start` makes, and close it at the end, however that comes."""
        recording = None
        try:
            with self._deferred():
                recording = self._recording = start()
            yield recording
        finally:
            with self._deferred():
                self._recording = None
                if recording is not None:
                    recording.close()

    @contextlib.contextmanager
    def _deferred(self) -> Iterator[None]:
        """Put signals off that would leave half of something made or removed."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        while self._pending:
            self._act(self._pending.pop(0))

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._deferring:
            self._pending.append(number)
        else:
            self._act(number)

    def _act(self, number: int) -> None:
        recording = self._recording
        if self._hint is None or recording is None or recording.ended:
            self._deferring = True  # until what is open is closed
            self._pending.clear()
            raise Interrupted if number == signal.SIGINT else Terminated(128 + number)
        if number == signal.SIGINT and not self._hinted and not self._terminated:
            self._hinted = True
            self._hint(recording)
        elif self._terminated:
            recording.signal(signal.SIGKILL)
        else:
            self._terminated = True
            recording.terminate(None if number == signal.SIGINT else GRACE)
