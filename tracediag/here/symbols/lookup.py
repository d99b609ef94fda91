"""The source lines of frames, file by file: of files that are there, and the ones that were traced."""

from __future__ import annotations

import os
import stat
import struct
import time
from collections.abc import Callable, Sequence

import msgspec

from tracediag.here.symbols.elf import Image, read_image
from tracediag.here.symbols.tools import Chain, ask
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.stacks import Frame

_PATIENCE, _PATIENCE_IN_ALL = 20.0, 60.0
"""Seconds in which a tool must answer for one file, and for all."""
_LARGEST = 1 << 30
"""Bytes of a file that is read: debug information of a gigabyte would take a tool minutes."""
_SLACK = 2.0
"""Seconds by which a file may be newer than the record: file systems keep times in steps of up to two seconds."""
_ANOTHER = "is not the file that was traced: its functions are others, or elsewhere"
_SHORT = lazy_pattern(r"(?:[^(<]*::)?(?P<name>~?[\w$]++)")


class Spot(msgspec.Struct, frozen=True):
    """A frame to look up."""

    frame: Frame
    exact: bool
    """Whether its address is that of the instruction; else the one after the call, where it returns to."""


Found = dict[Spot, tuple[Frame, ...]]
"""For each frame the frames that its source shows: those of inlined functions, the innermost first, and itself."""


class Lookup:
    """Asks one tool; what it cannot answer is told once for each file."""

    def __init__(self, tool: str, say: Callable[[str], None]) -> None:
        """`say` is called with a sentence about a file that has no answers."""
        self._tool, self._say = tool, say
        self._told: set[str] = set()
        self._left = _PATIENCE_IN_ALL

    def look(self, module: str, spots: Sequence[Spot], recorded: float | None) -> Found:
        """Return the frames whose source is found; `recorded` is when they were, in seconds since the epoch."""
        why, found = self._looked(module, spots, recorded)
        if why and module not in self._told:
            self._told.add(module)
            self._say(f"--symbols: {module} {why}")
        return found

    def _looked(self, module: str, spots: Sequence[Spot], recorded: float | None) -> tuple[str, Found]:
        begins = {spot: begin for spot in spots if (begin := _begin(spot.frame)) is not None}
        image = _opened(module, recorded, list(begins.values()))
        if isinstance(image, str):
            return image, {}
        if image.named and not all(image.begins.intersection(image.addresses(begin)) for begin in begins.values()):
            return _ANOTHER, {}
        asked = [(spot, at - (not spot.exact)) for spot in spots for at in image.addresses(spot.frame.address) if at]
        began = time.monotonic()
        answers = ask(self._tool, module, [at for _, at in asked], min(_PATIENCE, self._left))
        self._left = max(0.0, self._left - (time.monotonic() - began))
        if answers is None:
            return f"is not looked up: {os.path.basename(self._tool)} fails, or takes too long", {}  # noqa: PTH119
        found: Found = {}
        for (spot, _), chain in zip(asked, answers, strict=True):
            if _is_known(chain) and spot not in found and _agrees(spot, chain[-1].function):
                found[spot] = _frames(spot.frame, chain)
        if found:
            return "", found
        if any(map(_is_known, answers)):
            return _ANOTHER, {}
        return "has no debug information: build it with -g", {}


def _begin(frame: Frame) -> int | None:
    """Return where the function of a frame begins, in the terms of its address; None if the trace does not tell."""
    return frame.address - frame.offset if frame.symbol and frame.offset is not None else None


def _opened(module: str, recorded: float | None, begins: Sequence[int]) -> Image | str:
    """Return the parts of a file; else why it cannot be asked, as the end of a sentence."""
    if not module.startswith("/"):
        return "is no file"
    try:
        with open(module, "rb", opener=_no_wait) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
                return "is no program that can be read"
            if recorded is not None and found.st_mtime > recorded + _SLACK:
                return "has changed since it was traced"
            return read_image(file, begins) or "is no ELF file"
    except (OSError, ValueError, OverflowError, struct.error) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or 'not a path, or no sound program'}"


def _no_wait(path: str, flags: int) -> int:
    """Open a file; a FIFO, which the trace may name as well, would wait for a writer."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _is_known(chain: Chain) -> bool:
    """Whether the line is known in the function whose code it is."""
    return bool(chain) and chain[-1].file is not None


def _frames(frame: Frame, chain: Chain) -> tuple[Frame, ...]:
    """Return a frame for each function that was inlined there, the innermost first, and the frame itself."""
    *inlined, itself = chain
    return (
        *(
            Frame(frame.module, each.function, None, frame.address, each.file, each.line)
            for each in inlined
            if each.is_own
        ),
        msgspec.structs.replace(frame, symbol=frame.symbol or itself.function, source=itself.file, line=itself.line),
    )


def _agrees(spot: Spot, function: str) -> bool:
    """Return whether trace and debug information name the same function: if not, the file is another one.

    A call that does not return may be the last thing in its function: the address after it is that of the next one.
    """
    frame = spot.frame
    if not frame.symbol or function == "??" or frame.symbol.startswith("_Z"):
        return True
    return _short(frame.symbol) == _short(function) or (frame.offset == 0 and not spot.exact)


def _short(function: str) -> str:
    """Return the name of a function without its classes, parameters, and what a compiler appends (`.constprop.0`)."""
    function = function.replace("(anonymous namespace)::", "")
    found = _SHORT.match(function)
    return function if found is None else found["name"]
