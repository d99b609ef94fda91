"""Open cases: what a rule remembers about an object of the model, for as long as the object lives."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from tracediag.kernel.watched import Watched

K = TypeVar("K")
C = TypeVar("C")
_NONE: Any = object()


class Cases(dict[K, C], Generic[K, C]):
    """The open cases of a rule by the object that each is about; a rule makes one in `__init__`.

    The object itself is the key: it is compared by identity and stays alive as long as its case, so that no other
    object can be taken for it. A case on a descriptor or description makes the engine tell the rules of its release
    (`on_release`). After that, and once the end of a thread or process has been told, the case is dropped.

    The number of cases is bounded, because a trace may hold any number of like objects. A new case drops the oldest.
    Only item assignment, `setdefault`, `pop`, `del` and `clear` are to change it.
    """

    __slots__ = ("dropped", "kept", "outlive")

    KEPT = 4096
    """Cases that are kept unless a rule says otherwise."""

    def __init__(self, kept: int = KEPT, *, outlive: bool = False) -> None:
        """Begin without cases.

        Args:
            kept: the number of cases from which a new one drops the oldest.
            outlive: whether a case stays after its object is gone, because what happens later decides it.
        """
        super().__init__()
        self.kept = kept
        self.outlive = outlive
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
