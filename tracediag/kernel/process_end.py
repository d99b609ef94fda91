"""The last that a trace shows of a process: the process ends, or the trace does."""

from __future__ import annotations

import msgspec

from tracediag.kernel.action import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.trace.events import Exit, Syscall


class ProcessEnd(msgspec.Struct, frozen=True, gc=False):
    """A process of which the trace shows nothing more: its last thread has exited, or the trace is over.

    There is one for each process. What the process was, said, failed at and held is still in the model.
    """

    process: Process
    kernel: Kernel
    action: Action | None = None
    """The exit of its last thread; None where the trace is over before that is reported."""

    @property
    def exit(self) -> Exit | None:
        """The exit of the process as strace reports it: a status or the signal that killed it."""
        return self.process.exit

    @property
    def event(self) -> Exit | Syscall | None:
        """What ended the process: `Process.end`; None where it is alive when the trace ends."""
        return self.process.end

    @property
    def line(self) -> int:
        """The line of the exit, or the last line of the trace."""
        return self.kernel.last_line if self.action is None else self.action.event.line

    @property
    def thread(self) -> Thread | None:
        """The thread that exited last; None at the end of the trace."""
        return None if self.action is None else self.action.thread

    @property
    def held(self) -> tuple[Descriptor, ...]:
        """The descriptors that were open until then; none where another process shares the table and lives on."""
        return tuple(self.process.table.open.values()) if self.action is None else self.action.released
