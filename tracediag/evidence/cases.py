"""Open cases: what a rule remembers about an object of the model, for as long as the object lives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from tracediag.kernel.watched import Watched

K = TypeVar("K")
C = TypeVar("C")
_NONE: Any = object()


def both(earlier: Any, later: Any) -> Any:
    """Return the case of an object that had been taken for two, each with a case of its own.

    Collections of the same kind are joined, and what both have under a key is that of the later one. Of all others,
    the one that was opened later stays.
    """
    match earlier, later:
        case (dict(), dict()) | (set(), set()):
            return earlier | later
        case (list(), list()) | (deque(), deque()):
            return earlier + later
        case _:
            return later


class Cases(dict[K, C], Generic[K, C]):
    """The open cases of a rule by the object that each is about; a rule makes one in `__init__`.

    The object itself is the key: it is compared by identity and stays alive as long as its case, so that no other
    object can be taken for it. A case on a descriptor or description makes the engine tell the rules of its release
    (`on_release`). After that, and once the end of a thread or process has been told, the case is dropped. If an object
    turns out to be the same as another one, its case moves there, and is merged with the one that it may have.

    The number of cases is bounded, because a trace may hold any number of like objects. A new case drops the oldest.
    Only item assignment, `setdefault`, `pop`, `del` and `clear` are to change it.
    """

    __slots__ = ("dropped", "kept", "merge", "outlive")

    KEPT = 4096
    """Cases that are kept unless a rule says otherwise."""

    def __init__(self, kept: int = KEPT, *, outlive: bool = False, merge: Callable[[C, C], C] = both) -> None:
        """Begin without cases.

        Args:
            kept: the number of cases from which a new one drops the oldest.
            outlive: whether a case stays after its object is gone, because what happens later decides it.
            merge: makes one case of two, given in the order in which they were opened.
        """
        super().__init__()
        self.kept = kept
        self.outlive = outlive
        self.merge = merge
        self.dropped = 0
        """How many cases were dropped for lack of room."""

    def __setitem__(self, key: K, case: C) -> None:
        """Open a case, or put another in its place, which makes it no younger."""
        if key not in self:
            if len(self) >= self.kept:
                del self[next(iter(self))]
                self.dropped += 1
            if isinstance(key, Watched):
                key.watch(self)
        super().__setitem__(key, case)

    def setdefault(self, key: K, default: C) -> C:
        """Return the case of an object; open it if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def __delitem__(self, key: K) -> None:
        """Close a case.

        Raises:
            KeyError: if there is none.
        """
        super().__delitem__(key)
        if isinstance(key, Watched):
            key.unwatch(self)

    def pop(self, key: K, default: Any = None) -> Any:
        """Close a case and return it, or the default if there is none."""
        case = super().pop(key, _NONE)
        if case is _NONE:
            return default
        if isinstance(key, Watched):
            key.unwatch(self)
        return case

    def clear(self) -> None:
        """Close all cases."""
        for key in list(self):
            del self[key]

    def gone(self, watched: Any) -> None:
        """Drop the case of an object that is gone, unless cases outlive their objects."""
        if not self.outlive:
            super().pop(watched, None)

    def moved(self, watched: Any, to: Any) -> None:
        """Move the case of an object that turns out to be the same as another one."""
        if watched not in self:
            return
        if to not in self:
            case = super().pop(watched)
            self[to] = case
            return
        first = next(key for key in self if key is watched or key is to)
        case, mine = super().pop(watched), self[to]
        super().__setitem__(to, self.merge(case, mine) if first is watched else self.merge(mine, case))
