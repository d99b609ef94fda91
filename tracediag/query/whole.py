"""A compiled query, as the reader, the rules and the library ask it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.query.compiled import Compiled, both
from tracediag.query.matching import CallWatch, Watch
from tracediag.query.stand_ins import CALLS, Kinds, subject_call
from tracediag.query.subject import Subject
from tracediag.trace.events import Syscall


class Query(msgspec.Struct, frozen=True):
    """A compiled query. It holds no state of a trace: `watch` makes that."""

    text: str
    calls: frozenset[str] | None
    """The names of the calls that it must see; None if any call matters."""
    errnos: frozenset[str] | None
    """The errors with which a call can match; None if any outcome can. Always None for queries over several calls."""
    model: bool
    """Whether it reads the model of the kernel; if not, `matches_call` suffices."""
    condition: Compiled | None
    """For a query about one call; None for sequences, counts and absences."""
    parts: tuple[Compiled, ...]
    """The conditions that it consists of."""
    watch: Callable[[], Watch]
    """Returns a new run of the query over a trace."""
    absent: frozenset[str] | None = frozenset()
    """The names of the calls whose absence a match rests on: those of `until` and `absent`; None if any may be."""
    steps: int = 1
    """How many calls a match shows: one for each step of a sequence; the first and last of a count or an absence."""

    @property
    def is_condition(self) -> bool:
        """Whether it is about one call."""
        return self.condition is not None

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts of which the arguments of a call that matches show at least one; () if none is known."""
        return () if self.condition is None else self.condition.texts

    @property
    def never(self) -> bool:
        """Whether no call can match, because parts exclude each other: `call == read and call == write`."""
        return not all(part.possible for part in self.parts)

    @property
    def every(self) -> bool:
        """Whether every call must be seen, also one that cannot match: it reads the call before a signal."""
        return any(leaf.every for part in self.parts for leaf in part.leaves)

    @property
    def kinds(self) -> Kinds:
        """The kinds of events that can match."""
        return frozenset().union(*(part.kinds or CALLS for part in self.parts))

    @property
    def signals(self) -> frozenset[str] | None:
        """The names of the signals that can match; None if any can."""
        known = [part.signals for part in self.parts]
        return None if None in known else frozenset().union(*(each or () for each in known))

    def narrowed(self, other: Query) -> Query:
        """Return the query that a call matches if it matches this one and the other.

        Raises:
            TypeError: if one of them is not about one call.
        """
        if self.condition is None or other.condition is None:
            raise TypeError("a query about several calls cannot be joined with another")
        return about_one(f"({self.text}) and ({other.text})", both([self.condition, other.condition]))

    def matches(self, action: Action) -> bool:
        """Whether the call, signal or end of an action matches; False for every other event.

        Raises:
            TypeError: if the query is not about one call: use `watch`.
        """
        call = subject_call(action.event, action)
        return call is not None and self.holds(Subject(call, action))

    def matches_call(self, call: Syscall) -> bool:
        """Whether a call matches, for a query that does not read the model of the kernel.

        Raises:
            TypeError: if it does, or is not about one call.
        """
        if self.model:
            raise TypeError("this query reads the model of the kernel")
        return self.holds(Subject(call))

    def matches_later(self, call: Syscall, caller: Process | None) -> bool:
        """Whether an earlier call of a process matches, by what is known of the process now.

        What a query asks of the descriptor of the call is then unknown, so that no comparison with it is true.

        Raises:
            TypeError: if the query is not about one call: use `watch`.
        """
        return self.holds(Subject(call, caller=caller))

    def holds(self, subject: Subject) -> bool:
        """Whether it is true of a call, with what is known of it.

        Raises:
            TypeError: if the query is not about one call: use `watch`.
        """
        call = subject.call
        if self.condition is None:
            raise TypeError("this query is about several calls: use watch()")
        if call.name:  # else it is a signal or an end
            if self.calls is not None and call.name not in self.calls:
                return False
            if self.errnos is not None and call.errno not in self.errnos:
                return False
        return self.condition.test(subject)

    def why(self, call: Syscall, action: Action | None = None) -> tuple[tuple[str, Any], ...]:
        """Return the comparisons that are true of a call, as written, each with the value that was compared."""
        subject = Subject(call, action)
        leaves = () if self.condition is None else self.condition.leaves
        return tuple((leaf.text, leaf.read(subject)) for leaf in leaves if leaf.test(subject))


def about_one(text: str, found: Compiled) -> Query:
    """Return the query of one condition."""
    return Query(text, found.calls, found.errnos, found.model, found, (found,), lambda: CallWatch(found))
