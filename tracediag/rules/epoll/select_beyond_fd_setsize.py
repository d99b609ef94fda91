"""TD116: a descriptor of 1024 or above in a program that waits with select."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal
from tracediag.trace.calls import SELECTS
from tracediag.trace.events import Signal, Syscall

FD_SETSIZE = 1024

_CHECKED = "bit out of range"
_OVERFLOW = "buffer overflow detected"
_PYTHON = "filedescriptor out o"
"""As much of Python's message as strace shows of it, which cuts strings at 32 bytes."""

_GARBAGE = frozenset({"EAFNOSUPPORT", "EFAULT", "EINVAL", "EBADF"})
"""How a call fails whose arguments have been overwritten."""

_WHY = "an fd_set has bits for the numbers 0 to 1023, and FD_SET of a higher one writes behind it: select(2)"


class SelectBeyondFdSetsize(Rule):
    """select is asked to watch a number for which its sets have no bit."""

    code = "TD116"
    name = "select-beyond-fd-setsize"
    severity = Severity.WARNING
    summary = "select is used with a descriptor of 1024 or above, for which an fd_set has no bit"

    @on_call(*SELECTS)
    def selects(self, action: Action) -> None:
        """Keep the first select that asks for such a number; what comes of it shows at the end."""
        call = action.call
        if (call.number(0) or 0) <= FD_SETSIZE or self.name in action.process.memory:
            return
        high = _high_numbers(call)
        found = next((found for number in high if (found := action.process.table.get(number)) is not None), None)
        # A number that nobody has shown may be a stale bit behind a set that is shorter than the first argument says;
        # not so if that argument is made for it, and the kernel has not refused it.
        if found is not None or (high and max(high) + 1 == call.number(0) and not call.failed):
            action.process.memory[self.name] = (high[0] if found is None else found.number, found, call)

    @on_signal("SIGABRT", "SIGSEGV")
    def crashes(self, action: Action) -> Iterator[Finding]:
        """The check of the C library has struck, or the memory behind a set was needed."""
        signal, process = action.event, action.process
        if not isinstance(signal, Signal):
            return
        kept = process.memory.pop(self.name, None)
        if kept is not None:
            yield self._selected(kept, signal)
        elif signal.name == "SIGABRT":
            yield from self._refused(process, _CHECKED, signal)
            yield from self._refused(process, _OVERFLOW, signal)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """A process is over: Python refused the number, or it went unnoticed; and what an excerpt suggests."""
        yield from self._settle(end.process)
        if self.scope.is_excerpt:
            yield from self._guess(end.process)

    def _settle(self, process: Process) -> Iterator[Finding]:
        kept = process.memory.pop(self.name, None)
        if kept is not None:
            yield self._selected(kept, None)
        elif process.messages:
            yield from self._refused(process, _PYTHON, None)

    def _selected(self, kept: tuple[int, Descriptor | None, Syscall], signal: Signal | None) -> Finding:
        number, descriptor, call = kept
        end = () if signal is None else (step(signal, "the program then crashes"),)
        return self.finding(
            [
                *(birth(descriptor) if descriptor is not None else ()),
                step(call, f"asks for fd {number}, for which an fd_set of 1024 bits has no room", primary=True),
                *end,
            ],
            object=f"fd {number}" if descriptor is None else describe(descriptor),
            title=f"select watches fd {number}, beyond FD_SETSIZE (1024)",
            severity=Severity.WARNING if signal is None else Severity.ERROR,
            confidence=Confidence.LIKELY,
            why=_WHY,
            fix=f"watch fd {number} with poll or epoll, which take any number; or keep `ulimit -n` at 1024",
            explains=() if signal is None else [("crashed", signal.line)],
        )

    def _refused(self, process: Process, words: str, signal: Signal | None) -> Iterator[Finding]:
        message = next((call for call in reversed(process.messages) if words in call.body), None)
        descriptor = _highest(process)
        if message is None or (descriptor is None and words != _CHECKED):
            return  # a buffer overflow may be of any other buffer
        end = () if signal is None else (step(signal, "the C library aborts the program"),)
        who = "Python" if signal is None else "the C library"
        number = "a number" if descriptor is None else f"fd {descriptor.number}"
        blamed = [("failed-call-behind-exit", failed.line) for failed in process.failures]
        yield self.finding(
            [
                *(birth(descriptor) if descriptor is not None else ()),
                step(message, f"{who} refuses {number}: an fd_set ends at 1023", primary=True),
                *end,
            ],
            object="an fd_set" if descriptor is None else describe(descriptor),
            title=f"{number} does not fit into an fd_set: FD_SETSIZE is 1024",
            severity=Severity.ERROR if process.exit_status or signal is not None else Severity.WARNING,
            confidence=Confidence.LIKELY if words == _OVERFLOW else Confidence.CERTAIN,
            why=_WHY,
            fix=f"watch {number} with poll or epoll, which take any number; or keep `ulimit -n` at 1024",
            explains=blamed if signal is None else [("crashed", signal.line)],
        )

    def _guess(self, process: Process) -> Iterator[Finding]:
        """The numbers pass 1023, and right then a call has arguments that make no sense."""
        first = process.table.get(FD_SETSIZE)
        failed = next((call for call in process.failures if call.errno in _GARBAGE and _is_high(call.number(0))), None)
        if first is None or first.opened is None or failed is None:
            return
        number = failed.number(0)
        yield self.finding(
            [
                *birth(first),
                step(failed, f"fails with {failed.errno} on fd {number}: are its arguments overwritten?", primary=True),
            ],
            object=f"fd {number}",
            title="if this program waits with select, its numbers have just outgrown FD_SETSIZE (1024)",
            confidence=Confidence.POSSIBLE,
            why=_WHY,
            fix="look whether it calls select or FD_SET: use poll or epoll there, or keep `ulimit -n` at 1024",
            explains=[("failed-call-behind-exit", failed.line)],
        )


def _is_high(number: int | None) -> bool:
    return number is not None and number >= FD_SETSIZE


def _high_numbers(call: Syscall) -> list[int]:
    """Return the numbers beyond the sets' size that a select asks for."""
    return [number for number in selected(call) if number >= FD_SETSIZE]


def _highest(process: Process) -> Descriptor | None:
    """Return the latest descriptor of 1024 or above that the process had, open or just closed."""
    table = process.table
    high = [found for found in (*table.last_closed.values(), *table) if _is_high(found.number)]
    return max(high, key=lambda found: 0 if found.opened is None else found.opened.line, default=None)
