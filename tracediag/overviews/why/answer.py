"""What is behind the words that a program printed: a failed call, a child, a text that was read, or the program."""

from __future__ import annotations

import posixpath
import re

import msgspec

from tracediag.evidence.blame import Blame, blame_for
from tracediag.evidence.complaints import Complaint, meaning, target
from tracediag.evidence.exits import end_step, manner
from tracediag.evidence.weights import harmless
from tracediag.kernel.process import Process, Reaped
from tracediag.overviews.descriptors import line_of, time_of, what_of
from tracediag.overviews.why.found import Ended, Found
from tracediag.results.cause import Cause, Origin
from tracediag.results.findings import Step, step
from tracediag.results.grades import Confidence
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Message

_ABOUT_CHILD = lazy_pattern(
    r"\b(?:exit|status|code|returned|fail(?:ed|ure)?|error|killed|signal|died|terminated)\b", re.IGNORECASE
)
_NEAR = 15
"""Lines back to a failure that is mentioned although the message does not name it."""


class Answer:
    """Finds what is behind the words, and puts it in order."""

    def __init__(self, found: Found, ends: dict[Process, Ended]) -> None:
        self._found = found
        self._ends = ends
        program = posixpath.basename(found.process.program or "")
        self._said = Complaint(tuple(found.said), program)

    def cause(self, path: str, message: str, *, times: int, last: int | None, damage: str | None) -> Cause:
        """Return the answer."""
        found = self._found
        write = found.match.calls[-1] if found.match.calls else found.said[-1]
        origin, reason, confidence, steps = self._behind(write)
        if not found.match.complete:
            confidence = Confidence.POSSIBLE if confidence is Confidence.POSSIBLE else Confidence.LIKELY
        steps = sorted(steps, key=_line)
        return Cause(
            path=path,
            message=message,
            line=line_of(write),
            pid=found.process.pid,
            program=found.process.program,
            where=self._where(),
            text=self._said.text.strip(),
            complete=found.match.complete,
            origin=origin,
            reason=reason,
            confidence=confidence,
            steps=tuple(steps),
            times=times,
            last_line=last if times > 1 else None,
            damage=damage,
        )

    def _where(self) -> str:
        held = self._found.descriptor
        if held is None:
            return "the output of the program, between the records"
        what = what_of(held.file, self._found.process)
        return f"fd {held.number}" + (f" = {what}" if what else "")

    def _behind(self, write: Message) -> tuple[Origin, str, Confidence, list[Step]]:
        found = self._found
        blame = blame_for(found.process, found.failures, self._said)
        if blame is not None and blame.named:
            return self._failed(blame, write)
        ended = None if found.reaped is None or found.reaped.child is None else self._ends.get(found.reaped.child)
        if ended is not None and found.reaped is not None and _ABOUT_CHILD.search(self._said.text):
            return self._child(ended, found.reaped, write)
        if blame is not None and self._is_about(blame.call):
            return self._failed(blame, write)
        printing = step(write, "the program prints the message", primary=True)
        if found.read is not None:
            call, source = found.read
            reason = f"the text came from {source}: the program read it and printed it"
            return Origin.READ, reason, Confidence.CERTAIN, [step(call, f"the text is read from {source}"), printing]
        near = [call for call in found.failures if write.line - call.line <= _NEAR and not harmless(call)]
        if near:
            call = near[-1]
            reason = f"the message names no failed call; the nearest failure before it: {_failure(call)}"
            before = step(call, "fails shortly before; the message does not name it")
            return Origin.OWN, reason, Confidence.POSSIBLE, [before, printing]
        return Origin.OWN, "no call failed: the text is the program's own", Confidence.LIKELY, [printing]

    def _is_about(self, call: Syscall) -> bool:
        """Whether a message may be about a call whose error it does not name: of a usual failure it has to tell."""
        return not harmless(call) or self._said.tells_failure(call) is not None

    def _failed(self, blame: Blame, write: Message) -> tuple[Origin, str, Confidence, list[Step]]:
        steps = [step(blame.call, f"{_failure(blame.call)}: the message is about this", primary=True)]
        if blame.directory is not None:
            steps.append(step(blame.directory, "the directory from which the relative path starts"))
        if blame.connect is not None:
            steps.append(step(blame.connect, "the connection that failed"))
        steps.append(step(write, "the program prints the message"))
        known = "error and object" if blame.named and self._said.names_object(blame.call) else None
        known = known or ("error" if blame.named else "object" if self._said.names_object(blame.call) else None)
        how = f"the message names its {known}" if known else "the message follows it directly"
        return Origin.FAILED_CALL, f"{_failure(blame.call)}; {how}", blame.confidence, steps

    def _child(self, ended: Ended, reaped: Reaped, write: Message) -> tuple[Origin, str, Confidence, list[Step]]:
        name = posixpath.basename(ended.program or "") or f"pid {ended.end.pid}"
        steps = [end_step(ended.end, primary=ended.blame is None), step(write, "the program prints the message")]
        learned = step(reaped.call, "the program learns the status of its child")
        steps.append(msgspec.structs.replace(learned, line=line_of(reaped.call), time=time_of(reaped.call)))
        reason = f"its child {name} (pid {ended.end.pid}) {manner(ended.end)}"
        if ended.blame is not None:
            call = ended.blame.call
            steps.append(step(call, f"in the child, {_failure(call)}", primary=True))
            if ended.blame.message is not None:
                steps.append(step(ended.blame.message, "the child reports it"))
            reason += f", because {_failure(call)}"
        return Origin.CHILD, reason, Confidence.LIKELY, steps


def _failure(call: Syscall) -> str:
    """Return a failed call in words: "openat of /etc/x fails with ENOENT (no such file or directory)"."""
    name = target(call)
    errno = call.errno or ""
    return f"{call.name}{f' of {name}' if name else ''} fails with {errno} ({meaning(errno)})"


def _line(each: Step) -> int:
    return each.line
