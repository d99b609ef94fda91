"""The end of a process in the trace: the process exits, or the trace ends."""

from __future__ import annotations

import msgspec

from tracediag.kernel.action import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit


class ProcessEnd(msgspec.Struct, frozen=True, gc=False):
    """A process of which the trace shows nothing more: its last thread has exited, or the trace has ended.

    There is one for each process. The model still holds its state, its messages, its failures and its descriptors.
    """

    process: Process
    kernel: Kernel
    action: Action | None = None
    """The exit of its last thread; None if the trace ends before that is reported."""

    @property
    def exit(self) -> Exit | None:
        """The exit as strace reports it: a status, or the signal that killed the process."""
        return self.process.exit

    @property
    def event(self) -> Exit | Syscall | None:
        """What ended the process: `Process.end`; None if it is alive when the trace ends."""
        return self.process.end

    @property
    def line(self) -> int:
        """The line of the exit, or the last line of the trace."""
        return self.kernel.last_line if self.action is None else self.action.event.line

    @property
    def thread(self) -> Thread | None:
        """The thread that exited last; None if the trace ended first."""
        return None if self.action is None else self.action.thread

    @property
    def held(self) -> tuple[Descriptor, ...]:
        """The descriptors open at the end; none if another live process shares the table."""
        return tuple(self.process.table.open.values()) if self.action is None else self.action.released
