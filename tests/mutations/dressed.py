"""Mutations that change no record: what stands before each line, and around all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from zlib import crc32

from cuts import LONGEST, around
from margins import MARGINS
from recorded_lines import Line
from survival import Found, Mutant, is_left

PASTED = 42
"""Lines around a finding that are pasted."""
SHARE = 8
"""Each margin is put on one in so many recordings, another eighth for each: there are over a hundred margins."""

Pasted = list[tuple[int, str]]
_WRAPPERS: dict[str, Callable[[Pasted], Pasted]] = {
    "fence": lambda lines: [(0, "```"), *lines, (0, "```")],
    "message with a fence": lambda lines: [
        (0, "Here is what it does:"),
        (0, ""),
        (0, "```console"),
        *lines,
        (0, "```"),
    ],
    "quote": lambda lines: [(number, f"> {text}") for number, text in lines],
}


def wrapped(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """What lies around a finding, in a Markdown fence or quoted, by turns; of a sound program, the last lines."""
    for turn, each in enumerate(found or (None,), crc32(lines[-1].text.encode(errors="surrogateescape"))):
        kept = lines[-PASTED:] if each is None else around(lines, each, PASTED)
        name, wrap = list(_WRAPPERS.items())[turn % len(_WRAPPERS)]
        pasted = wrap([(line.number, line.text) for line in kept])
        detail = each.name if each else "end"
        yield Mutant(f"{PASTED} lines in a {name}", detail, pasted, tuple(found_in(each, kept)))


def in_margins(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """What loggers, containers, pagers and people put before and around each line."""
    if len(lines) > LONGEST:
        return
    texts = [line.text for line in lines]
    turn = crc32("\n".join(texts).encode(errors="surrogateescape"))
    for place, (name, margin) in enumerate(MARGINS.items()):
        if (turn + place) % SHARE == 0:
            dressed = margin(texts)
            numbers = [line.number for line in lines] if len(dressed) == len(lines) else [0] * len(dressed)
            yield Mutant("margin", name, list(zip(numbers, dressed, strict=True)), tuple(found))


def found_in(found: Found | None, kept: Sequence[Line]) -> Iterator[Found]:
    """Yield the finding if its primary step is among these lines."""
    if found is not None and is_left(found, {line.number: line.name for line in kept}):
        yield found
