"""TD004: a timer that a program sets with a first expiration of zero, which disarms it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.names import subject
from tracediag.evidence.waiters import killing_lines, stood_in, waited_for
from tracediag.kernel import Action
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.calls import POLLS, READS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import Structure, Value, bare, names_of, number_of

_DESCRIPTORS = ("timerfd_settime", "timerfd_settime64")
_NUMBERED = ("timer_settime", "timer_settime64")
_REAL = "setitimer"
Waited = Syscall | Begun


class _Timer(msgspec.Struct, eq=False):
    """The last setting of a timer."""

    process: Process
    call: Syscall
    value: Value | None
    file: OpenFile | None = None
    was_armed: bool = False
    """Whether an earlier call has armed it, or may have: then the last one can disarm it on purpose."""

    @property
    def first(self) -> bool | None:
        """Whether it expires; None if the trace does not show it."""
        return _is_set(self.value, "it_value")

    @property
    def interval(self) -> bool | None:
        """Whether it has an interval."""
        return _is_set(self.value, "it_interval")


class TimerDisarmed(Rule):
    """A program sets a timer with `it_value` zero, and waits for it, or expects it to repeat."""

    code = "TD004"
    name = "timer-disarmed"
    severity = Severity.WARNING
    summary = "a timer is set with it_value zero, which disarms it, and the program counts on it"
    raised_by = ((*_DESCRIPTORS, *_NUMBERED, _REAL),)

    def __init__(self) -> None:
        self._timers: Cases[object, _Timer] = Cases(256)
        """By the description of a timerfd; by process and name of any other timer."""

    @on_call(*_DESCRIPTORS)
    def set_descriptor(self, action: Action) -> None:
        """Note the setting of a timer that is a descriptor."""
        file = action.process.table.file_of(action.call.number(0))
        if file is not None and action.call.result == 0:
            made = _Timer(action.process, action.call, action.call.arg(2), file)
            self._note(file, made, known=file.opened is not None)

    @on_call(*_NUMBERED, _REAL)
    def set_numbered(self, action: Action) -> None:
        """Note the setting of a timer of the process."""
        call, process = action.call, action.process
        if call.result == 0:
            real = call.name == _REAL
            which = " ".join(names_of(call.arg(0))) if real else str(call.number(0))
            made = _Timer(process, call, call.arg(1 if real else 2))
            self._note((process, which), made, known=process.executed is not None)

    def _note(self, key: object, made: _Timer, *, known: bool) -> None:
        """Keep the last setting, with whether an earlier one has armed the timer, or may have before the trace."""
        earlier = self._timers.get(key)
        made.was_armed = not known if earlier is None else earlier.was_armed or earlier.first is not False
        self._timers[key] = made

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the timers that the process has left disarmed."""
        for key, timer in list(self._timers.items()):
            if timer.process.current is not end.process:
                continue
            del self._timers[key]
            waiting = None if timer.file is None else _waiting(end, timer.file)
            mistaken = timer.interval is True and not timer.was_armed
            if timer.first is False and (mistaken or waiting is not None):
                yield self._finding(end, timer, waiting, mistaken=mistaken)

    def _finding(self, end: ProcessEnd, timer: _Timer, waiting: Waited | None, *, mistaken: bool) -> Finding:
        call = timer.call
        which = f"the timer of fd {call.number(0)}" if timer.file is not None else f"the timer of {call.name}"
        interval = ", though it_interval is set" if mistaken else ""
        steps = [step(call, f"it_value is zero: the timer is disarmed{interval}", primary=waiting is None)]
        if timer.file is not None and timer.file.opened is not None:
            steps.append(step(timer.file.opened, "the timer is created"))
        if waiting is not None:
            steps.append(step(waiting, "waits for a timer that never expires", primary=True))
        title = f"{subject(end.process)} waits for {which}, which is disarmed" if waiting else f"{which} never expires"
        return self.finding(
            steps,
            object=which.removeprefix("the "),
            title=f"{title}: {call.name} sets it_value to zero{interval}",
            confidence=Confidence.CERTAIN if mistaken else Confidence.LIKELY,
            severity=Severity.ERROR if waiting is not None and mistaken else Severity.WARNING,
            why="it_value is the time until the first expiration, and zero disarms the timer whatever it_interval says:"
            " timerfd_create(2), timer_settime(2), getitimer(2)",
            fix=f"set it_value in {call.name} as well: to the interval for a timer that repeats, to a time above"
            " zero for one that expires once",
            explains=[("killed-from-outside", line) for line in (killing_lines(end) if waiting is not None else ())],
        )


def _waiting(end: ProcessEnd, file: OpenFile) -> Waited | None:
    """Return the call that waits for a timer and nothing else when the process or the trace ends."""
    numbers = {held.number for held in end.held if held.file is file} | set(end.process.table.numbers_of(file))
    for call in stood_in(end):
        waited = waited_for(call)
        if waited and waited <= numbers and (call.name in READS or _endless(call)):
            return call
    return None


def _endless(call: Waited) -> bool:
    """Whether a poll or select has no timeout."""
    if call.name in POLLS:
        return call.number(2) == (-1 if call.name == "poll" else 0)
    return call.number(4) == 0


def _is_set(value: Value | None, field: str) -> bool | None:
    """Return whether a time of an itimerspec or itimerval is above zero; None if the trace does not show it."""
    spec = bare(value)
    time = bare(spec.get(field)) if isinstance(spec, Structure) else None
    parts = [number_of(part) for _, part in time.fields] if isinstance(time, Structure) else [None]
    return None if None in parts else any(parts)
