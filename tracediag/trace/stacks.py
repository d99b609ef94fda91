"""The stack of a record, which `strace -k` prints below it: where in the program the thread was."""

from __future__ import annotations

import msgspec

from tracediag.trace.numbers import hexadecimal, integer
from tracediag.trace.patterns import lazy_pattern

_PLACE = lazy_pattern(r"\) \[0x(?P<address>[0-9a-f]{1,16}+)\](?: (?P<source>.+):(?P<line>[0-9]{1,9}+))?\s*$")
_OFFSET = lazy_pattern(r"\+0x[0-9a-f]{1,16}+$")


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame of a stack: `/srv/net(main+0x1e) [0x1397] net.c:20`."""

    module: str
    """The file that the code is mapped from: the program, a library, "[vdso]"."""
    symbol: str = ""
    """The function; "" where the file names none."""
    offset: int | None = None
    """Bytes from the beginning of the function to the address; None for one that was inlined into the next frame."""
    address: int = 0
    """Where in the module the call returns to: an offset in the file, or with libdw an address of the file."""
    source: str | None = None
    """The source file, if strace printed it (`-kk`), or it was looked up with `--symbols`."""
    line: int | None = None
    """The line in that file, from 1."""

    def __repr__(self) -> str:
        where = "" if self.source is None else f" {self.source}:{self.line}"
        offset = "" if self.offset is None else f"+{self.offset:#x}"
        return f"<Frame {self.module}({self.symbol}{offset}) [{self.address:#x}]{where}>"


def read_frame(text: str) -> Frame | None:
    """Read ` > MODULE(SYMBOL+0xOFFSET) [0xADDRESS] SOURCE:LINE`; None for `too many stack frames` and the like."""
    text = text.lstrip(" ").removeprefix(">").lstrip(" ")  # a paste may have lost the blanks
    end = text.find(") [0x")
    if end < 0 or (place := _PLACE.match(text, end)) is None:
        return None
    address = hexadecimal(place["address"])
    head, offset = text[:end], None
    if (found := _OFFSET.search(head)) is not None:
        head, offset = head[: found.start()], hexadecimal(found[0][1:])
    opening = _opening(head)
    if opening < 0 or address is None:
        return None
    return Frame(
        module=head[:opening],
        symbol=head[opening + 1 :],
        offset=offset,
        address=address,
        source=place["source"],
        line=None if place["line"] is None else integer(place["line"]),
    )


def _opening(head: str) -> int:
    """Return where the parenthesis before a symbol is, -1 if there is none: paths and symbols have balanced ones."""
    depth = 0
    for place in range(len(head) - 1, -1, -1):
        if head[place] == ")":
            depth += 1
        elif head[place] == "(":
            if not depth:
                return place
            depth -= 1
    return -1
