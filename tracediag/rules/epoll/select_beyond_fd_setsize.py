"""TD116: a descriptor of 1024 or above in a program that waits with select."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal
from tracediag.trace.calls import SELECTS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Signal

FD_SETSIZE = 1024

_CHECKED = "bit out of range"
_OVERFLOW = "buffer overflow detected"
_PYTHON = "filedescriptor out o"
"""The part of Python's message that strace shows: it cuts strings at 32 bytes."""

_GARBAGE = frozenset({"EAFNOSUPPORT", "EFAULT", "EINVAL", "EBADF"})
"""How a call with overwritten arguments fails."""

_WHY = "an fd_set has bits for 0 to 1023 only, and FD_SET with a higher number writes past its end: select(2)"


_Select = tuple[int, Descriptor | None, Syscall]
"""The number that is too high, the descriptor if it is known, and the call."""


class SelectBeyondFdSetsize(Rule):
    """select is called with a number for which an fd_set has no bit."""

    code = "TD116"
    name = "select-beyond-fd-setsize"
    severity = Severity.WARNING
    summary = "select is used with a descriptor of 1024 or above, for which an fd_set has no bit"

    def __init__(self) -> None:
        self._selected: Cases[Process, _Select] = Cases()

    @on_call(*SELECTS)
    def selects(self, action: Action) -> None:
        """Keep the first select that watches such a number; the consequence shows at the end."""
        call = action.call
        if (call.number(0) or 0) <= FD_SETSIZE or action.process in self._selected:
            return
        high = _high_numbers(call)
        found = next((found for number in high if (found := action.process.table.get(number)) is not None), None)
        # An unknown number may be a stale bit past the end of a set shorter than the first argument says; not so if
        # that argument is exactly one more, and the call did not fail.
        if found is not None or (high and max(high) + 1 == call.number(0) and not call.failed):
            self._selected[action.process] = (high[0] if found is None else found.number, found, call)

    @on_signal("SIGABRT", "SIGSEGV")
    def crashes(self, action: Action) -> Iterator[Finding]:
        """Report an abort by the check of the C library, or a crash after a set overwrote other memory."""
        signal, process = action.event, action.process
        if not isinstance(signal, Signal):
            return
        kept: _Select | None = self._selected.pop(process, None)
        if kept is not None:
            yield self._watches(kept, signal)
        elif signal.name == "SIGABRT":
            yield from self._refused(process, _CHECKED, signal)
            yield from self._refused(process, _OVERFLOW, signal)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report a number that Python rejected or that went unnoticed, and what an excerpt suggests."""
        yield from self._settle(end.process)
        if self.scope.is_excerpt:
            yield from self._guess(end.process)

    def _settle(self, process: Process) -> Iterator[Finding]:
        kept: _Select | None = self._selected.pop(process, None)
        if kept is not None:
            yield self._watches(kept, None)
        elif process.messages:
            yield from self._refused(process, _PYTHON, None)

    def _watches(self, kept: _Select, signal: Signal | None) -> Finding:
        number, descriptor, call = kept
        end = () if signal is None else (step(signal, "the program then crashes"),)
        what = f"fd {number}" if descriptor is None else name(descriptor)
        return self.finding(
            [
                *(birth(descriptor) if descriptor is not None else ()),
                step(call, f"watches fd {number}, but an fd_set has bits for 0 to 1023 only", primary=True),
                *end,
            ],
            object=f"fd {number}" if descriptor is None else describe(descriptor),
            title=f"select watches {what}, beyond FD_SETSIZE (1024)",
            severity=Severity.WARNING if signal is None else Severity.ERROR,
            confidence=Confidence.LIKELY,
            why=_WHY,
            fix=f"watch fd {number} with poll or epoll, which accept any number; or lower `ulimit -n` to 1024",
            explains=() if signal is None else [("crashed", signal.line)],
        )

    def _refused(self, process: Process, words: str, signal: Signal | None) -> Iterator[Finding]:
        message = next((call for call in reversed(process.messages) if words in call.body), None)
        descriptor = _highest(process)
        if message is None or (descriptor is None and words != _CHECKED):
            return  # any other buffer may have overflowed
        end = () if signal is None else (step(signal, "the C library aborts the program"),)
        checker = "the Python runtime" if signal is None else "the C library"
        number = "a descriptor" if descriptor is None else f"fd {descriptor.number}"
        what = number if descriptor is None else name(descriptor)
        blamed = [("failed-call-behind-exit", failed.line) for failed in process.failures]
        yield self.finding(
            [
                *(birth(descriptor) if descriptor is not None else ()),
                step(message, f"{checker} rejects {number}: an fd_set has bits for 0 to 1023 only", primary=True),
                *end,
            ],
            object="an fd_set" if descriptor is None else describe(descriptor),
            title=f"{what} does not fit into an fd_set: FD_SETSIZE is 1024",
            severity=Severity.ERROR if process.exit_status or signal is not None else Severity.WARNING,
            confidence=Confidence.LIKELY if words == _OVERFLOW else Confidence.CERTAIN,
            why=_WHY,
            fix=f"watch {number} with poll or epoll, which accept any number; or lower `ulimit -n` to 1024",
            explains=blamed if signal is None else [("crashed", signal.line)],
        )

    def _guess(self, process: Process) -> Iterator[Finding]:
        """Report numbers that pass 1023 just as a call fails with arguments that make no sense."""
        first = process.table.get(FD_SETSIZE)
        failed = next((call for call in process.failures if call.errno in _GARBAGE and _is_high(call.number(0))), None)
        if first is None or first.opened is None or failed is None:
            return
        number = failed.number(0)
        yield self.finding(
            [
                *birth(first),
                step(
                    failed,
                    f"fails with {failed.errno} on fd {number}: the arguments may have been overwritten",
                    primary=True,
                ),
            ],
            object=f"fd {number}",
            title=f"if this program uses select: fd {number} is beyond FD_SETSIZE (1024)",
            confidence=Confidence.POSSIBLE,
            why=_WHY,
            fix="search the program for select and FD_SET: use poll or epoll there, or lower `ulimit -n` to 1024",
            explains=[("failed-call-behind-exit", failed.line)],
        )


def _is_high(number: int | None) -> bool:
    return number is not None and number >= FD_SETSIZE


def _high_numbers(call: Syscall) -> list[int]:
    """Return the numbers of 1024 and above that a select watches."""
    return [number for number in selected(call) if number >= FD_SETSIZE]


def _highest(process: Process) -> Descriptor | None:
    """Return the latest descriptor of 1024 or above that the process had, open or just closed."""
    table = process.table
    high = [found for found in (*table.last_closed.values(), *table) if _is_high(found.number)]
    return max(high, key=lambda found: 0 if found.opened is None else found.opened.line, default=None)
