"""Shortens a line of evidence to a width, but only inside the arguments of its call.

The name of a call, its result and its errno are the evidence; a long buffer, structure or list is not. What was left
out is marked `…`. Every step is linear in the length of the text, which may be a megabyte of arbitrary
characters.
"""

from __future__ import annotations

import re

import msgspec

from tracediag.trace.patterns import lazy_pattern

_TOKEN = lazy_pattern(
    r"""
      (?P<quoted> @?"(?>[^"\\]++|\\.)*+"?(?:\.\.\.)? )
    | (?P<remark> /\*(?>[^*]++|\*(?!/))*+(?:\*/)? )
    | (?P<note>   (?<=\w)<(?>[^<>-]++|->|-|<[^<>]*+>){0,200}+> )
    | (?P<open>   [\[{(] )
    | (?P<close>  [\]})] )
    | (?P<comma>  ,[ ]* )
    | (?P<word>   [^"@/<\[\](){},]++ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = lazy_pattern(r"[\w.$?]+(?=\()")
_PORT = lazy_pattern(r"sin6?_port=htons\((\d+)\)")
_HOST = lazy_pattern(r'"([0-9A-Fa-f.:]+)"')
_PAIRS = {"[": "]", "{": "}", "(": ")"}

_MOST = 1 << 16
"""Longer texts lose their middle before they are parsed."""
_DEEPEST = 16
"""Brackets nested deeper are plain characters."""
_TAIL = 240
"""A result with its explanation is never longer, except in a hostile trace."""


class _Limits(msgspec.Struct, frozen=True):
    """How much of each kind is kept."""

    string: int
    note: int
    word: int
    items: int
    fields: int
    """Fields kept of a structure; a nested one keeps only its first, except in the roomiest stage."""
    roomy: bool = False


_STAGES = (
    _Limits(string=64, note=80, word=400, items=64, fields=64, roomy=True),
    _Limits(string=32, note=64, word=120, items=8, fields=16),
    _Limits(string=24, note=56, word=80, items=1, fields=4),
    _Limits(string=12, note=56, word=80, items=1, fields=2),
)


class _Leaf(msgspec.Struct):
    kind: str
    text: str


class _Group(msgspec.Struct):
    opening: str
    items: list[list[_Leaf | _Group]]
    closed: bool = False


def shorten(text: str, width: int, said: int = 0) -> str:
    """Return the text in that many columns if that is possible without touching name, result or errno.

    Of each string, and of all strings of a list, at least `said` characters are kept: a message is evidence too.
    """
    if len(text) <= width:
        return text
    text = text if len(text) <= _MOST else f"{text[: _MOST // 2]}…{text[-_MOST // 2 :]}"
    name = _NAME.match(text)
    head = name.group() if name else ""
    body, tail = _parse(text[len(head) :], call=name is not None)
    tail = tail if len(tail) <= _TAIL else f"{tail[: _TAIL - 1]}…"
    shown = ""
    for stage in _STAGES:
        limits = _saying(stage, said) if said else stage
        shown = _items(body, limits, 0)
        if len(head) + len(shown) + len(tail) <= width:
            break
    return head + _without_middle(shown, max(width, 200, 3 * said)) + tail


def _saying(limits: _Limits, said: int) -> _Limits:
    return msgspec.structs.replace(limits, string=max(limits.string, said), items=_STAGES[0].items)


def _parse(text: str, *, call: bool) -> tuple[list[_Leaf | _Group], str]:
    """Return the pieces of the text; for a call, those in its parentheses, and the text after them."""
    root = _Group("", [[]])
    stack = [root]
    for found in _TOKEN.finditer(text):
        kind, piece = found.lastgroup or "word", found.group()
        if kind == "open" and len(stack) < _DEEPEST:
            group = _Group(piece, [[]])
            stack[-1].items[-1].append(group)
            stack.append(group)
        elif kind == "close" and _closes(stack, piece, text[found.end() : found.end() + 4]):
            stack[-1].closed = True
            stack.pop()
            if call and len(stack) == 1:
                return root.items[0], text[found.end() :]
        elif kind == "comma" and len(stack) > 1:
            stack[-1].items.append([])
        else:
            stack[-1].items[-1].append(_Leaf(kind, piece))
    return root.items[0], ""


def _closes(stack: list[_Group], piece: str, following: str) -> bool:
    """Whether the bracket closes a group; a call's own parenthesis also closes groups left open inside it."""
    if len(stack) > 1 and piece == _PAIRS[stack[-1].opening]:
        return True
    if len(stack) > 1 and piece == ")" and following.lstrip().startswith("="):
        del stack[2:]
        return stack[-1].opening == "("
    return False


def _items(parts: list[_Leaf | _Group], limits: _Limits, depth: int) -> str:
    return "".join(_group(part, limits, depth) if isinstance(part, _Group) else _leaf(part, limits) for part in parts)


def _leaf(leaf: _Leaf, limits: _Limits) -> str:
    match leaf.kind:
        case "quoted":
            return _without_end(leaf.text, limits.string)
        case "note" | "remark":
            return _without_middle(leaf.text, limits.note)
        case _:
            return _without_middle(leaf.text, limits.word)


def _group(group: _Group, limits: _Limits, depth: int) -> str:
    depth += group.opening == "{"
    if group.opening == "{" and (address := _address(group)):
        return address
    if group.opening == "{":
        count = 1 if depth > 1 and not limits.roomy else limits.fields
    else:
        count = limits.items if group.opening == "[" else len(group.items)
    shown = [_items(item, limits, depth) for item in group.items[:count]]
    if len(group.items) > count and shown[-1] != "...":
        shown.append("…")
    return group.opening + ", ".join(shown) + (_PAIRS[group.opening] if group.closed else "")


def _address(group: _Group) -> str | None:
    """Return an internet address in short form: `{…127.0.0.1:80}`."""
    text = ", ".join(_flat(item) for item in group.items[:8])
    port, host = _PORT.search(text), _HOST.search(text)
    if port is None or host is None:
        return None
    place = f"[{host[1]}]" if ":" in host[1] else host[1]
    return f"{{…{place}:{port[1]}}}"


def _flat(parts: list[_Leaf | _Group]) -> str:
    """Return the text of a field down to the depth of `htons(80)`: an address is no deeper."""
    return "".join(part.text if isinstance(part, _Leaf) else _inside(part) for part in parts[:8])


def _inside(group: _Group) -> str:
    leaves = (part.text for item in group.items[:8] for part in item[:8] if isinstance(part, _Leaf))
    return f"{group.opening}{' '.join(leaves)})"


def _without_end(quoted: str, most: int) -> str:
    """Shorten a string; strace's own mark of a truncated string, `"..."...`, is replaced by ours."""
    if len(quoted) <= most + 6:
        return quoted
    kept = quoted[: most + 1].rstrip("\\")
    return f'{kept}…"'


def _without_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]}…{text[-(most // 3) :]}"
