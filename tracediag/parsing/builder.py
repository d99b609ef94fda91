"""Turns the rules of `grammars/strace.lark` into templates, as lark reduces them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lark import Token, Transformer, v_args

from tracediag.parsing import operators, tokens
from tracediag.parsing.template import Constant, Leaf, Node, Part, TooDeep, leaves, node
from tracediag.trace.numbers import checked_integer
from tracediag.trace.values import Array, Change, Elision, Flags, Macro, Structure, Symbol, Words

_ELISION = Constant(Elision())
_NOTHING = Constant(Flags(()))
"""`c_iflag=, c_oflag=NL0`: strace 4.20 to 6.1 print no flag as nothing."""
_NULL = Constant(Symbol("NULL"))
_MOST_BITS = 64


def _leaf(make: Callable[[str], Any]) -> Callable[[Builder, Token], Leaf]:
    def method(_: Builder, token: Token) -> Leaf:
        return leaf(make, token)

    return method


def leaf(make: Callable[[str], Any], token: Token) -> Leaf:
    """Return the leaf for a token of lark."""
    return Leaf(make, token.type, str(token), token.start_pos or 0, token.end_pos or 0)


def _binary(make: Callable[..., Any]) -> Callable[[Builder, Part, Part], Node]:
    def method(_: Builder, left: Part, right: Part) -> Node:
        return node(make, left, right)

    return method


def _chain(make: Callable[..., Any]) -> Callable[..., Part]:
    def method(_: Builder, first: Part, *others: Part) -> Part:
        for other in others:
            first = node(make, first, other)
        return first

    return method


def _with_token(make: Callable[..., Any]) -> Callable[[Builder, Part, Token], Node]:
    def method(_: Builder, value: Part, token: Token) -> Node:
        return node(make, value, leaf(tokens.plain, token))

    return method


def _is_elision(part: Part) -> bool:
    """Whether the part is `...`, with or without the address that strace could not read."""
    if type(part) is Node and part.make is tokens.commented:
        part = part.parts[0]
    return part is _ELISION


def _shown(parts: tuple[Part, ...]) -> tuple[Node, Constant, tuple[Leaf, ...]]:
    """Return the tuple of the parts without elisions, whether it is complete, and the tokens of the elisions."""
    shown = tuple(part for part in parts if not _is_elision(part))
    unused = tuple(leaf for part in parts if _is_elision(part) for leaf in leaves(part))
    return node(None, *shown), Constant(len(shown) == len(parts)), unused


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """One method per grammar rule; each returns the template of the text that matched."""

    text = _leaf(tokens.text)
    decimal = _leaf(checked_integer)
    octal = _leaf(tokens.octal)
    hexadecimal = _leaf(tokens.hexadecimal)
    bare_hex = _leaf(tokens.hexadecimal)
    names = _leaf(tokens.names)
    word = _leaf(tokens.symbol)
    char = _leaf(tokens.char)
    lone_comment = _leaf(tokens.lone_comment)
    resuming = _leaf(tokens.resuming)
    abstract = _leaf(tokens.unquoted)
    sizeof = _leaf(tokens.sizeof)
    unread = _leaf(tokens.unread)

    choice = _chain(operators.either)
    both = _chain(operators.both)
    equal = _binary(operators.equal)
    sum = _binary(operators.plus)
    shift = _binary(operators.shift)
    product = _binary(operators.product)
    quotient = _binary(operators.quotient)
    indexed = _binary(operators.at_index)
    change = _binary(Change)

    annotated = _with_token(tokens.annotated)
    in_context = _with_token(tokens.with_context)
    remarked = _with_token(tokens.commented)

    def arguments(self, *parts: Part) -> Node:
        """Return the template of all arguments."""
        return node(None, *parts)

    def named(self, _name: Token, value: Part = _NOTHING) -> Part:
        """Drop the name that `-N` prints: arguments are identified by position in any case."""
        return value

    def elision(self) -> Part:
        """Return the template of `...`."""
        return _ELISION

    def null(self, _nil: Token) -> Part:
        """Return NULL as libc spells it."""
        return _NULL

    def change_again(self, before: Part, _name: Token, after: Part) -> Node:
        """Return `features=0 => features=UFFD_FEATURE_THREAD_ID`, with the name printed twice."""
        return node(Change, before, after)

    def change_to(self, after: Part) -> Node:
        """Return a change whose first half is in the begun call."""
        return node(operators.change_to, after)

    def remark_first(self, token: Token, value: Part) -> Node:
        """Return the value after a remark."""
        return node(tokens.commented, value, leaf(tokens.plain, token))

    def labelled(self, label: Token, value: Part) -> Node:
        """Return `in [5]` as if it were `in([5])`."""
        return node(Macro, leaf(tokens.label, label), node(None, value))

    def titled(self, name: Token, value: Part) -> Node:
        """Return `mnt:[4026532177]`, an item of a decoded result, as if it were `mnt([4026532177])`."""
        return node(Macro, Constant(name[:-1]), node(None, value))

    def bits(self, *parts: Part) -> Node:
        """Return the operands of `|`."""
        if len(parts) > _MOST_BITS:
            raise TooDeep
        return node(operators.bits, *parts)

    def macro(self, name: Token, *parts: Part) -> Node:
        """Return `name(...)`."""
        return node(Macro, Constant(name[:-1]), node(None, *parts))

    def array(self, *parts: Part) -> Node:
        """Return `[...]` separated by commas."""
        items, complete, unused = _shown(parts)
        return node(Array, items, complete, unused=unused)

    def words(self, *parts: Part) -> Node:
        """Return items separated by blanks."""
        return node(Words, node(None, *parts))

    def inverted(self, *parts: Part) -> Node:
        """Return `~[...]`."""
        return node(Words, node(None, *parts), Constant(True))

    def structure(self, *fields: tuple[str, Part]) -> Node:
        """Return `{...}`."""
        shown = [(name, part) for name, part in fields if name or not _is_elision(part)]
        unused = tuple(one for name, part in fields if not name and _is_elision(part) for one in leaves(part))
        pairs = [node(None, Constant(name), part) for name, part in shown]
        return node(Structure, node(None, *pairs), Constant(len(shown) == len(fields)), unused=unused)

    def tagged(self, name: Token, *fields: tuple[str, Part]) -> Node:
        """Return `SCM_CREDENTIALS{pid=7, uid=0}`: strace 4.6 forgot a comma there."""
        return node(Macro, leaf(tokens.plain, name), node(None, self.structure(*fields)))

    def positional(self, value: Part) -> tuple[str, Part]:
        """Return a field without a name."""
        return "", value

    def keyed(self, key: Token, value: Part = _NOTHING) -> tuple[str, Part]:
        """Return `name=value`, `name(1)=value` or `name:value`."""
        return key.rstrip("=:").partition("(")[0], value

    def packet_address(self, token: Token) -> tuple[str, Part]:
        """Return the hardware address printed by old strace as plain text."""
        return "addr", leaf(tokens.packet_address, token)
