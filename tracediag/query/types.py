"""The types of what a query reads, the comparisons that each allows, and how a literal of each is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any

from tracediag.query.errors import QueryError, nearest
from tracediag.query.nodes import Literal
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.errnos import all_errors
from tracediag.trace.numbers import checked_integer, checked_seconds, hexadecimal, seconds
from tracediag.trace.patterns import lazy_pattern

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_BYTES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_QUANTITY = lazy_pattern(r"([0-9.]++)(\D++)")
_ALIASES = {"EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK", "ENOTSUP": "EOPNOTSUPP"}
"""Other names of the same number: errno(3); strace prints the second."""
_FEW = 20
"""Words that a message lists."""
_ESCAPE = lazy_pattern(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


class Type(StrEnum):
    """What kind of value a name has."""

    CALL = "call"
    ERRNO = "error"
    TRUTH = "yes or no"
    NUMBER = "number"
    SECONDS = "time"
    TEXT = "text"
    WORD = "word"
    FLAGS = "flags"
    ANY = "argument"
    EARLIER = "earlier event"


_EQUAL, _ORDER = ("==", "!=", "in"), ("<", "<=", ">", ">=")
OPERATORS: dict[Type, tuple[str, ...]] = {
    Type.CALL: _EQUAL,
    Type.ERRNO: _EQUAL,
    Type.TRUTH: ("",),
    Type.NUMBER: _EQUAL + _ORDER,
    Type.SECONDS: ("==", "!=", *_ORDER),
    Type.TEXT: (*_EQUAL, "~", "under"),
    Type.WORD: _EQUAL,
    Type.FLAGS: ("has",),
    Type.ANY: (*_EQUAL, *_ORDER, "has", "~", "under"),
    Type.EARLIER: ("",),
}
"""The operators that each type allows; "" stands for the name alone."""

_WANTED = {
    Type.CALL: "the name of a call, such as openat",
    Type.ERRNO: "an error, such as ENOENT",
    Type.NUMBER: "a number",
    Type.SECONDS: "a time with its unit, such as 100ms or 2s",
    Type.TEXT: "a string in quotes",
    Type.FLAGS: "a constant, such as O_CREAT",
}


@cache
def errors() -> frozenset[str]:
    """Return the names of all errors."""
    return frozenset(error.name for error in all_errors()) | frozenset(_ALIASES)


def value_of(text: str, literal: Literal, kind: Type, name: str, words: frozenset[str] = frozenset()) -> Any:
    """Return the value of a literal that is compared with a name of a type.

    Raises:
        QueryError: if it is no value of that type.
    """
    read = _READERS[kind]
    if kind is Type.WORD and literal.form == "WORD" and literal.text not in words:
        known = ", ".join(sorted(words)) if len(words) <= _FEW else "those that strace prints, in capitals"
        hint = nearest(literal.text, words) or f"; it is one of {known}"
        raise QueryError(text, literal.place, f"{name} is never {literal.text}{hint}")
    found = read(text, literal) if literal.form in _FORMS[kind] else None
    if found is None:
        such = f"a word, such as {min(words)}" if words else "a word or a value"
        wanted = _WANTED.get(kind, such)
        raise QueryError(text, literal.place, f"{name} is compared with {wanted}, not with {_named(literal)}")
    return found


def _named(literal: Literal) -> str:
    said = {"NUMBER": "the number", "QUANTITY": "the quantity", "STRING": "the string", "WORD": "the word"}
    return f"{said[literal.form]} {literal.text}"


def _call(text: str, literal: Literal) -> str:
    if literal.text not in SYSCALLS:
        raise QueryError(text, literal.place, f"no call is named {literal.text}{nearest(literal.text, SYSCALLS)}")
    return literal.text


def _errno(text: str, literal: Literal) -> str:
    name = _ALIASES.get(literal.text, literal.text)
    if name not in errors():
        raise QueryError(text, literal.place, f"no error is named {name}{nearest(name, errors())}")
    return name


def _number(_text: str, literal: Literal) -> float | None:
    if literal.form == "QUANTITY":
        found = quantity(literal)
        return int(found) if literal.text.endswith("iB") else None
    digits = literal.text
    if "." in digits:
        return seconds(digits)
    if "x" in digits:
        return hexadecimal(digits)
    bare = digits.lstrip("-")
    if len(bare) > 1 and bare[0] == "0" and not set(bare) & set("89"):
        return int(digits, 8)
    return checked_integer(digits)


def _seconds(_text: str, literal: Literal) -> float | None:
    return None if literal.text.endswith("iB") else quantity(literal)


def _string(_text: str, literal: Literal) -> str:
    return unquoted(literal.text)


def _word(_text: str, literal: Literal) -> str:
    return literal.text


def _any(text: str, literal: Literal) -> Any:
    return {"WORD": _word, "STRING": _string}.get(literal.form, _number)(text, literal)


_READERS: dict[Type, Callable[[str, Literal], Any]] = {
    Type.CALL: _call,
    Type.ERRNO: _errno,
    Type.NUMBER: _number,
    Type.SECONDS: _seconds,
    Type.TEXT: _string,
    Type.WORD: _word,
    Type.FLAGS: _word,
    Type.ANY: _any,
}
_FORMS: dict[Type, tuple[str, ...]] = {
    Type.CALL: ("WORD",),
    Type.ERRNO: ("WORD",),
    Type.NUMBER: ("NUMBER", "QUANTITY"),
    Type.SECONDS: ("QUANTITY",),
    Type.TEXT: ("STRING",),
    Type.WORD: ("WORD",),
    Type.FLAGS: ("WORD",),
    Type.ANY: ("WORD", "NUMBER", "QUANTITY", "STRING"),
}


def quantity(literal: Literal) -> float:
    """Return a quantity in seconds or bytes; its form has been checked by the grammar."""
    found = _QUANTITY.fullmatch(literal.text)
    if found is None:
        return 0.0
    return checked_seconds(found[1]) * (_SECONDS | _BYTES)[found[2]]


def unquoted(text: str) -> str:
    r"""Return the string between the quotes, with `\n`, `\t`, `\"` and `\\` replaced."""
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text[1:-1])


def pattern_of(literal: Literal) -> str:
    r"""Return the regular expression between the quotes: every backslash stays, except that of `\"`."""
    quote = literal.text[:1]
    return literal.text[1:-1].replace(f"\\{quote}", quote)
