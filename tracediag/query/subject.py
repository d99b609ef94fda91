"""What a condition is asked about: one call, with the model's objects where the model was fed."""

from __future__ import annotations

import msgspec

from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.trace.events import Syscall


class Subject(msgspec.Struct, eq=False):
    """One call."""

    call: Syscall
    action: Action | None = None
    """What the call acted on; None where the query reads only the call itself."""
    reported: bool = False
    """Whether the call is a wait that reports the object of the sequence."""
    shared: Descriptor | None = None
    """What the calls of a sequence have in common: the call may be a wait on another descriptor."""
    caller: Process | None = None
    """The process that made the call, where there is no action."""
    end: ProcessEnd | None = None
    """How the process ended, where that is waited for."""
    excerpt: bool = False
    """Whether the recording is known to lack a beginning or an end."""

    @property
    def descriptor(self) -> Descriptor | None:
        """The descriptor that the call is made on, or else the first one that it creates."""
        if self.shared is not None:
            return self.shared
        action = self.action
        if action is None:
            return None
        if action.descriptor is not None:
            return action.descriptor
        if action.opened:
            return action.opened[0]
        number = self.call.number("fd")
        return None if number is None else action.process.table.get(number)

    @property
    def process(self) -> Process | None:
        """The process that made the call."""
        return self.caller if self.action is None else self.action.process
