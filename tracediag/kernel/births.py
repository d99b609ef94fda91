"""The children that are being born: threads inside a clone, children seen before it returns, and those not yet seen.

A child's lines may come before its parent's clone returns, and where several clones are under way at the same time it
may be unclear whose child appeared. In a pid namespace the clone returns another number than the lines carry.
"""

from __future__ import annotations

from collections import OrderedDict

from tracediag.kernel.namespaces import InnerNumbers
from tracediag.kernel.newborns import born_with
from tracediag.kernel.process import Thread
from tracediag.trace.events import Event, Syscall

_MOST_SILENT = 64


class Births:
    """What the trace has shown of clones whose child is not yet known by its lines, or the other way round."""

    def __init__(self, inner: InnerNumbers) -> None:
        self._inner = inner
        self._cloning: OrderedDict[Thread, None] = OrderedDict()
        """Threads inside a clone, the latest last."""
        self.silent: OrderedDict[int, tuple[Thread, Syscall]] = OrderedDict()
        """The children without a line so far, with their clone, by what it returned; bounded, the latest last."""
        self._born: dict[Thread, Thread] = {}
        """The child that appeared while a thread was in a clone, until the clone returns."""
        self._doubtful: dict[Thread, Thread] = {}
        """The same where other children may have appeared instead."""
        self._mixed = False
        """Whether a child without a line may have been taken for another, of those that still have none."""

    @property
    def cloning(self) -> bool:
        """Whether a thread is inside a clone."""
        return bool(self._cloning)

    @property
    def parent(self) -> Thread | None:
        """The thread that is inside a clone, of several the latest; the next unknown pid is its child."""
        return next(reversed(self._cloning), None)

    def begin(self, parent: Thread) -> None:
        """Note that a thread is inside a clone."""
        self._cloning.setdefault(parent)

    def end(self, parent: Thread) -> None:
        """Note that the clone has returned."""
        self._cloning.pop(parent, None)

    def appeared(self, child: Thread, parent: Thread) -> None:
        """Note that a child appeared before its clone returned."""
        alone = len(self._cloning) == 1 and not self._doubtful and not (self.silent and self._inner.exist)
        (self._born if alone else self._doubtful)[parent] = child

    def returned(self, parent: Thread) -> tuple[Thread | None, Thread | None]:
        """Return the child that appeared while a clone was under way, and one that perhaps is it."""
        return self._born.pop(parent, None), self._doubtful.pop(parent, None)

    def await_line(self, child: Thread, tid: int, call: Syscall) -> None:
        """Note that a clone has returned a child that has no line so far."""
        self.silent[tid] = child, call
        if len(self.silent) > _MOST_SILENT:
            self.silent.popitem(last=False)

    def take_silent(self, event: Event | None) -> tuple[Thread, int, bool]:
        """Remove and return a child without a line, its number, and whether an event is certainly its first one."""
        sure = len(self.silent) == 1 and not self._cloning and not self._mixed
        number = next(iter(self.silent))
        if not sure and (told := born_with(event, self.silent)) is not None:
            number, sure = told, True
        child = self.silent.pop(number)[0]
        self._mixed = (self._mixed or not sure) and bool(self.silent or self._cloning)
        return child, number, sure

    def forget(self, thread: Thread) -> None:
        """Forget a thread that exits."""
        self.end(thread)
        self.returned(thread)

    def number(self, child: Thread, parent: Thread, number: int) -> Thread:
        """Record that the clone has returned another number for a child than that of its lines."""
        self._file(child, parent, number)
        self._inner.tell(child, number)
        return child

    def guess(self, child: Thread, parent: Thread, number: int) -> Thread:
        """File a child under the number that a clone has returned, which may be that of another child."""
        self._file(child, parent, number)
        child.process.guessed = child.process is not parent.process
        return child

    def _file(self, child: Thread, parent: Thread, number: int) -> None:
        """File a child under the number that its clone has returned, in place of that of its lines."""
        self.end(parent)
        if child.tid is not None and parent.process.children.get(child.tid) is child.process:
            del parent.process.children[child.tid]
            parent.process.children[number] = child.process
