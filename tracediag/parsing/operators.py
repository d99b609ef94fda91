"""Evaluates the operators between values: numbers are computed, names become flags, the rest remains as written."""

from __future__ import annotations

from collections.abc import Callable

from tracediag.trace.values import Array, Change, Commented, Flags, Operation, Symbol, Value, Words

_WIDEST = 256
"""Bits of the widest number that is computed: nested operators would otherwise create one without bound."""


def _lifted(join: Callable[..., Value]) -> Callable[..., Value]:
    """Make the operator ignore remarks: `0x5<<28 /* FUTEX_OP_??? */|0<<12` is a number with a remark."""

    def joined(*parts: Value) -> Value:
        remarks = [part.comment for part in parts if type(part) is Commented and part.value is not None]
        if not remarks:
            return join(*parts)
        inner = [part.value if type(part) is Commented and part.value is not None else part for part in parts]
        return Commented(join(*inner), "|".join(remarks))

    return joined


@_lifted
def bits(*parts: Value) -> Value:
    """Join the operands of `|`: a number, Flags, or an Operation if it is neither."""
    named: list[str] = []
    rest = 0
    for part in parts:
        match part:
            case int(number):
                rest |= number
            case Symbol(name):
                named.append(name)
            case Flags(names=names, rest=more):
                named += names
                rest |= more
            case _:
                return _folded(parts)
    return Flags(tuple(named), rest) if named else rest


def _folded(parts: tuple[Value, ...]) -> Value:
    first, *others = parts
    for other in others:
        first = Operation("|", first, other)
    return first


@_lifted
def shift(left: Value, right: Value) -> Value:
    """Return `left<<right`."""
    if isinstance(left, int) and isinstance(right, int) and 0 <= right <= _WIDEST - left.bit_length():
        return left << right
    return Operation("<<", left, right)


@_lifted
def product(left: Value, right: Value) -> Value:
    """Return `left*right`: `8192*1024`."""
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() <= _WIDEST:
        return left * right
    return Operation("*", left, right)


@_lifted
def plus(left: Value, right: Value) -> Value:
    """Return `left+right`: `V4L2_CTRL_CLASS_USER+0`."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return Operation("+", left, right)


def quotient(left: Value, right: Value) -> Operation:
    """Return the fraction `left/right`."""
    return Operation("/", left, right)


def at_index(index: Value, value: Value) -> Operation:
    """Return `[index]=value`, an array item printed with its index."""
    return Operation("=", index, value)


def either(left: Value, right: Value) -> Operation:
    """Return `left or right`: an ioctl number that two drivers use."""
    return Operation("or", left, right)


def both(left: Value, right: Value) -> Operation:
    """Return `left && right`, in a wait status."""
    return Operation("&&", left, right)


def equal(left: Value, right: Value) -> Operation:
    """Return `left == right`, in a wait status."""
    return Operation("==", left, right)


def change_to(after: Value) -> Change:
    """Return a change whose first half is elsewhere: clone3's `=> {parent_tid=[7]}` in a resumed half."""
    return Change(None, after)


def open_array(items: tuple[Value, ...]) -> Array:
    """Return an array that strace truncated."""
    return Array(items, complete=False)


def inverted(items: tuple[Value, ...]) -> Words:
    """Return `~[...]`: all but these."""
    return Words(items, inverted=True)
