"""How a command ended: with a status, or by a signal."""

from __future__ import annotations

import signal

import msgspec

_FIRST_REAL_TIME = 32


class Ending(msgspec.Struct, frozen=True):
    """How the command ended: with a status, or by a signal."""

    status: int | None = None
    signal: int | None = None

    @property
    def signal_name(self) -> str | None:
        """The signal as strace names it: SIGTERM, SIGRT_4."""
        return None if self.signal is None else name_of(self.signal)

    @property
    def shell_status(self) -> int:
        """The exit status by which a shell tells this: 128 + N for signal N."""
        return (self.status or 0) if self.signal is None else 128 + self.signal


def name_of(number: int) -> str:
    """Return the name of a signal, as strace has it: real-time signals count from the kernel's first, 32."""
    return signal.Signals(number).name if number < _FIRST_REAL_TIME else f"SIGRT_{number - _FIRST_REAL_TIME}"


def how(code: int) -> str:
    """Return in words how a process ended, from its return code: negative for a signal, as subprocess has it."""
    return f"exit code {code}" if code >= 0 else f"killed by {name_of(-code)}"
