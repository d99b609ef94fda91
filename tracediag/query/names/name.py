"""What a name of the language is, and how its value is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tracediag.query.stand_ins import CALLS, ENDS, SIGNALS, Kinds
from tracediag.query.subject import Subject
from tracediag.query.types import Type
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import names_of, number_of, text_of

_KINDS: dict[str, Kinds | None] = {
    **dict.fromkeys(("signal", "si_code", "si_pid", "si_uid", "si_status", "si_addr", "si_syscall"), SIGNALS),
    "exit": ENDS,
    **dict.fromkeys(("line", "time", "pid", "process", "thread", "end"), None),
}
"""By the first part of a name: the events that have what it reads; None for all. Every other name is read of calls."""


class Name(msgspec.Struct, frozen=True):
    """One name that a query reads."""

    name: str
    type: Type
    doc: str
    read: Callable[[Subject], Any]
    """Returns the value, None where the call has none or the trace does not show it; a tuple of strings for text."""
    unit: str = ""
    model: bool = False
    """Whether it is read from the model of the kernel, which must then see the events before."""
    calls: Callable[[], frozenset[str]] | None = None
    """Returns the only calls that have it; None if any may."""
    words: frozenset[str] = frozenset()
    """The values that it can have, if they are few."""
    texts: tuple[str, ...] = ()
    """Texts of which the arguments of a call that has it show at least one; () if none is known."""

    @property
    def every(self) -> bool:
        """Whether it is read of the call before, so that every call must be seen."""
        return self.name.startswith(("thread.last", "thread.refused", "thread.struck"))

    @property
    def kinds(self) -> Kinds | None:
        """The kinds of events that it is read of; None for all."""
        return _KINDS.get(self.name.partition(".")[0], CALLS)


def of_model(  # the parts of a name
    name: str,
    kind: Type,
    doc: str,
    read: Callable[[Subject], Any],
    unit: str = "",
    *,
    calls: Callable[[], frozenset[str]] | None = None,
    words: frozenset[str] = frozenset(),
) -> Name:
    """Return a name that is read from the model of the kernel."""
    return Name(name, kind, doc, read, unit, model=True, calls=calls, words=words)


def shown(value: Any) -> str:
    """Return a value that a name has read as text: for grouping, and to say why a query matches."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | str):
        return str(value)
    if isinstance(value, Syscall | Begun):
        return f"line {value.line}"
    if (text := text_of(value)) is not None:
        return str(text)
    if names := names_of(value):
        return "|".join(sorted(names))
    number = number_of(value)
    return "" if number is None else str(number)
