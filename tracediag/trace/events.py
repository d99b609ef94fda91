"""The contents of a trace, one object per record: what reading hands to the kernel and the rules.

    Event
     +-- Syscall        a complete call, its two halves joined
     +-- Begun          the first half of a call, as soon as it is read; the complete call follows when it returns
     +-- Signal         a signal delivered
     +-- Stop           a ptrace stop: the process is stopped
     +-- Exit           a thread or process ended
     +-- Superseded     a thread was replaced by another one's execve
     +-- Notice         a message of strace itself
     +-- Elision        `...`: lines were left out by hand
     +-- Remark         what a shell, the loader or the program printed between the records
     +-- Other          a line that belongs to the trace but describes no process
     +-- NotUnderstood  a line of no known form of strace output

Lines are 1-based. Times and durations are seconds. A pid is None where the line shows none.
"""

from tracediag.trace.records import (
    CountRow,
    Elision,
    Exit,
    Message,
    Notice,
    NotUnderstood,
    Other,
    Record,
    Remark,
    Signal,
    Stop,
    Superseded,
)
from tracediag.trace.syscalls import Begun, Call, Event, Parser, Syscall

__all__ = [
    "Begun",
    "Call",
    "CountRow",
    "Elision",
    "Event",
    "Exit",
    "Message",
    "NotUnderstood",
    "Notice",
    "Other",
    "Parser",
    "Record",
    "Remark",
    "Signal",
    "Stop",
    "Superseded",
    "Syscall",
]
