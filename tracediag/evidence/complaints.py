"""What a program has said on fd 2, and whether that names a failed call: its error, its path, its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from tracediag.kernel.socket import format_address
from tracediag.trace.errnos import find_errno
from tracediag.trace.events import Syscall
from tracediag.trace.values import Text, text_of, walk

_ADDRESSED = frozenset({"connect", "bind", "sendto"})
_SHORTEST = 3
"""A shorter name is found in any text."""


class Said(msgspec.Struct, frozen=True):
    """One write to fd 2, or one piece of it."""

    call: Syscall
    text: str
    shortened: bool
    """Whether strace shows only its beginning."""


def said_after(messages: Iterable[Syscall], line: int = 0) -> tuple[Said, ...]:
    """Return what was written behind a line."""
    return tuple(piece for call in messages if call.line > line for piece in _pieces(call))


def _pieces(call: Syscall) -> Iterator[Said]:
    for value in (found for arg in call.args[1:] for found in walk(arg)):
        if isinstance(value, Text):
            yield Said(call, str(value), value.shortened)


def names_error(said: tuple[Said, ...], errno: str) -> Syscall | None:
    """Return the write that gives the error's text, name or number, also where strace has cut it; None if none does."""
    pattern, text = _pattern(errno), _text(errno)
    for piece in said:
        if pattern.search(piece.text) or (piece.shortened and _begins(piece.text, text)):
            return piece.call
    whole = "".join(piece.text for piece in said)
    return said[-1].call if said and pattern.search(whole) else None


def _begins(shown: str, text: str) -> bool:
    """Whether what strace shows ends in the beginning of the error's text: `cat: /etc/shadow: Permiss`..."""
    tail = re.split(r": |\(", shown)[-1].lower()
    return len(tail) >= _SHORTEST and text.lower().startswith(tail)


def names_object(said: tuple[Said, ...], call: Syscall) -> Syscall | None:
    """Return the write that speaks of what a call was made on, or of the call itself, as in `bind() failed`."""
    wanted = [name for name in _names(call) if len(name) >= _SHORTEST]
    itself = re.compile(rf"\b{re.escape(call.name)}(?=\(|:| failed| error|$)")
    for piece in said:
        if any(name in piece.text for name in wanted) or itself.search(piece.text):
            return piece.call
        if piece.shortened and _path_begins(piece.text, wanted):
            return piece.call
    return None


def _path_begins(shown: str, wanted: list[str]) -> bool:
    """Whether what strace shows ends in the beginning of a path: `cat: /etc/sha`..."""
    tail = re.split(r"[\s'\"`(]", shown)[-1]
    return len(tail) > _SHORTEST and any(name.startswith(tail) for name in wanted)


def _names(call: Syscall) -> Iterator[str]:
    name = target(call)
    if name is not None:
        yield name
        yield name.rstrip("/").rpartition("/" if "/" in name else ":")[2]


def target(call: Syscall) -> str | None:
    """Return what the call names: a path, or a socket's address."""
    if call.name in _ADDRESSED:
        return format_address(call.arg(4 if call.name == "sendto" else 1))
    if call.name in ("read", "write", "readv", "writev", "send", "sendmsg", "pread64", "pwrite64"):
        return None
    texts = (text_of(arg) for arg in call.args[:4])
    return next((str(text) for text in texts if text is not None and text.data), None)


def _text(errno: str) -> str:
    found = find_errno(errno)
    return errno if found is None else found.text


@cache
def _pattern(errno: str) -> re.Pattern[str]:
    found = find_errno(errno)
    if found is None:
        return re.compile(rf"\b{re.escape(errno)}\b")
    number = found.number
    return re.compile(
        rf"{re.escape(found.text)}|\b{errno}\b|\berr(?:no|or)?[ =:]{{1,2}}{number}\b|\({number}: |\[errno {number}\]",
        re.IGNORECASE,
    )


def meaning(errno: str) -> str:
    """Return the error as a sentence says it: "connection refused"."""
    text = _text(errno)
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
