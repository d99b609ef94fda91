"""Descriptor tables: the numbers of a process, or of several that share them: fork(2), clone(2), close(2).

A forked process starts with a copy of its parent's table, and nearly always closes all of it unused, by execve or exit.
So the copy is taken down as it was, cheaply, and a descriptor is made of an inherited number only when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.trace.events import Event

Inherited = tuple[OpenFile, bool | None, Descriptor]
"""An inherited number not used yet: what it refers to, its CLOEXEC flag, and the parent's descriptor."""


class DescriptorTable(msgspec.Struct, eq=False):
    """The numbers of one process, or of several that share them (CLONE_FILES)."""

    open: dict[int, Descriptor] = msgspec.field(default_factory=dict)
    inherited: dict[int, Inherited] = msgspec.field(default_factory=dict)
    last_closed: dict[int, Descriptor] = msgspec.field(default_factory=dict)
    """The latest incarnation of each number that was closed and not handed out again."""
    users: int = 1
    """How many processes share it."""
    seen: bool = False
    """Whether the trace holds a call of a process that uses it: false for a child that strace did not follow."""
    executed: bool = False
    """Whether the trace shows a process that uses it execute a program: what is open since was opened in the trace."""

    def __iter__(self) -> Iterator[Descriptor]:
        """Iterate over all descriptors, inherited ones among them."""
        for number in list(self.inherited):
            self.get(number)
        return iter(list(self.open.values()))

    def get(self, number: int) -> Descriptor | None:
        """Return the live incarnation of a number, or None where the trace has shown none."""
        found = self.open.get(number)
        if found is None and number in self.inherited:
            file, cloexec, origin = self._materialise(number)
            found = Descriptor(number, file, self, opened=origin.opened, cloexec=cloexec, copy_of=origin)
            self.install(found)
        return found

    def holds(self, file: OpenFile) -> bool:
        """Whether any number refers to a description."""
        inherited = any(inherited[0] is file for inherited in self.inherited.values())
        return inherited or any(held.file is file for held in self.open.values())

    def claim(self, file: OpenFile) -> None:
        """Make descriptors of the inherited numbers that refer to one description."""
        for number in [number for number, inherited in self.inherited.items() if inherited[0] is file]:
            self.get(number)

    def _materialise(self, number: int) -> Inherited:
        inherited = self.inherited.pop(number)
        if self.seen:
            inherited[0].heirs.remove(self)
        return inherited

    def appear(self) -> None:
        """Take note that the process is followed: from now on what it inherited counts as a reference."""
        self.seen = True
        for file, _, _ in self.inherited.values():
            file.heirs.append(self)

    def install(self, descriptor: Descriptor) -> Descriptor | None:
        """Put a new incarnation under its number; return the one that it pushes out, if any."""
        number = descriptor.number
        lost = self.open.get(number)
        if lost is None and number in self.inherited:
            lost = self.get(number)
        self.open[number] = descriptor
        gone = self.last_closed.pop(number, None)
        if gone is not None:
            gone.before = None  # one step back is enough; a chain would keep all that ever had the number
            descriptor.before = gone
        descriptor.file.holders.append(descriptor)
        return lost

    def release(self, descriptor: Descriptor, event: Event) -> bool:
        """Take an incarnation out; return whether it was the last reference that the trace shows."""
        descriptor.closed = event
        descriptor.closing = None
        if self.open.get(descriptor.number) is descriptor:
            del self.open[descriptor.number]
            self.last_closed[descriptor.number] = descriptor
        file = descriptor.file
        holders = file.holders
        if descriptor in holders:
            holders.remove(descriptor)
        if file.heirs:
            return False
        return not holders or not any(holder.table.seen for holder in holders)

    def drop_unused(self, event: Event, *, only_cloexec: bool) -> None:
        """Let go of inherited numbers whose end interests nobody; the others become descriptors, to be released."""
        for number, (file, cloexec, _) in list(self.inherited.items()):
            if only_cloexec and not cloexec:
                continue
            if file.noted:
                self.get(number)
            else:
                self._materialise(number)
                if self.seen and not file.heirs and not file.holders:
                    file.released = event

    def copy(self) -> DescriptorTable:
        """Copy the table as fork does: the same numbers for the same descriptions."""
        held = {number: (found.file, found.cloexec, found) for number, found in self.open.items()}
        return DescriptorTable(inherited=self.inherited | held)
