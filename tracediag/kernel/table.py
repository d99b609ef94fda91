"""Descriptor tables: the numbers of a process, or of several that share them: fork(2), clone(2), close(2).

A forked process starts with a copy of its parent's table, and nearly always closes all of it unused, by execve or exit.
So the copy is shared, and a descriptor is made of an inherited number only when something asks for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.inheritance import NOTHING, Inheritance
from tracediag.trace.events import Event

if TYPE_CHECKING:
    from tracediag.kernel.inheritance import Inherited
    from tracediag.kernel.process import Process


class DescriptorTable(msgspec.Struct, eq=False):
    """The numbers of one process, or of several that share them (CLONE_FILES)."""

    open: dict[int, Descriptor] = msgspec.field(default_factory=dict)
    inherited: Inheritance = msgspec.field(default_factory=lambda: NOTHING)
    """What the process was forked with and has not used yet."""
    last_closed: dict[int, Descriptor] = msgspec.field(default_factory=dict)
    """The latest incarnation of each number that was closed and not handed out again."""
    users: dict[Process, None] = msgspec.field(default_factory=dict)
    """The processes that share it."""
    seen: bool = False
    """Whether the trace holds a call of a process that uses it: false for a child that strace did not follow."""
    owned: bool = False
    """Whether `inherited` is a leaf that no other table refers to."""
    executed: bool = False
    """Whether the trace shows a process that uses it execute a program: what is open since was opened in the trace."""
    passed_on: Inheritance | None = None
    """What the latest forked process got."""
    changed: set[int] | None = None
    """The numbers that differ from that; None as long as nothing was passed on."""

    def __iter__(self) -> Iterator[Descriptor]:
        """Iterate over all descriptors, inherited ones among them."""
        if self.inherited:
            self._materialise(self.inherited)
        return iter(list(self.open.values()))

    @property
    def count(self) -> int:
        """How many numbers are open; counted without making descriptors of those inherited."""
        return len(self.open) + len(self.inherited)

    def get(self, number: int) -> Descriptor | None:
        """Return the live incarnation of a number, or None where the trace has shown none."""
        found = self.open.get(number)
        if found is None and self._inherits(number):
            self._materialise((number,))
            found = self.open[number]
        return found

    def file_of(self, number: int | None) -> OpenFile | None:
        """Return what a number refers to, without making a descriptor of an inherited one."""
        if number is None:
            return None
        held = self.open.get(number)
        if held is not None:
            return held.file
        inherited = self.inherited.get(number)
        return None if inherited is None else inherited[0]

    def numbers_of(self, file: OpenFile) -> list[int]:
        """Return the numbers that refer to a description, inherited ones among them."""
        inherited = (number for number, entry in self.inherited.items() if entry[0] is file)
        return sorted({*(number for number, held in self.open.items() if held.file is file), *inherited})

    def knows(self, number: int) -> bool:
        """Whether the trace has shown anything of a number: that it is open, or that it was closed."""
        return number in self.open or number in self.last_closed or self._inherits(number)

    def _inherits(self, number: int) -> bool:
        """Whether an inherited number was not used yet; asked at each call, mostly by tables that inherited nothing."""
        inherited = self.inherited
        return (bool(inherited.entries) or inherited.height != 0) and inherited.get(number) is not None

    def claim(self, file: OpenFile) -> None:
        """Make descriptors of the inherited numbers that refer to one description."""
        if file.heirs or file.strays:
            self._materialise([number for number, (inherited, _, _) in self.inherited.items() if inherited is file])

    def bequeath(self, number: int, origin: Descriptor) -> None:
        """Add a number that the parent turns out to have held when it forked."""
        self._inherit(self.inherited.updated({number: (origin.file, origin.cloexec, origin)}))
        self.owned = self.inherited.height == 0
        self.change(number)

    def change(self, number: int) -> None:
        """Note that a number, or its CLOEXEC flag, is no longer what the latest forked process got."""
        if self.changed is not None:
            self.changed.add(number)

    def _materialise(self, numbers: Iterable[int]) -> None:
        taken = {number: entry for number in numbers if (entry := self.inherited.get(number)) is not None}
        self._disinherit(taken)
        for number, (file, cloexec, origin) in taken.items():
            self.install(Descriptor(number, file, self, opened=origin.opened, cloexec=cloexec, copy_of=origin))

    def _disinherit(self, numbers: Collection[int]) -> None:
        """Remove numbers from what is inherited; a leaf that no other table has seen is changed in place."""
        if not numbers:
            return
        if self.owned:
            self.inherited.remove(numbers, followed=self.seen)
        else:
            self._inherit(self.inherited.updated(dict.fromkeys(numbers)))
            self.owned = self.inherited.height == 0

    def _inherit(self, rest: Inheritance) -> None:
        """Replace what is inherited; what both have in common stays held all the time."""
        rest.hold(self, followed=self.seen)
        self.inherited.let_go(self, followed=self.seen)
        self.inherited = rest

    def appear(self) -> None:
        """Take note that the process is followed: from now on what it inherited counts as a reference."""
        self.seen = True
        self.inherited.hold(self, followed=True)
        self.inherited.let_go(self, followed=False)

    def install(self, descriptor: Descriptor) -> Descriptor | None:
        """Put a new incarnation under its number; return the one that it pushes out, if any."""
        number = descriptor.number
        lost = self.open.get(number)
        if lost is None and self._inherits(number):
            lost = self.get(number)
        self.open[number] = descriptor
        if self.changed is not None:
            self.changed.add(number)
        gone = self.last_closed.pop(number, None)
        if gone is not None:
            gone.before = None  # one step back is enough; a chain would keep all that ever had the number
            descriptor.before = gone
        descriptor.file.holders[descriptor] = None
        return lost

    def release(self, descriptor: Descriptor, event: Event) -> bool:
        """Take an incarnation out; return whether it was the last reference that the trace shows."""
        descriptor.closed = event
        descriptor.closing = None
        number = descriptor.number
        if self.open.get(number) is descriptor:
            del self.open[number]
            self.last_closed[number] = descriptor
            if self.changed is not None:
                self.changed.add(number)
        file = descriptor.file
        holders = file.holders
        holders.pop(descriptor, None)
        if file.heirs:
            return False
        return not holders or not any(holder.table.seen for holder in holders)

    def drop_unused(self, event: Event, *, only_cloexec: bool) -> None:
        """Let go of inherited numbers; those whose end a rule needs to hear of become descriptors, to be released.

        Args:
            event: what ends them.
            only_cloexec: whether this is an execve, which closes only those; else the table itself ends.
        """
        if not only_cloexec:
            self.passed_on = self.changed = None
        if not self.inherited:
            return
        going = {number: entry for number, entry in self.inherited.items() if entry[1] or not only_cloexec}
        self._materialise([number for number, (file, _, _) in going.items() if file.noted])
        unused = {number: entry[0] for number, entry in going.items() if not entry[0].noted}
        self._disinherit(unused)
        if self.changed is not None:
            self.changed.update(unused)
        for file in unused.values() if self.seen else ():
            if not file.heirs and not file.holders:
                file.released = event

    def copy(self) -> DescriptorTable:
        """Copy the table as fork does: the same numbers for the same descriptions."""
        if self.passed_on is None or self.changed is None:
            base, numbers = self.inherited, set(self.open)
        else:
            base, numbers = self.passed_on, self.changed
        self.passed_on = (
            base.updated({number: self._entry(number) for number in numbers if number >= 0}) if numbers else base
        )
        self.changed, self.owned = set(), False
        inherited, small = self.passed_on, self.passed_on.height == 0
        if small:  # a leaf of its own costs less to copy than to share: nearly every child changes it
            inherited = Inheritance(entries=dict(inherited.entries))
        heir = DescriptorTable(inherited=inherited, owned=small)
        inherited.hold(heir, followed=False)
        return heir

    def _entry(self, number: int) -> Inherited | None:
        found = self.open.get(number)
        return self.inherited.get(number) if found is None else (found.file, found.cloexec, found)
