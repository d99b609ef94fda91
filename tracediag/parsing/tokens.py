"""Converts single tokens to values: numbers, strings, flags, annotations, remarks."""

from __future__ import annotations

import re

from tracediag.trace.numbers import checked_integer
from tracediag.trace.values import Annotated, Commented, Elision, Flags, Macro, Symbol, Text, Value

_USUAL = re.compile(
    r'(?>[^\\]++|\\(?>[\\"nrtvf]|[0-3]?[0-7]{1,2}+(?![0-7])|[0-3][0-7]{2}|x[0-9a-fA-F]{2}))*+', re.DOTALL
)
_ESCAPE = re.compile(r"\\(?>x[0-9a-fA-F]{2}|[0-3][0-7]{2}|[0-7]{1,2}|.)", re.DOTALL)
_NAMED_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "f": "\f", "a": "\a", "b": "\b", "e": "\x1b"}
_HEX_PAIRS = re.compile(r"(?>\\x[0-9a-f]{2})++")
_BARE_POINTER = re.compile(r"[0-9a-f]{8}(?:[0-9a-f]{8})?")
_MASK_DIGITS = 8
"""`nl_groups=00000010` is %08x; an octal mode never has eight digits."""


def text(token: str) -> Text:
    r"""Return the string that the token quotes: `"a\n"`, `"a"...`, `@"a"`."""
    if "\\" not in token and token[0] == '"' and token[-1] == '"':
        return Text(_encoded(token[1:-1]))
    abstract = token[0] == "@"
    shortened = token[-1] == "."
    return Text(unescaped(token[2 if abstract else 1 : -4 if shortened else -1]), shortened, abstract)


def unescaped(quoted: str) -> bytes:
    r"""Return the bytes of a quoted text: C escapes, octal as short as possible, `\x` with `-x`."""
    if "\\" not in quoted:
        return _encoded(quoted)
    if _HEX_PAIRS.fullmatch(quoted):
        return bytes.fromhex(quoted.replace("\\x", ""))
    if quoted.isascii() and _USUAL.fullmatch(quoted):
        return quoted.encode("ascii").decode("unicode_escape").encode("latin-1")
    return b"".join(_pieces(quoted))


def _pieces(quoted: str) -> list[bytes]:
    pieces: list[bytes] = []
    last = 0
    for match in _ESCAPE.finditer(quoted):
        pieces += (_encoded(quoted[last : match.start()]), _escape(match.group()[1:]))
        last = match.end()
    return [*pieces, _encoded(quoted[last:])]


def _escape(code: str) -> bytes:
    if code[0] == "x" and len(code) == len("x00"):
        return bytes.fromhex(code[1:])
    if code[0] in "01234567":
        return bytes((checked_integer(code, 8),))
    return _encoded(_NAMED_ESCAPES.get(code, code))


def _encoded(characters: str) -> bytes:
    try:
        return characters.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that no decoder put there
        return characters.encode("utf-8", "surrogatepass")


def char(token: str) -> Text:
    r"""Return the character that the token quotes: `'('`, `'\\'`."""
    return Text(unescaped(token[1:-1]))


def octal(token: str) -> int:
    """Return a number with a leading zero."""
    return checked_integer(token, 16 if len(token) == _MASK_DIGITS else 8)


def hexadecimal(token: str) -> int:
    """Return a number in base 16, with or without `0x`."""
    return checked_integer(token, 16)


class _Names(dict[str, Value]):
    """Names and lists of names seen before; a trace uses the same few hundred repeatedly."""

    LIMIT = 8192
    LONGEST = 400

    def __missing__(self, token: str) -> Value:
        value = _names(token)
        if len(token) <= self.LONGEST:
            if len(self) >= self.LIMIT:
                self.clear()
            self[token] = value
        return value


def _names(token: str) -> Value:
    if _BARE_POINTER.fullmatch(token):  # `futex(…, ffffffff)` of 4.5 to 4.10
        return checked_integer(token, 16)
    head, *more = token.split("|")
    if not more:
        return Symbol(head)
    rest = 0
    kept = [head]
    for part in more:
        if part[0].isdigit():
            rest |= number(part)
        else:
            kept.append(part)
    return Flags(tuple(kept), rest)


names = _Names().__getitem__
"""Return the Symbol or Flags of a token such as `O_RDWR` or `O_RDWR|O_CLOEXEC|0x20`."""


def number(token: str) -> int:
    """Return a number of any base."""
    if token.startswith("0x"):
        return checked_integer(token, 16)
    return octal(token) if token[0] == "0" and len(token) > 1 else checked_integer(token)


def annotated(value: Value, token: str) -> Annotated:
    """Return the value with the note from `<...>` or `<...>(deleted)`."""
    if token[-1] == ">":
        return Annotated(value, token[1:-1])
    return Annotated(value, token[1 : -len(">(deleted)")], deleted=True)


def comment(token: str) -> str:
    """Return the text between `/*` and `*/`."""
    return token.strip()[2:-2].strip()


def commented(value: Value, token: str) -> Commented:
    """Return the value with the remark after or before it."""
    return Commented(value, comment(token))


def lone_comment(token: str) -> Commented:
    """Return a remark in place of a value."""
    return Commented(None, comment(token))


def with_context(value: Value, token: str) -> Commented:
    """Return the value with its SELinux context: `[lib_t]`."""
    return Commented(value, token.strip())


def resuming(token: str) -> Commented:
    """Return the remark of `restart_syscall(<... resuming interrupted poll ...>)`."""
    return Commented(None, token.strip("<>. "))


def plain(token: str) -> str:
    """Return the text itself, for use as part of a value."""
    return token


def symbol(token: str) -> Symbol:
    """Return the token as a named constant."""
    return Symbol(token)


def packet_address(token: str) -> Symbol:
    """Return `{1, 0242ac110002` of `addr(6)={1, 0242ac110002`, see the grammar."""
    return Symbol(token.partition("=")[2])


def label(token: str) -> str:
    """Return the word before a decoded result, without its blank."""
    return token[:-1]


def unquoted(token: str) -> Text:
    """Return an abstract socket's name as the oldest strace prints it: `@/tmp/.X11-unix/X0`."""
    return Text(unescaped(token[1:]), abstract=True)


def sizeof(token: str) -> Macro:
    """Return `sizeof(struct ifreq)`."""
    name, _, inner = token[:-1].partition("(")
    return Macro(name, (Symbol(inner),))


def unread(token: str) -> Commented:
    """Return `[?] 0x2cffa40fd4`, an array that could not be read."""
    return Commented(Elision(), token.partition(" ")[2])
