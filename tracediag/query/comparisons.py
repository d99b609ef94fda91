"""What a single comparison tests: a name of the language with a value, as a closure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracediag.query.names import Name
from tracediag.query.subject import Subject
from tracediag.query.types import Type
from tracediag.trace.values import Value, names_of, number_of, text_of

Test = Callable[[Subject], bool]


def texts(name: Name) -> Callable[[Subject], tuple[str, ...]]:
    """Return what reads the texts of a name; an argument that is a path is made no more than it shows."""
    read = name.read
    if name.type is Type.ANY:
        return lambda it: () if (text := text_of(read(it))) is None else (str(text),)
    return lambda it: read(it) or ()


def is_in(read: Callable[[Subject], Any], values: frozenset[Any]) -> Test:
    """Return whether what is read is one of the values."""
    if len(values) == 1:
        (only,) = values
        return lambda it: bool(read(it) == only)
    return lambda it: read(it) in values


def is_not(read: Callable[[Subject], Any], value: Any) -> Test:
    """Return whether something is read, and is another value."""
    return lambda it: (found := read(it)) is not None and found != value


def text_is(read: Callable[[Subject], Any], values: frozenset[str], *, equal: bool) -> Test:
    """Return whether one of the texts is one of the values; or, of those that have texts, whether none is."""
    if equal:
        return lambda it: any(text in values for text in read(it) or ())
    return lambda it: bool(found := read(it)) and not any(text in values for text in found)


def argument_is(read: Callable[[Subject], Any], values: list[Any], *, equal: bool) -> Test:
    """Return whether an argument, as a number, a text or a name, is one of the values; or is none of them."""

    def test(subject: Subject) -> bool:
        found = read(subject)
        return found is not None and any(_same(found, value) for value in values) is equal

    return test


def _same(found: Value, value: Any) -> bool:
    if isinstance(value, int):
        return number_of(found) == value
    text = text_of(found)
    return str(text) == value if text is not None else names_of(found) == {value}


def has(name: Name, flag: str) -> Test:
    """Return whether a flag is set."""
    read = name.read
    if name.type is Type.ANY:
        return lambda it: flag in names_of(read(it))
    return lambda it: (has := read(it)) is not None and has(flag)


def under(name: Name, folder: str) -> Test:
    """Return whether a path is a folder or lies in it."""
    read, folder = texts(name), folder.rstrip("/")
    inside = f"{folder}/"
    return lambda it: any(text == folder or text.startswith(inside) for text in read(it))
