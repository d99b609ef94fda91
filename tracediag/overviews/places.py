"""The working directory of a thread, where only a note of `-y` shows it."""

from __future__ import annotations

from tracediag.kernel.process import Thread
from tracediag.trace.events import Syscall
from tracediag.trace.values import note_of


def learn_directory(thread: Thread, call: Syscall) -> None:
    """Learn the working directory from AT_FDCWD</srv> of a call, if the model does not know it yet."""
    place = thread.place
    if place.cwd is None and call.body.startswith("AT_FDCWD<"):
        place.show(call.line, note_of(call.arg(0)))
