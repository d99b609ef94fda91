"""This process itself, with strace attached to it from within: for a program that wants a record of what it does."""

from __future__ import annotations

import ctypes
import os
import time

from tracediag.recording.attaching import Attached
from tracediag.recording.errors import RecordingError
from tracediag.recording.proc.texts import fields, text
from tracediag.recording.strace import Strace

_PR_SET_PTRACER = 0x59616D61
_PR_SET_PTRACER_ANY = -1
"""linux/prctl.h; with Yama, a process may be traced by a child only if it says so: prctl(2)."""
_PATIENCE = 10.0
"""Seconds in which strace must attach."""


class OwnProcess(Attached):
    """All threads of this process, and all processes that it starts from now on, until it is closed."""

    def __init__(self, strace: Strace, keep: str) -> None:
        """Attach; the trace goes to the file `keep`.

        Raises `RecordingError` where this process is traced already, or must not be traced.
        """
        super().__init__(strace, [os.getpid()], keep)
        limit = time.monotonic() + _PATIENCE
        while not _tracer():
            if not self.running or time.monotonic() > limit:
                self.close()
                raise RecordingError(f"strace could not attach to this process: {self._reason()}")
            time.sleep(0.001)

    def _check_permission(self) -> None:
        if (tracer := _tracer()) is not None:
            raise RecordingError(f"process {tracer} traces this process already, and a process has one tracer")
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(_PR_SET_PTRACER_ANY), 0, 0, 0)

    def _reason(self) -> str:
        try:
            self.check()
        except (RecordingError, OSError, ValueError) as error:
            return str(error)
        return "it did not do so in time"


def _tracer() -> str | None:
    """Return the process that traces this one."""
    found = fields(text("/proc/self/status")).get("TracerPid", "0")
    return None if found == "0" else found
