"""The calls that the findings of a report have as steps and that failed or wait for a lock, with what they name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from tracediag.kernel.socket import format_address
from tracediag.reading import UnreadableError, read
from tracediag.results.findings import Finding, Step
from tracediag.trace.events import Call
from tracediag.trace.values import note_of, text_of

_ADDRESSED = frozenset({"connect", "bind", "sendto"})
_BY_DESCRIPTOR = frozenset({"flock", "fcntl", "write", "pwrite64", "fallocate", "ftruncate", "fsync", "read", "listen"})
_MOST_STEPS = 64
_LOCK = re.compile(r"flock\(|fcntl(?:64)?\(.*\bF_(?:OFD_)?SETLKW?(?:64)?\b")
_RETURNED = re.compile(r"\) += (?:-?[0-9]|0x)")


class Failed(msgspec.Struct, frozen=True):
    """One failed call of a finding, or one that waits for a lock and does not return."""

    finding: Finding
    line: int
    call: Call
    errno: str
    """"" of a call that waits."""
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
    is_lock = _LOCK.match(step.text) is not None
    waits = is_lock and _RETURNED.search(step.text) is None
    if not waits and " = -1 E" not in step.text:
        return None
    try:
        call = next((event for event in read([f"{step.text}\n"]) if isinstance(event, Call)), None)
    except UnreadableError:
        return None
    errno = "" if waits else getattr(call, "errno", None)
    if call is None or errno is None:
        return None
    address = format_address(call.arg(4 if call.name == "sendto" else 1)) if call.name in _ADDRESSED else None
    paths = tuple(dict.fromkeys(_paths(call)))
    if is_lock and not paths and finding.object.startswith("/"):  # without -y the finding knows what was opened
        paths = (finding.object,)
    return Failed(finding, step.line, call, errno, paths, address or "")


def _paths(call: Call) -> Iterator[str]:
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
