"""Signals that the processor or the C library raises against a thread, and what the thread did before."""

from __future__ import annotations

import re

import msgspec

from tracediag.kernel.address_space import Cut
from tracediag.kernel.process import Process, Thread
from tracediag.trace.calls import KILLS
from tracediag.trace.events import Signal, Syscall
from tracediag.trace.numbers import hexadecimal

FAULTS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP")

_CODE = re.compile(r"\bsi_code=(\w++)")
_ADDRESS = re.compile(r"\bsi_addr=(NULL|0x[0-9a-f]++)")
BY_PROCESS = frozenset({"SI_USER", "SI_QUEUE", "SI_TKILL"})
"""What `si_code` is where a process has sent the signal."""
_NUMBERS = {
    ("SIGSEGV", "1"): "SEGV_MAPERR",
    ("SIGSEGV", "2"): "SEGV_ACCERR",
    ("SIGBUS", "1"): "BUS_ADRALN",
    ("SIGBUS", "2"): "BUS_ADRERR",
    ("SIGFPE", "1"): "FPE_INTDIV",
}
"""What an emulator or an old strace prints as a number: sigaction(2), asm-generic/siginfo.h."""


class Fault(msgspec.Struct, eq=False):
    """One such signal, and what the thread did before."""

    signal: Signal
    thread: Thread
    last: Syscall | None
    """The last whole call of that thread."""
    before: Signal | None
    """The signal that it got before, if no call came between the two."""
    cuts: tuple[Cut, ...] = ()
    """The changes of files' lengths before it, the latest last."""
    passed_on: bool = False
    """Whether its handler has sent the process the same signal once more, to let the default action end it."""

    @property
    def code(self) -> str:
        """Why the kernel says that it came: "SEGV_MAPERR"; "" where the trace does not show it."""
        found = _CODE.search(self.signal.info)
        return "" if found is None else _NUMBERS.get((self.signal.name, found[1]), found[1])

    @property
    def address(self) -> int | None:
        """The address in question, where the trace shows it."""
        found = _ADDRESS.search(self.signal.info)
        if found is None:
            return None
        return 0 if found[1] == "NULL" else hexadecimal(found[1])

    @property
    def by_process(self) -> bool:
        """Whether a process sent it, be it this one, and not the kernel."""
        return self.code in BY_PROCESS

    @property
    def sent(self) -> bool:
        """Whether another process sent it: then nothing crashed."""
        sender = self.signal.sender
        if not self.by_process or sender is None or sender == self.thread.process.pid:
            return False
        return not (self.last is not None and self.last.name in KILLS)


def who(process: Process) -> str:
    """Name a process by its program and pid."""
    name = process.program or "process"
    return name if process.pid is None else f"{name} (pid {process.pid})"
