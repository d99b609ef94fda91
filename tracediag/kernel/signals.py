"""Signal dispositions of a process, as far as known: signal(7), sigaction(2)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tracediag.trace.events import Syscall

ORDERS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
"""Signals that order a process to stop: signal(7)."""


_MOST_SIGNALS = 128
"""Linux has 64 signals; a damaged trace may name any number, and each forked process has a copy."""


class Disposition(StrEnum):
    """What a signal does to the process."""

    DEFAULT = "default"
    IGNORED = "ignored"
    HANDLED = "handled"


class SignalTable(msgspec.Struct, eq=False):
    """The dispositions of one process, or of several that share them (CLONE_SIGHAND)."""

    known: dict[str, Disposition] = msgspec.field(default_factory=dict)
    set_by: dict[str, Syscall] = msgspec.field(default_factory=dict)
    from_exec: bool = False
    """Whether the trace shows the process since its execve: what it has not set is default or inherited SIG_IGN."""

    def get(self, name: str) -> Disposition | None:
        """Return the disposition of a signal ("SIGPIPE"), or None where the trace does not show it."""
        return self.known.get(name)

    def set(self, name: str, disposition: Disposition, call: Syscall | None) -> None:
        """Record a disposition set by sigaction or signal."""
        if name not in self.known and len(self.known) >= _MOST_SIGNALS:
            return
        self.known[name] = disposition
        if call is not None:
            self.set_by[name] = call

    def copy(self) -> SignalTable:
        """Copy the table as fork does."""
        return SignalTable(dict(self.known), dict(self.set_by), self.from_exec)

    def exec(self) -> None:
        """Reset what execve resets: handled signals to default, ignored ones stay ignored: execve(2)."""
        self.known = {
            name: Disposition.DEFAULT if what is Disposition.HANDLED else what for name, what in self.known.items()
        }
        self.set_by = {}
        self.from_exec = True
