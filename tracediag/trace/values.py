"""The forms of one argument of a call, after its text has been parsed.

Plain numbers are `int`, in whatever base strace printed them; every other form has a class here. `Value` is
their union. The functions below read a value regardless of the dialect of strace that printed it:
`3`, `3</path>` and `3 /* comment */` are all the number 3 to `number_of`. Values hold no cycles: `gc=False`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.trace.flags import names_value


class Text(msgspec.Struct, frozen=True, gc=False):
    """A quoted string: the bytes it stands for, and whether strace cut it at `-s`."""

    data: bytes
    shortened: bool = False
    abstract: bool = False
    """True for `@"name"`, the abstract socket namespace: unix(7)."""

    def __str__(self) -> str:
        return self.data.decode("utf-8", "backslashreplace")


class Symbol(msgspec.Struct, frozen=True, gc=False):
    """One named constant: `AT_FDCWD`, `NULL`, `SIG_DFL`, `O_RDONLY`."""

    name: str


class Flags(msgspec.Struct, frozen=True, gc=False):
    """Named bits joined by `|`, and the sum of those bits that strace printed as numbers."""

    names: tuple[str, ...]
    rest: int = 0


class Structure(msgspec.Struct, frozen=True, gc=False):
    """`{a=1, b=2, ...}`: fields in order; a positional field has the name ""."""

    fields: tuple[tuple[str, Value], ...]
    complete: bool = True
    """False if strace left something out (`...` or `???`)."""

    def get(self, name: str) -> Value | None:
        """Return the field of that name, or None where there is none."""
        for key, value in self.fields:
            if key == name:
                return value
        return None


class Array(msgspec.Struct, frozen=True, gc=False):
    """`[a, b, ...]`: items in order."""

    items: tuple[Value, ...]
    complete: bool = True


class Words(msgspec.Struct, frozen=True, gc=False):
    """Items separated by blanks: an fd_set `[4 5]`, a signal set `[INT CHLD]`, `~[]`, old termios."""

    items: tuple[Value, ...]
    inverted: bool = False
    """True for `~[...]`: all but these."""


class Macro(msgspec.Struct, frozen=True, gc=False):
    """`htons(80)`, `makedev(0x1, 0x3)`, `inet_addr("127.0.0.1")`."""

    name: str
    args: tuple[Value, ...]


class Operation(msgspec.Struct, frozen=True, gc=False):
    """Two values joined by an operator other than `|`: `1<<16`, `WIFEXITED(s) && ...`, `A or B`."""

    operator: str
    left: Value
    right: Value


class Annotated(msgspec.Struct, frozen=True, gc=False):
    """A descriptor or a pid with what `-y`, `-yy` or `-Y` adds to it: `3</etc/passwd>`, `7<sh>`."""

    value: Value
    note: str
    """The text between `<` and `>`, as recorded."""
    deleted: bool = False
    """True for `3</path>(deleted)`: the name had been removed when strace looked."""


class Commented(msgspec.Struct, frozen=True, gc=False):
    """A value with a remark that strace added: `0x7ff0 /* 38 vars */`; value None for a remark alone."""

    value: Value | None
    comment: str


class Change(msgspec.Struct, frozen=True, gc=False):
    """`before => after`: what the kernel wrote over an argument."""

    before: Value | None
    after: Value


class Elision(msgspec.Struct, frozen=True, gc=False):
    """`...` or `???` instead of a value that strace did not print."""


Value = (
    int
    | Text
    | Symbol
    | Flags
    | Structure
    | Array
    | Words
    | Macro
    | Operation
    | Annotated
    | Commented
    | Change
    | Elision
)


def bare(value: Value | None) -> Value | None:
    """Return the value without its annotation, remark or earlier state."""
    while True:
        match value:
            case Annotated(inner) | Commented(inner):
                value = inner
            case Change(_, after):
                value = after
            case _:
                return value


def number_of(value: Value | None) -> int | None:
    """Return the value as a number, or None if it is not one; NULL counts as 0."""
    match bare(value):
        case int(number):
            return number
        case Symbol("NULL"):
            return 0
        case Flags(names=(), rest=rest):
            return rest
        case _:
            return None


def names_of(value: Value | None) -> frozenset[str]:
    """Return the named bits of a flags argument; empty for a number, NULL or None.

    A number with names added by `-X verbose`, as in `0x2 /* F_SETFD */`, has those names.
    """
    match bare(value):
        case int() if (remark := _remark_of(value)) is not None:
            return names_value(remark)
        case Symbol(name):
            return frozenset((name,))
        case Flags(names=names):
            return frozenset(names)
        case _:
            return frozenset()


def _remark_of(value: Value | None) -> str | None:
    """Return the remark on a value, the innermost one, or None if there is none."""
    remark = None
    while True:
        match value:
            case Commented(inner, comment):
                value, remark = inner, comment
            case Annotated(inner) | Change(_, inner):
                value = inner
            case _:
                return remark


def items_of(value: Value | None) -> tuple[Value, ...]:
    """Return the items of an array or of a blank-separated set; empty for anything else."""
    match bare(value):
        case Array(items=items) | Words(items=items):
            return items
        case _:
            return ()


def text_of(value: Value | None) -> Text | None:
    """Return the string, or None if the value is not a string."""
    found = bare(value)
    return found if isinstance(found, Text) else None


def note_of(value: Value | None) -> str | None:
    """Return what `-y` or `-yy` shows of a descriptor, or None."""
    while True:
        match value:
            case Annotated(note=note):
                return note
            case Commented(inner):
                value = inner
            case Change(_, after):
                value = after
            case _:
                return None


def walk(value: Value) -> Iterator[Value]:
    """Yield the value and everything inside it, outermost first."""
    yield value
    for inner in _inside(value):
        yield from walk(inner)


def _inside(value: Value) -> tuple[Value, ...]:
    match value:
        case Structure(fields=fields):
            return tuple(inner for _, inner in fields)
        case Array(items=items) | Words(items=items) | Macro(args=items):
            return items
        case Operation(_, left, right):
            return (left, right)
        case Annotated(inner):
            return (inner,)
        case Commented(inner):
            return () if inner is None else (inner,)
        case Change(before, after):
            return (after,) if before is None else (before, after)
        case _:
            return ()
