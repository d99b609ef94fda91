"""Descriptors that forked processes inherit: a persistent map of numbers, shared by tables that have them in common.

A process with a thousand descriptors that forks a thousand times makes a million references. The kernel copies them;
here they are leaves of an immutable tree that shares unchanged nodes, so that a fork costs only what changed since the
previous one. Each node knows its parents, so a description knows which tables still hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from tracediag.kernel.descriptor import Descriptor, OpenFile
    from tracediag.kernel.table import DescriptorTable

Inherited: TypeAlias = "tuple[OpenFile, bool | None, Descriptor]"
"""An inherited number not used yet: its description, its CLOEXEC flag, and the parent's descriptor."""

_BITS = 5
"""Bits of a number that select the branch at each level: 32 numbers per leaf, 32 nodes per branch."""
_MASK = (1 << _BITS) - 1
_FLAT = 64
"""Entries up to which the root is a leaf, whatever the numbers: most processes have few, and a shell has number 255."""

Changes: TypeAlias = "Mapping[int, Inherited | None]"
"""New entries by number; None removes the number."""


class Inheritance(msgspec.Struct, eq=False):
    """A node of the tree; with all nodes below it, a read-only map of numbers."""

    height: int = 0
    """0 for a leaf."""
    entries: dict[int, Inherited] = msgspec.field(default_factory=dict)
    """Of a leaf, by number: those of its branch, or any where the leaf is the root."""
    below: dict[int, Inheritance] = msgspec.field(default_factory=dict)
    """Of a branch, by the bits of the number that belong to its height."""
    followed: dict[Inheritance | DescriptorTable, None] = msgspec.field(default_factory=dict)
    """Its parents: nodes, and tables of processes that the trace follows."""
    unfollowed: dict[Inheritance | DescriptorTable, None] = msgspec.field(default_factory=dict)
    """The same for processes of which the trace shows no call."""

    def __len__(self) -> int:
        """Count the numbers."""
        return len(self.entries) if self.height == 0 else sum(map(len, self.below.values()))

    def __bool__(self) -> bool:
        """Whether there is any number."""
        return bool(self.entries or self.below)

    def __contains__(self, number: int) -> bool:
        """Whether a number is inherited."""
        return self.get(number) is not None

    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers."""
        return (number for number, _ in self.items())

    def get(self, number: int) -> Inherited | None:
        """Return what a number refers to."""
        node = self
        if number < 0 or (node.height and number >> (_BITS * (node.height + 1))):
            return None
        while node.height:
            found = node.below.get((number >> (_BITS * node.height)) & _MASK)
            if found is None:
                return None
            node = found
        return node.entries.get(number)

    def items(self) -> Iterable[tuple[int, Inherited]]:
        """Return the numbers and what they refer to."""
        if self.height == 0:
            return self.entries.items()
        return (item for node in self.below.values() for item in node.items())

    def updated(self, changes: Changes) -> Inheritance:
        """Return the map with the given non-negative numbers changed; it shares all other nodes with this one."""
        if self.height == 0:
            changes = _merged(self.entries, changes)
            if len(changes) <= _FLAT:
                return Inheritance(entries=changes)
        root, most = self if self.height else Inheritance(1), max(changes, default=0)
        while most >> (_BITS * (root.height + 1)) > 0:
            root = Inheritance(root.height + 1, below={0: root} if root else {})
        return _rebuilt(root, root.height, changes)

    def hold(self, by: Inheritance | DescriptorTable, *, followed: bool) -> None:
        """Add a table or node as a parent; an empty node needs none."""
        if not self:
            return
        holders = self.followed if followed else self.unfollowed
        if not holders:
            for node in self.below.values():
                node.hold(self, followed=followed)
            self._hang(followed=followed)
        holders[by] = None

    def _hang(self, *, followed: bool) -> None:
        """Let the descriptions know that they are held by this leaf; a child does so three times, hence no calls."""
        if followed:
            for file, _, _ in self.entries.values():
                if file.heirs is None:
                    file.heirs = {self: None}
                else:
                    file.heirs[self] = None
        else:
            for file, _, _ in self.entries.values():
                if file.strays is None:
                    file.strays = {self: None}
                else:
                    file.strays[self] = None

    def let_go(self, by: Inheritance | DescriptorTable, *, followed: bool) -> None:
        """Remove a table or node as a parent; a node without parents releases its children."""
        holders = self.followed if followed else self.unfollowed
        if by not in holders:
            return
        del holders[by]
        if not holders:
            for node in self.below.values():
                node.let_go(self, followed=followed)
            for file, _, _ in self.entries.values():
                leaves = file.heirs if followed else file.strays
                if leaves is not None:
                    leaves.pop(self, None)

    def remove(self, numbers: Iterable[int], *, followed: bool) -> None:
        """Remove numbers from a leaf that one table alone holds, in place."""
        for file in [self.entries.pop(number)[0] for number in numbers]:
            for other, _, _ in self.entries.values():
                if other is file:
                    break
            else:
                file.drop(self, followed=followed)

    def tables(self) -> Iterator[DescriptorTable]:
        """Yield the tables of followed processes that hold it."""
        for holder in list(self.followed):
            if isinstance(holder, Inheritance):
                yield from holder.tables()
            else:
                yield holder


NOTHING = Inheritance()
"""What a process has inherited that was not forked in the trace: the same for all, since it never changes."""


def _rebuilt(node: Inheritance | None, height: int, changes: Changes) -> Inheritance:
    if height == 0:
        return Inheritance(entries=_merged({} if node is None else node.entries, changes))
    parts: dict[int, dict[int, Inherited | None]] = {}
    for number, entry in changes.items():
        parts.setdefault((number >> (_BITS * height)) & _MASK, {})[number] = entry
    below = {} if node is None else dict(node.below)
    for slot, part in parts.items():
        made = _rebuilt(below.get(slot), height - 1, part)
        if made:
            below[slot] = made
        else:
            below.pop(slot, None)
    return Inheritance(height, below=below)


def _merged(entries: dict[int, Inherited], changes: Changes) -> dict[int, Inherited]:
    merged = dict(entries)
    for number, entry in changes.items():
        if entry is None:
            merged.pop(number, None)
        else:
            merged[number] = entry
    return merged
