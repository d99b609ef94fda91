"""How names of signals and ends are read, and what leads to these; `signal == SIGCHLD` is about signals alone."""

from __future__ import annotations

from typing import Any

from tracediag.evidence.faults import address_of, code_of
from tracediag.query.stand_ins import StandIn
from tracediag.query.subject import Subject
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Signal
from tracediag.trace.values import Structure, bare, number_of

_FIELD = lazy_pattern(r"\bsi_(pid|uid|status)=([0-9]{1,10}+)\b")
_REFUSED = lazy_pattern(r"\bsi_syscall=(?:__NR_)?(\w++)")


def signal_of(subject: Subject) -> Signal | None:
    """Return the signal that a query is asked about."""
    record = subject.call.record if isinstance(subject.call, StandIn) else None
    return record if isinstance(record, Signal) else None


def exit_of(subject: Subject) -> Exit | None:
    """Return the end that a query is asked about."""
    record = subject.call.record if isinstance(subject.call, StandIn) else None
    return record if isinstance(record, Exit) else None


def read_signal(subject: Subject) -> str | None:
    """Return the name of the signal."""
    found = signal_of(subject)
    return None if found is None else found.name


def read_code(subject: Subject) -> str | None:
    """Return the reason of the signal."""
    found = signal_of(subject)
    return None if found is None else code_of(found) or None


def read_field(name: str, subject: Subject) -> int | None:
    """Return a number of the siginfo."""
    found = signal_of(subject)
    shown = {} if found is None else {field[1]: field[2] for field in _FIELD.finditer(found.info)}
    return checked_integer(shown[name]) if name in shown else None


def read_address(subject: Subject) -> int | None:
    """Return the address of a fault."""
    found = signal_of(subject)
    return None if found is None else address_of(found)


def read_refused(subject: Subject) -> tuple[str, ...] | None:
    """Return the call that SIGSYS names."""
    signal = signal_of(subject)
    found = None if signal is None else _REFUSED.search(signal.info)
    return None if found is None else (found[1],)


def read_status(subject: Subject) -> int | None:
    """Return the exit status."""
    found = exit_of(subject)
    return None if found is None else found.status


def read_killer(subject: Subject) -> str | None:
    """Return the signal that killed the thread."""
    found = exit_of(subject)
    return None if found is None else found.signal


def read_dumped(subject: Subject) -> bool | None:
    """Return whether the memory of the process was saved."""
    found = exit_of(subject)
    return None if found is None else found.core_dumped


def read_last(subject: Subject) -> bool | None:
    """Return whether the end is that of the process."""
    found: Any = exit_of(subject)
    return None if found is None or subject.process is None else subject.process.exit is found


def last(subject: Subject) -> Syscall | None:
    """Return the last call of the thread before a signal or an end."""
    return subject.call.last if isinstance(subject.call, StandIn) else None


def delivered(subject: Subject) -> Signal | None:
    """Return the last signal of the thread before a signal or an end."""
    return subject.call.delivered if isinstance(subject.call, StandIn) else None


def struck(subject: Subject) -> bool:
    """Whether no call of the thread came between that signal and this one: no handler of it has begun."""
    before, call = delivered(subject), last(subject)
    return before is not None and (call is None or call.line < before.line)


def refused(subject: Subject) -> Syscall | None:
    """Return the call that a seccomp filter answers with a signal: SIGSYS may name it, and a kill leaves it open.

    A call that no rule subscribes to is not kept while it succeeds: it may stand between the last one and the end.
    """
    call, signal = last(subject), signal_of(subject)
    if call is None:
        return None
    if signal is None:
        return call if call.result is None or subject.call.line - call.line <= 1 else None
    named = read_refused(subject)
    return call if named is None or named == (call.name,) else None


def stack(subject: Subject) -> Syscall | None:
    """Return the call that set the alternate signal stack."""
    return None if subject.process is None else subject.process.signal_stack


def stack_gone(subject: Subject) -> Syscall | None:
    """Return the munmap of that stack."""
    call, process = stack(subject), subject.process
    given = None if call is None else bare(call.arg(0))
    start = number_of(given.get("ss_sp")) if isinstance(given, Structure) else None
    return None if call is None or process is None or start is None else process.space.unmapped(start, call.line)


def read_filter(subject: Subject) -> Syscall | None:
    """Return the call that installed the seccomp filter or mode of the process."""
    process = subject.process
    return None if process is None or process.seccomp is None else process.seccomp.call


def read_strict(subject: Subject) -> bool:
    """Whether seccomp strict mode is in force."""
    return subject.process is not None and subject.process.strictly_confined
