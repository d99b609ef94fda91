"""Finds a flag in the text of a call's arguments, as opposed to the same letters in a path, a name or data."""

from __future__ import annotations

import re
from functools import lru_cache

STRING = r'"(?>[^"\\]|\\.)*+(?:"|\\?\Z)'
"""A string, perhaps truncated with the line."""
CHARACTER = r"'(?:[^'\\]|\\.)'"
REMARK = r"/\*(?>[^*]|\*(?!/))*+(?:\*/|\Z)"
NOTE = r"(?<=[\w/])<(?!<)(?>->|[^<>]|<(?>->|[^<>])*+>)*+>"
"""What -y adds to a descriptor: after its number, its name or, with `-X verbose`, the remark that names it."""

_NAMED = re.compile(r"[A-Z][A-Z0-9_]*+(?>\|(?>[A-Z][A-Z0-9_]*+|0x[0-9a-f]++))*+")
_TEXT = re.compile(rf"{STRING}|{CHARACTER}|{NOTE}", re.DOTALL)
_TEXT_OR_REMARK = re.compile(rf"{_TEXT.pattern}|(?P<remark>{REMARK})", re.DOTALL)
_NOT_PLAIN = re.compile(r"[<>']|/\*").search
_ENDS_IN_NUMBER = re.compile(r"(?<![\w.])(?>0x[0-9a-f]++|-?[0-9]++) ?\Z")


def flags_in(body: str, prefix: str) -> frozenset[str]:
    """Return the flags among the arguments whose names begin with a prefix, such as `CLONE_`."""
    return frozenset(re.findall(rf"(?<!\w){prefix}\w*+", _shown(body)))


def has_flag(body: str, flag: str) -> bool:
    """Return whether the flag occurs among the arguments as a word.

    Text in strings, in -y annotations and in remarks does not count, except the remark by which `-X verbose` names a
    number: `0x2 /* F_SETFD */`.

    Args:
        body: the text of the arguments, as recorded.
        flag: the flag's full name, such as `O_CREAT`, or another part of an argument: `htons(53)`, `fd=3`.
    """
    tail = body[body.rfind('"') + 1 :]
    if _ends_so(tail, flag) and body.count('"') % 2 == 0 and '\\"' not in body:
        return True  # the flags of an open(2) come after the last string: this takes a fifth of the time
    return _word(flag).search(_shown(body)) is not None


@lru_cache(maxsize=1024)
def _ends_so(tail: str, flag: str) -> bool:
    """Whether a flag occurs in the text after a string, which contains no other strings."""
    return _NOT_PLAIN(tail) is None and _word(flag).search(tail) is not None


@lru_cache(maxsize=256)
def _word(flag: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(flag)}(?!\w)")


def _shown(body: str) -> str:
    """Return the arguments without the text in which a flag would not count."""
    if '"' not in body and _NOT_PLAIN(body) is None:  # those of a clone
        return body
    if "/*" not in body:
        return _TEXT.sub('"', body)
    kept, place = [], 0
    for found in _TEXT_OR_REMARK.finditer(body):
        kept.append(body[place : found.start()])
        place = found.end()
        remark = found["remark"]
        if remark is not None and names_value(remark) and _ENDS_IN_NUMBER.search(kept[-1][-24:]):
            kept.append(remark)
        else:
            kept.append('"')
    kept.append(body[place:])
    return "".join(kept)


def names_value(remark: str) -> frozenset[str]:
    """Return the flags that a remark of `-X verbose` gives for the number before it; empty for a remark in words.

    Args:
        remark: with or without `/*` and `*/`.
    """
    text = remark.removeprefix("/*").removesuffix("*/").strip()
    if _NAMED.fullmatch(text) is None:
        return frozenset()
    return frozenset(part for part in text.split("|") if not part.startswith("0x"))
