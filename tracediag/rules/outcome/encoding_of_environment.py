"""TD009: text beyond ASCII fails, because the environment of the program names no locale with another encoding."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import Complaint, report_step, said_by
from tracediag.evidence.exits import end_step, failed_end
from tracediag.evidence.names import process_name
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Message

_LIBRARY, _LOCALES = "/libc.so.6", ("/locale-archive", "/LC_CTYPE")
_LOADED = lazy_pattern(r"/locale/(?>locale-archive|[^/]++/LC_CTYPE)\Z")
_SAID = lazy_pattern(
    r"Unicode(En|De)codeError: 'ascii' cod|invalid byte sequence in US-ASCI|from (?:UTF-8 to US-ASCI|US-ASCII to)"
)
"""How Python and Ruby report it; strace cuts the text after 32 bytes unless it is told otherwise."""


class _Start(msgspec.Struct, eq=False):
    """What a program has opened since its execve."""

    executed: Syscall
    """The execve that started it."""
    localised: bool = False
    """Whether the C library has loaded a locale."""


class EncodingOfEnvironment(Rule):
    """A program has loaded no locale, so that its text is ASCII, and reports that a character is not."""

    code = "TD009"
    name = "encoding-of-environment"
    severity = Severity.ERROR
    summary = "text beyond ASCII fails: the environment names no UTF-8 locale"
    raised_by = (("execve",), ("open", "openat"))
    rests_on_successes = True

    def __init__(self) -> None:
        self._started: Cases[Process, _Start] = Cases(1024)
        """The programs that use glibc, which looks for a file of each locale but C."""

    @on_call("open", "openat", showing=(_LIBRARY, *_LOCALES))
    def opened(self, action: Action) -> None:
        """Note the C library and the locale that a program loads."""
        call, executed = action.call, action.process.executed
        if call.errno is not None or executed is None:
            return
        if _LIBRARY in call.body:
            self._started[action.process] = _Start(executed)
        elif (known := self._started.get(action.process)) is not None and not known.localised:
            path = call.path(0 if call.name == "open" else 1)
            known.localised = path is not None and _LOADED.search(path) is not None

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge what a program without a locale has said."""
        known = self._started.pop(end.process, None)
        executed = end.process.executed
        if known is None or executed is None or known.localised or known.executed is not executed:
            return
        if not end.process.messages:
            return
        words = _words(said_by(end.process, executed.line))
        if words is not None and "python2" not in (end.process.program or ""):  # which writes ASCII to any pipe
            yield self._finding(end, known, words)

    def _finding(self, end: ProcessEnd, known: _Start, words: Message) -> Finding:
        failed = failed_end(end.process)
        name = process_name(end.process)
        steps = [
            step(known.executed, "the program starts, and loads no locale: the C locale is in effect, with ASCII"),
            report_step(words),
        ]
        steps[1] = msgspec.structs.replace(steps[1], primary=True)
        if failed is not None:
            steps.append(end_step(failed))
        return self.finding(
            steps,
            object=name,
            title=f"{name} cannot convert text beyond ASCII: the environment names no UTF-8 locale",
            confidence=Confidence.LIKELY,
            severity=Severity.WARNING if failed is None else Severity.ERROR,
            why="cron, systemd and containers start programs without the LANG of a login: setlocale then keeps the C"
            " locale, and Python and Ruby take its encoding, ASCII, for files and output; locale(7), setlocale(3)",
            fix="set LANG=C.UTF-8 in the environment of the job, service or container (PYTHONUTF8=1 for Python,"
            " RUBYOPT=-EUTF-8 for Ruby); or name the encoding where the program opens the file",
        )


def _words(said: Complaint) -> Message | None:
    """Return the last write that reports a character beyond ASCII."""
    for message in reversed(said.messages):
        if _SAID.search(message.text) is not None:
            pieces = (piece.call for piece in message.pieces if _SAID.search(piece.text) is not None)
            return next(pieces, message.last)
    return None
