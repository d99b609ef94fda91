"""Signals that the CPU or the C library raises in a thread, and what the thread did before."""

from __future__ import annotations

import msgspec

from tracediag.kernel.address_space import Cut
from tracediag.kernel.process import Thread
from tracediag.trace.calls import KILLS
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import hexadecimal
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Message, Signal

FAULTS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP")

_CODE = lazy_pattern(r"\bsi_code=(\w++)")
_ADDRESS = lazy_pattern(r"\bsi_addr=(NULL|0x[0-9a-f]++)")
BY_PROCESS = frozenset({"SI_USER", "SI_QUEUE", "SI_TKILL"})
"""The values of `si_code` if a process sent the signal."""
_NUMBERS = {
    ("SIGSEGV", "1"): "SEGV_MAPERR",
    ("SIGSEGV", "2"): "SEGV_ACCERR",
    ("SIGBUS", "1"): "BUS_ADRALN",
    ("SIGBUS", "2"): "BUS_ADRERR",
    ("SIGFPE", "1"): "FPE_INTDIV",
}
"""Codes that an emulator or an old strace prints as numbers: sigaction(2), asm-generic/siginfo.h."""


class Fault(msgspec.Struct, eq=False):
    """One such signal, and what the thread did before."""

    signal: Signal
    thread: Thread
    last: Syscall | None
    """The last complete call of that thread."""
    before: Signal | None
    """The signal before it, if no call came between the two."""
    cuts: tuple[Cut, ...] = ()
    """The earlier changes of files' lengths, the latest last."""
    passed_on: bool = False
    """Whether the handler sent the same signal again, so that the default action ends the process."""

    reported: Message | None = None
    """The message in which a runtime that caught the signal reports it."""

    @property
    def code(self) -> str:
        """The reason, si_code: "SEGV_MAPERR"; "" where the trace does not show it."""
        return code_of(self.signal)

    @property
    def address(self) -> int | None:
        """The faulting address, where the trace shows it."""
        return address_of(self.signal)

    @property
    def by_process(self) -> bool:
        """Whether a process, perhaps this one, sent it, and not the kernel."""
        return self.code in BY_PROCESS

    @property
    def sent(self) -> bool:
        """Whether another process sent it: then this is not a crash."""
        sender = self.signal.sender
        if not self.by_process or sender is None or self.thread.process.is_called(sender):
            return False
        return not (self.last is not None and self.last.name in KILLS)


def code_of(signal: Signal) -> str:
    """Return the reason of a signal, si_code: "SEGV_MAPERR"; "" where the trace does not show it."""
    found = _CODE.search(signal.info)
    return "" if found is None else _NUMBERS.get((signal.name, found[1]), found[1])


def address_of(signal: Signal) -> int | None:
    """Return the faulting address, si_addr; None where the trace does not show it."""
    found = _ADDRESS.search(signal.info)
    if found is None:
        return None
    return 0 if found[1] == "NULL" else hexadecimal(found[1])
