"""Finds the failed call that caused a bad end among the harmless failures around it.

The program's own message on fd 2 counts most: the text of the error, and the path. Without a message it is the nearest
unusual failure before the end. A failure after the message is clean-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tracediag.evidence.complaints import Complaint, said_by, target
from tracediag.evidence.held import file_of
from tracediag.evidence.malformed import rejects_text
from tracediag.evidence.modes import Seen, seen_by
from tracediag.evidence.searches import LOOKUPS, Search, search_of
from tracediag.evidence.set_id import denied
from tracediag.evidence.text_busy import user_of
from tracediag.evidence.weights import SEARCHES, harmless, optional, weight
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence
from tracediag.trace.calls import (
    CHDIRS,
    SIGNAL_RETURNS,
)
from tracediag.trace.events import Syscall
from tracediag.trace.records import Message

_ABSENT = "not found"

_RETURNS = SIGNAL_RETURNS | {"restart_syscall"}
"""They return the result of the call that the signal interrupted: sigreturn(2)."""

_NAMED, _SPOKEN_OF = 100, 60
_UNDER_WAY = frozenset({"EINPROGRESS", "EALREADY", "EINTR"})
"""Errors of a connect that goes on in the kernel, and whose result SO_ERROR returns: connect(2)."""
_WORTH = 12
_NEAR, _FAR = 15, 70
_NEXT = 8
"""Lines from a failure to its report, if strace shows no text of the message: perror(3) makes three calls first."""
_HEAVY = 40


class Blame(msgspec.Struct, frozen=True):
    """A failed call that is held responsible for a bad end."""

    call: Syscall
    message: Message | None
    """The write to fd 2 that reports it, or that follows it."""
    named: bool
    """Whether that message names its error."""
    confidence: Confidence
    directory: Syscall | None = None
    """The chdir that a relative path starts from."""
    connect: Syscall | None = None
    """The connect that failed with the error that SO_ERROR returned."""
    search: Search | None = None
    """The search in several directories of which the call is the last step."""
    process: Process | None = None
    """The process that made the call."""
    file: str | None = None
    """The path of the file, or of the directory for a relative path, that its first argument refers to."""
    seen: Seen | None = None
    """Owner and mode of the path, of a call that was refused, where an earlier stat showed them."""
    user: str | None = None
    """The process that executes or writes the file, of ETXTBSY, where the trace shows it."""
    by_strace: bool = False
    """Whether the program lacks the privilege only because strace traces it: `evidence.set_id`."""

    @property
    def peer_gone(self) -> bool:
        """Whether the call failed because the process at the other end had gone."""
        return self.call.errno in BROKEN or (self.call.errno == "ECONNREFUSED" and self.call.name != "connect")


def failed_calls(process: Process) -> list[Syscall]:
    """Return the last failed calls of a process, the latest last, except those that only repeat an earlier result."""
    return [call for call in process.failures if call.name not in _RETURNS]


def find_blame(process: Process, end: int, *, ended: bool = True, pasted: bool = False) -> Blame | None:
    """Return the failed call that caused the end of a process at that line, or None where none is likely.

    Args:
        process: the process, whose last failures and messages are examined.
        end: the line of its end, or of the end of the trace.
        ended: whether it ended badly; if not, only a call that its message names counts.
        pasted: whether the end was cut off: then a message of a failure directly after the call counts as well.
    """
    failures = failed_calls(process)
    said = said_by(process)
    no_script = _no_script(process, failures, said) if ended else None
    if no_script is not None:
        return placed(no_script, process)
    astray = any(call.name in CHDIRS for call in failures)
    if not ended and not (pasted or astray) and not _speaks_of_any(said, failures):
        return None
    last_words = _last_words(said)
    best: tuple[float, int, Blame] | None = None
    for call in failures:
        blame, score = _weigh(call, said.after(call.line), last_words or end, failures)
        # A shell need not name the error: "cd: can't cd to /srv".
        told = (
            (pasted or call.name in CHDIRS)
            and blame.message is not None
            and said.after(call.line).tells_failure(call) is not None
        )
        if told:
            score = max(score, _WORTH)
        if score < _WORTH or not (ended or blame.named or told):
            continue
        if best is None or (score, call.line) >= best[:2]:
            best = (score, call.line, blame)
    return None if best is None or _is_of_text(process, best[2], said) else placed(best[2], process)


def _is_of_text(process: Process, blame: Blame, said: Complaint) -> bool:
    """Whether the program reports something else: that a text is malformed, which no call shows."""
    return not blame.named and said.names_object(blame.call) is None and rejects_text(process)


def _no_script(process: Process, failures: Sequence[Syscall], said: Complaint) -> Blame | None:
    """Return the execve that failed with ENOEXEC, if the shell that then read the file found no script in it.

    All that fails between the two follows from that: the first words of a line are no commands.
    """
    message = said.says("syntax error")
    known = (call for call in reversed(failures) if call.errno == "ENOEXEC")
    call = None if message is None else next(known, process.no_format)
    return None if call is None else Blame(call, message, named=False, confidence=Confidence.CERTAIN)


def blame_for(process: Process, failures: Sequence[Syscall], said: Complaint) -> Blame | None:
    """Return the failed call that a message is about: it names the error or the object, or follows directly.

    Args:
        process: the process that wrote the message.
        failures: its failed calls when it did.
        said: the message.
    """
    until = _first_line(said)
    best: tuple[float, int, Blame] | None = None
    for call in failures:
        if call.line > until:
            continue
        blame, score = _weigh(call, said, until, failures)
        told = said.tells_failure(call) is not None
        if not (blame.named or told or said.names_object(call) is not None):
            continue
        if best is None or (score, call.line) >= best[:2]:
            best = (score, call.line, blame)
    return None if best is None else placed(best[2], process)


def _first_line(said: Complaint) -> int:
    return 0 if said.first is None else said.first.line


def _speaks_of_any(said: Complaint, failures: Iterable[Syscall]) -> bool:
    """Whether a message names the error of any of the calls: the cheap test first, since most messages do not."""
    if any(said.names_error(errno) is not None for errno in {call.errno or "" for call in failures}):
        return True
    return said.says(_ABSENT) is not None and any(_is_absent(call, said) for call in failures)


def _is_absent(call: Syscall, said: Complaint) -> bool:
    """Whether a message says of the object of a lookup that it was not found, as shells do of a command."""
    if call.errno != "ENOENT" or call.name not in LOOKUPS or not said:
        return False
    return said.says(_ABSENT) is not None and said.names_object(call) is not None


def _last_words(said: Complaint) -> int:
    """Return the line where the last message begins, in one write or several; 0 where there is none."""
    return said.messages[-1].calls[0].line if said else 0


def _weigh(call: Syscall, said: Complaint, until: int, failures: Sequence[Syscall]) -> tuple[Blame, float]:
    spoken = said.names_object(call)
    error = said.names_error(call.errno or "") or (spoken if _is_absent(call, said) else None)
    distance = abs(until - (call.end_line or call.line))
    score = weight(call) - min(_FAR / 2, distance / 2)
    normal = harmless(call) or (spoken is None and optional(call))
    if call.line > until:
        score -= _NEAR  # after the message: clean-up
    if error is not None:
        score = _WORTH + 3 - min(2, distance / _FAR) if normal and spoken is None else score + _NAMED
    if spoken is not None:
        score += _SPOKEN_OF
    if spoken is None and call.name in LOOKUPS and call.errno in ("ENOENT", "ENOTDIR") and said.quotes_other(call):
        return Blame(call, None, False, Confidence.POSSIBLE), -1
    strange = call.name in SEARCHES and spoken is None and said.names_other(call.errno or "")
    if normal and (error is None or strange):
        score = _WORTH + 1 if error is None and _is_next(call, said, failures) else -1
    confidence = _sure(call, said, failures, spoken is not None, error is not None)
    if error is None and spoken is None and distance > (2 if weight(call) >= _HEAVY else 1) * _NEAR:
        confidence = Confidence.POSSIBLE
    pieces = said.pieces
    words = pieces[0].call if pieces and pieces[0].call.line - call.line <= _NEAR else None
    return Blame(call, error or spoken or words, error is not None, confidence), score


def _is_next(call: Syscall, said: Complaint, failures: Sequence[Syscall]) -> bool:
    """Whether a message of which strace shows no text follows directly, and no other failure stands between."""
    message = said.withheld
    if message is None or message.line - (call.end_line or call.line) > _NEXT:
        return False
    return not any(call.line < other.line < message.line for other in failures)


def _sure(call: Syscall, said: Complaint, failures: Sequence[Syscall], spoken: bool, named: bool) -> Confidence:
    if not named or not said.pieces:
        return Confidence.LIKELY if weight(call) >= 25 or spoken else Confidence.POSSIBLE
    like = (one for one in failures if one.errno == call.errno and not harmless(one))
    rivals = {(one.name, target(one) or one.number(0)) for one in like}
    return Confidence.CERTAIN if spoken or len(rivals) < 2 else Confidence.LIKELY


def placed(blame: Blame, process: Process) -> Blame:
    """Add what the trace shows beside the call: a directory, a connect, privileges that strace has taken away."""
    call = blame.call
    file, user, seen = file_of(process, call), user_of(process, call), seen_by(process, call)
    blame = msgspec.structs.replace(blame, process=process, file=file, user=user, seen=seen)
    if denied(process, blame.call):
        blame = msgspec.structs.replace(blame, by_strace=True)
    search = search_of(blame.call, process.failures)
    if search is not None:
        return msgspec.structs.replace(blame, search=search)
    if blame.call.name == "getsockopt":
        return msgspec.structs.replace(blame, connect=_begun(process, blame.call))
    path, chdir = target(blame.call), process.place.moved
    if path is None or chdir is None or path.startswith(("/", "@")) or chdir.line > blame.call.line:
        return blame
    relative = blame.call.has("AT_FDCWD") or not blame.call.name.endswith("at")
    addressed = blame.call.name in ("connect", "bind") and "/" not in path
    return msgspec.structs.replace(blame, directory=chdir) if relative and not addressed else blame


def _begun(process: Process, asked: Syscall) -> Syscall | None:
    """Return the connect that was under way on the descriptor of a getsockopt, not one of an earlier incarnation."""
    number, table = asked.number(0), process.table
    held = None if number is None else table.get(number) or table.last_closed.get(number)
    made = 0 if held is None or held.opened is None or held.opened.line > asked.line else held.opened.line
    earlier = (call for call in reversed(process.failures) if call.name == "connect" and made < call.line < asked.line)
    found = next((call for call in earlier if call.number(0) == number), None)
    return found if found is not None and found.errno in _UNDER_WAY else None
