"""Makes text of a trace safe to show: whoever wrote the trace may have meant it for the terminal.

A trace can hold escape sequences, carriage returns that overwrite a line, and characters that turn the direction of
writing. A byte that was no UTF-8 arrives as a lone surrogate ("surrogateescape"), which no encoder accepts.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: what a terminal obeys
    "\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen, or turning the direction
    "\ud800-\udfff"  # halves of a pair: bytes that were no UTF-8
    "]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Return the text with everything a terminal would obey or hide written out: `\x1b`, `\n`, `\u202e`, `\xff`."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_written_out, text)


def encodable(text: str) -> str:
    """Return the text with lone surrogates written out, so that every encoder takes it."""
    return text if text.isascii() else _SURROGATE.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found.group())
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        return f"\\x{code - 0xDC00:02x}"
    if code in _SHORT:
        return _SHORT[code]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


_SHORT = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
