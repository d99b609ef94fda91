"""Stacks of threads as debuggers print them, by tid: `--stacks FILE`.

gdb, `thread apply all bt`   Thread 2 (Thread 0x7f.. (LWP 13) "worker"):      #1  0x55.. in transfer (..) at bank.c:12
eu-stack -p                  TID 13:                                          #1  0x000055.. transfer
py-spy dump                  Thread 13 (idle): "MainThread"                       wait (threading.py:320)
jstack                       "main" #1 prio=5 .. nid=0xd waiting on ..            at java.lang.Object.wait(..)
a dump of Go                 goroutine 1 [chan receive, 5 minutes]:           main.work(..)
Go has no tids in its dump: each goroutine is one line, under the tid 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tracediag.snapshot.files import SnapshotError

_MOST = 64 << 20
"""Bytes that are read."""
_MOST_FRAMES = 64
_MOST_GOROUTINES = 24
_HEADS = (
    re.compile(r"Thread \S{1,12} \(.{0,80}?LWP (?P<tid>[0-9]{1,9})\)"),
    re.compile(r"Thread (?P<tid>[0-9]{1,9}) \("),
    re.compile(r"TID (?P<tid>[0-9]{1,9}):"),
    re.compile(r'".{0,500}" .{0,200}?\bnid=(?P<nid>0x[0-9a-f]{1,8}|[0-9]{1,9})\b'),
)
_GO = re.compile(r"goroutine (?P<number>[0-9]{1,12})[^\[\n]{0,200}\[(?P<state>[^\]\n]{1,200})\]:")
_NUMBERED = re.compile(r"#[0-9]{1,4} {1,4}(?:0x[0-9a-f]{1,16}(?: in)? )?(?P<name>[^\n]{1,1000})")
_PLACE = re.compile(r" at (?P<place>[^ ]{1,500}:[0-9]{1,9})$")
_PYTHON = re.compile(r"    (?P<frame>[^ \n][^\n]{0,400} \([^()\n]{1,300}\))$")
_JAVA = re.compile(r"\s{1,8}(?:at (?P<frame>[^\n]{1,500})|- (?P<lock>(?:waiting|locked|parking)[^\n]{1,300}))$")


def load_stacks(path: Path) -> dict[int, tuple[str, ...]]:
    """Read the frames of each thread, the innermost first.

    Raises:
        SnapshotError: if the file cannot be read or shows no stack in a form that is known.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST).decode(errors="replace")
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or error}") from error
    found = parse_stacks(text)
    if not found:
        raise SnapshotError(f"{path}: no stacks of gdb ('thread apply all bt'), eu-stack, py-spy dump, jstack or Go")
    return found


def parse_stacks(text: str) -> dict[int, tuple[str, ...]]:
    """Return the frames of each thread that a text shows; those of goroutines under 0."""
    found: dict[int, list[str]] = {}
    frames: list[str] | None = None
    for line in text.splitlines():
        tid = _head(line)
        if tid is not None:
            frames = found.setdefault(tid, [])
        elif frames is not None and len(frames) < _MOST_FRAMES:
            frame = _frame(line)
            if frame and not frame == "??" == "".join(frames[-1:]):
                frames.append(frame)
    goroutines = list(_goroutines(text))[:_MOST_GOROUTINES]
    if goroutines:
        found[0] = goroutines
    return {tid: tuple(frames) for tid, frames in found.items() if frames}


def _head(line: str) -> int | None:
    for head in _HEADS:
        match = head.match(line)
        if match is not None:
            return int(match[1], 16 if match[1].startswith("0x") else 10)
    return None


def _frame(line: str) -> str:
    numbered = _NUMBERED.match(line)
    if numbered is not None:
        name = numbered["name"].rstrip()
        place = _PLACE.search(name)
        return name.split(" (")[0].strip() + (f" ({place['place']})" if place is not None else "")
    python = _PYTHON.match(line)
    if python is not None:
        return python["frame"]
    java = _JAVA.match(line)
    return "" if java is None else java["frame"] or java["lock"]


def _goroutines(text: str) -> Iterator[str]:
    """Yield a line for each goroutine: its number, its state and its innermost function."""
    lines = text.splitlines()
    for place, line in enumerate(lines):
        match = _GO.match(line)
        if match is None:
            continue
        rest = [each for each in lines[place + 1 : place + 2 + 2 * _MOST_FRAMES] if each]
        named = next((each for each in rest if not each.startswith(("runtime.", "\t", "sync.runtime_"))), "")
        name = named.partition("(0x")[0].removesuffix("(...)") or "?"
        yield f"goroutine {match['number']} [{match['state']}] in {name}"
