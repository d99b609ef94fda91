"""What a failed call means: the most specific reading of the pages, and behind them the table of all errors.

`failure/meanings.tsv` has a line for an error of some calls, or of any: calls, error, what it means, what helps. Pages
and table are read when the first failure is reported, and not before.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

import msgspec

from tracediag.evidence.blame import Blame
from tracediag.evidence.long_names import long_part
from tracediag.evidence.named_paths import paths_of
from tracediag.evidence.remedies import brief, object_of
from tracediag.rules.heads import Head, Reading, parse_head, split_head
from tracediag.trace.events import Syscall
from tracediag.trace.parameters import names

_FAMILY = Path(__file__).parent / "failure"
_ANY = "*"


class Meaning(msgspec.Struct, frozen=True):
    """What an error of a call means, as the table has it."""

    why: str
    fix: str


@cache
def pages() -> dict[Path, tuple[str, str]]:
    """Return the head and the title line of each page about failed calls, by their files."""
    texts = ((path, *split_head(path.read_text(encoding="utf-8"))) for path in sorted(_FAMILY.glob("*.md")))
    return {path: (head, rest.partition("\n")[0]) for path, head, rest in texts if head}


@cache
def heads() -> dict[Path, Head]:
    """Return the heads of the pages about failed calls, by their files.

    Raises:
        ValueError: if a head is malformed.
    """
    return {path: parse_head(head) for path, (head, _) in pages().items()}


@cache
def _by_error() -> dict[str, list[tuple[Path, Reading]]]:
    found: dict[str, list[tuple[Path, Reading]]] = {}
    for path, head in heads().items():
        for reading in head.readings:
            for errno in reading.errnos:
                found.setdefault(errno, []).append((path, reading))
    return found


def reading_of(blame: Blame) -> tuple[Path, Reading] | None:
    """Return the most specific reading of a failed call, with its page: the one that compares the most."""
    call = blame.call
    readings = _by_error().get(call.errno or "", ())
    fitting = [one for one in readings if one[1].query.matches_later(call, blame.process)]
    return max(fitting, key=lambda one: one[1].comparisons, default=None)


def readings_for(call: str | None, errno: str) -> list[tuple[str, Reading]]:
    """Return the readings of an error, with the names of their pages: those about any call, or about this one.

    Those that any such call can have are first, then those about certain arguments, the most specific one last.
    """
    found = [
        (path.stem.replace("_", "-"), reading)
        for path, reading in _by_error().get(errno, ())
        if (call is None and reading.query.calls is None) or (call is not None and _may_match(reading, call))
    ]
    about = [one for one in found if one[1].query.calls is not None] or found
    return sorted(about, key=lambda one: one[1].comparisons)


def _may_match(reading: Reading, call: str) -> bool:
    calls = reading.query.calls
    return (
        call in calls if calls is not None else re.search(rf"call (?:not in|!=)[^)]*\b{call}\b", reading.match) is None
    )


@cache
def meanings() -> dict[tuple[str, str], Meaning]:
    """Return the table of errors, by the name of the call, or "*", and of the error."""
    found = {}
    for line in (_FAMILY / "meanings.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            calls, errno, why, fix = line.split("\t")
            found.update({(call, errno): Meaning(why, fix) for call in calls.split()})
    return found


def why_of(blame: Blame) -> str:
    """Return what the error means for this call, with its manual page."""
    if blame.search is not None:
        return blame.search.why
    known = reading_of(blame)
    found = known[1] if known is not None else _meaning(blame.call)
    if found is None:
        return f"what {blame.call.errno} means for {blame.call.name}: {blame.call.name}(2), ERRORS"
    return filled(found.why, blame)


def fix_of(blame: Blame) -> str:
    """Return what removes the cause of the failure."""
    if blame.search is not None:
        return blame.search.fix
    call, known = blame.call, reading_of(blame)
    found = known[1] if known is not None else _meaning(call)
    if found is None:
        return f"remove the cause of {call.errno} at line {call.line}, or let the program continue without {call.name}"
    return filled(found.fix, blame)


def _meaning(call: Syscall) -> Meaning | None:
    table, errno = meanings(), call.errno or ""
    return table.get((call.name, errno)) or table.get((_ANY, errno))


def filled(text: str, blame: Blame) -> str:
    """Return the text of a reading or of the table with what the trace shows: see `tracediag.rules.heads`."""
    call, it = blame.call, object_of(blame)
    number = call.number(0)
    named = it or (f"fd {number}" if number is not None and 0 <= number < 1 << 20 else f"what {call.name} is about")
    parts = {
        "{call}": call.name,
        "{errno}": call.errno or "",
        "{it}": named,
        "{parent}": (posixpath.dirname(it.rstrip("/")) or "the working directory") if it else "the directory",
        "{to}": brief((paths_of(call) or (named,))[-1]),
        "{port}": named.rpartition(":")[2],
        "{uid}": _uid(blame),
        "{filter}": _filter(blame),
        "{limit}": _limit(blame),
        "{user}": blame.user or "a process",
        "{pointer}": _pointer(call),
        "{long}": long_part(call) if call.errno == "ENAMETOOLONG" else "",
    }
    for field, value in parts.items():
        if "{" not in text:
            break
        text = value.join(text.split(field))
    return text


def _uid(blame: Blame) -> str:
    user = None if blame.process is None else blame.process.user_at(blame.call.line)
    return "the user of the process" if user is None else f"user {user}"


def _filter(blame: Blame) -> str:
    known = None if blame.process is None else blame.process.seccomp
    return "a seccomp filter" if known is None else f"the seccomp filter of line {known.call.line:,}"


def _pointer(call: Syscall) -> str:
    """Return the first argument that strace prints as an address, since it could not read what lies there."""
    for name, value in zip(names(call.name) or (), call.args, strict=False):
        if isinstance(value, int) and re.search(rf"(?<![\w]){value:#x}(?!\w)", call.body) is not None:
            return f"the argument {name} ({value:#x})"
    return "a pointer among the arguments"


def _limit(blame: Blame) -> str:
    """Return the limit that the error is about, with the line that shows it."""
    call = blame.call
    name = _RESOURCES.get((call.name, call.errno or "")) or _RESOURCES.get((_ANY, call.errno or ""), "")
    known = None if blame.process is None else blame.process.limit_at(name, call.line)
    if known is None or known.soft is None:
        return f"the limit {name}".rstrip()
    return f"the limit {name} of {known.soft:,} (line {known.call.line:,})"


_RESOURCES = {
    (_ANY, "EFBIG"): "RLIMIT_FSIZE",
    (_ANY, "EMFILE"): "RLIMIT_NOFILE",
    (_ANY, "EAGAIN"): "RLIMIT_NPROC",
    (_ANY, "ENOMEM"): "RLIMIT_AS",
    ("mlock", "ENOMEM"): "RLIMIT_MEMLOCK",
    ("mlockall", "ENOMEM"): "RLIMIT_MEMLOCK",
    ("io_uring_setup", "ENOMEM"): "RLIMIT_MEMLOCK",
}
"""The limits that an error is about, by call, "*" for any, and error."""
