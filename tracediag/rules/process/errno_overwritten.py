"""TD519: the reported error belongs to a later, harmless call."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tracediag.evidence.blame import failed_calls
from tracediag.evidence.complaints import meaning, said_by, target
from tracediag.evidence.exits import severity_by_end
from tracediag.evidence.runs import LOOP
from tracediag.evidence.waiters import is_last
from tracediag.evidence.weights import harmless, weight
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.trace.events import Syscall
from tracediag.trace.records import Message

_NEAR = 10
"""Lines between the failure and the call that overwrites its error."""
_LIGHT = 10


class ErrnoOverwritten(Rule):
    """The message on fd 2 reports the error of a harmless call that came after the real failure."""

    code = "TD519"
    name = "errno-overwritten"
    severity = Severity.ERROR
    summary = "the printed error comes from a later harmless call, not from the call that failed first"
    rests_on_successes = True

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Compare the messages of a process with its failures; in an excerpt a pair of failures is enough."""
        if end.process.messages:
            yield from self._misnamed(end.process)
        elif LOOP.enough(1, self.scope.excerpt):
            yield from self._excerpt(end)

    def _misnamed(self, process: Process) -> Iterator[Finding]:
        for first, second in pairwise(failed_calls(process)):
            if not _overwrites(first, second):
                continue
            said = said_by(process, second.line)
            message = said.names_error(second.errno or "")
            if message is None or said.names_error(first.errno or "") or said.names_object(second):
                continue
            sure = Confidence.CERTAIN if harmless(second) or second.number(0) == -1 else Confidence.LIKELY
            yield self._finding(first, second, message, severity_by_end(process), sure)
            return

    def _excerpt(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report a probe that fails right after a failure as the last call of an excerpt: errno now holds its error."""
        failures = failed_calls(end.process)
        if len(failures) < 2 or not is_last(failures[-1], end.kernel) or not harmless(failures[-1]):
            return
        if _overwrites(failures[-2], failures[-1]) and failures[-1].errno not in ("EAGAIN", "EINPROGRESS"):
            yield self._finding(failures[-2], failures[-1], None, Severity.WARNING, Confidence.POSSIBLE)

    def _finding(
        self, first: Syscall, second: Syscall, message: Message | None, severity: Severity, confidence: Confidence
    ) -> Finding:
        real, wrong = first.errno or "", second.errno or ""
        name = target(first)
        what = f"{first.name}{f' of {name}' if name else ''}"
        steps = [
            step(first, f"the real failure: {meaning(real)}", primary=True),
            step(second, f"a later call also fails and sets errno to {wrong}"),
        ]
        title = f"errno is overwritten: {second.name} sets {wrong} after {what} failed with {real}"
        if message is not None:
            steps.append(step(message, f"{wrong} is printed instead of {real}"))
            title = f"the message reports {wrong} from a later {second.name}; {what} failed with {real}"
        return self.finding(
            steps,
            object=f"errno of {what}",
            title=title,
            severity=severity,
            confidence=confidence,
            why="errno is only valid right after the call that failed: a library function may change it even"
            " when it succeeds: errno(3)",
            fix=f"save errno right after {first.name} (int error = errno), print strerror(error), then fix {real}",
            explains=[("failed-call-behind-exit", second.line), ("failed-call-behind-exit", first.line)],
        )


def _overwrites(first: Syscall, second: Syscall) -> bool:
    """Whether the second failure is a consequence of a real one, or a probe right after it."""
    if first.errno == second.errno or first.pid != second.pid or second.line - first.line > _NEAR:
        return False
    if harmless(first) or _asks_for_room(first):
        return False
    return harmless(second) or (weight(second) <= _LIGHT and weight(first) > weight(second))


def _asks_for_room(call: Syscall) -> bool:
    """Whether a read failed because the buffer is too small for an event: programs enlarge it, inotify(7)."""
    return call.name == "read" and call.errno == "EINVAL"
