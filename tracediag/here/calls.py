"""The failed calls that the findings of a report have as steps, with what they name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from tracediag.kernel.socket import format_address
from tracediag.reading import UnreadableError, read
from tracediag.results.findings import Finding, Step
from tracediag.trace.events import Syscall
from tracediag.trace.values import note_of, text_of

_ADDRESSED = frozenset({"connect", "bind", "sendto"})
_BY_DESCRIPTOR = frozenset({"flock", "fcntl", "write", "pwrite64", "fallocate", "ftruncate", "fsync", "read", "listen"})
_MOST_STEPS = 64


class Failed(msgspec.Struct, frozen=True):
    """One failed call of a finding."""

    finding: Finding
    line: int
    call: Syscall
    errno: str
    paths: tuple[str, ...] = ()
    """Absolute where the trace shows the directory, else as they are."""
    address: str = ""


def failed_calls(findings: tuple[Finding, ...]) -> Iterator[Failed]:
    """Yield the failed calls of findings, each once."""
    seen: set[tuple[str, str, str]] = set()
    for finding in findings:
        for step in sorted(finding.steps[:_MOST_STEPS], key=lambda each: not each.primary):
            found = _failed(finding, step)
            if found is None:
                continue
            key = (found.call.name, found.errno, found.call.body)
            if key not in seen:
                seen.add(key)
                yield found


def _failed(finding: Finding, step: Step) -> Failed | None:
    if " = -1 E" not in step.text:
        return None
    try:
        call = next((event for event in read([f"{step.text}\n"]) if isinstance(event, Syscall)), None)
    except UnreadableError:
        return None
    if call is None or call.errno is None:
        return None
    address = format_address(call.arg(4 if call.name == "sendto" else 1)) if call.name in _ADDRESSED else None
    return Failed(finding, step.line, call, call.errno, tuple(dict.fromkeys(_paths(call))), address or "")


def _paths(call: Syscall) -> Iterator[str]:
    """Yield the paths of a call; a relative one is joined to the note of `-y` on its directory."""
    if call.name in _BY_DESCRIPTOR:
        note = note_of(call.arg(0))
        if note is not None and note.startswith("/"):
            yield note
        return
    if call.name in _ADDRESSED:
        return
    base = None
    for argument in call.args[:4]:
        note = note_of(argument)
        if note is not None and note.startswith("/"):
            base = note
        text = text_of(argument)
        if text is None or text.shortened or not text.data:
            continue
        path = str(text)
        if path.startswith("/"):
            yield posixpath.normpath(path)
        else:
            yield path if base is None else posixpath.normpath(posixpath.join(base, path))
        if call.name.startswith("exec"):
            return
