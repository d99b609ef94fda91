"""What an error means for a call, without a trace: `connect ECONNREFUSED`, or for any call: `EMFILE`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracediag.evidence.long_names import GENERAL
from tracediag.rules.heads import Reading
from tracediag.rules.readings import meanings, readings_for
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.errnos import Errno, find_errno
from tracediag.trace.parameters import names

_ADDRESSED = frozenset({"bind", "connect", "sendto", "sendmsg", "send", "recvfrom", "accept", "accept4", "getsockopt"})
_KERNEL_NAMES = {"pread": "pread64", "pwrite": "pwrite64", "waitpid": "wait4"}
"""Functions of the C library that strace shows under the name of the kernel's call."""
_PATHS = frozenset({"pathname", "path", "oldpath", "newpath", "filename", "linkpath", "source", "target"})
_STANDS_FOR = {
    "{parent}": "DIRECTORY",
    "{to}": "NEWPATH",
    "{port}": "PORT",
    "{uid}": "the user of the process",
    "{filter}": "a seccomp filter",
    "{limit}": "the limit",
    "{user}": "another process",
    "{pointer}": "a pointer among the arguments",
    "{long}": GENERAL,
}
"""What stands in a general sentence for what a trace would show."""
_NAMES = re.compile(r"\b(?:call|errno) (?:==|!=|in|not in) ")


def explain_error(words: str) -> str | None:
    """Return what an error means, best for a call named before or after it; None if the words are not these.

    Raises:
        LookupError: if the call cannot be found; the sentence says so.
    """
    found = [(word, find_errno(word.upper())) for word in words.replace("(", " ").replace("=", " ").split()]
    errors = [error for _, error in found if error is not None]
    others = [word for word, error in found if error is None]
    if len(errors) != 1 or len(others) > 1:
        return None
    call = others[0].lower() if others else None
    call = _KERNEL_NAMES.get(call or "", call)
    if call is not None and call not in SYSCALLS:
        raise LookupError(f"no system call is named {others[0]}; for any call: tracediag explain {errors[0].name}")
    return "\n".join(_lines(call, errors[0]))


def _lines(call: str | None, error: Errno) -> Iterator[str]:
    readings = readings_for(call, error.name)
    yield f"{call or 'a call'} fails with {error.name} ({error.text})"
    for page, reading in readings:
        yield ""
        yield f"{page}{_condition(reading)}"
        yield from _told(call, error, says=reading.says, why=reading.why, fix=reading.fix)
    table = meanings()
    meaning = table.get((call or "", error.name)) or (None if readings else table.get(("*", error.name)))
    if meaning is not None:
        yield ""
        yield from _told(call, error, why=meaning.why, fix=meaning.fix)
    yield ""
    yield (
        "Which of several applies, a trace shows: tracediag explain TRACE:LINE"
        if len(readings) > 1
        else ("What it means in a trace: tracediag explain TRACE:LINE")
    )


def _told(call: str | None, error: Errno, **texts: str) -> Iterator[str]:
    for label, text in texts.items():
        yield f"    {label:<9} {_plain(text, call, error)}"


def _condition(reading: Reading) -> str:
    """Return what a reading asks of the call besides its name and error."""
    parts = [part for part in reading.match.split(" and ") if _NAMES.match(part) is None]
    return f", if {' and '.join(parts)}" if parts else ""


def _plain(text: str, call: str | None, error: Errno) -> str:
    parameters = set(() if call is None else names(call) or ())
    it = "ADDRESS" if call in _ADDRESSED else "PATH" if parameters & _PATHS or call is None else "the descriptor"
    for field, words in {"{call}": call or "the call", "{errno}": error.name, "{it}": it, **_STANDS_FOR}.items():
        text = words.join(text.split(field))
    return text
