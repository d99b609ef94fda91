"""TD501: a process that crashed."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.complaints import Complaint, target
from tracediag.evidence.exits import end_step, manner
from tracediag.evidence.faults import BY_PROCESS, FAULTS, Fault
from tracediag.evidence.names import process_name, subject
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_process_end
from tracediag.rules.faulting import FaultRule
from tracediag.rules.process._address import Place, place_of
from tracediag.trace.calls import EXECS, SIGNAL_RETURNS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Message

_NEAR = 12
"""Lines between a failed call or a message and the signal, if the two are related."""

_EXPLAINED_ELSEWHERE = EXECS | SIGNAL_RETURNS
"""Calls after which the kernel itself raises the signal: `exec-broke-process` and `signal-frame-corrupt` explain it."""

_OTHERS = {
    "BUS_ADRALN": Place("a misaligned address", "use an aligned pointer, or memcpy"),
    "BUS_ADRERR": Place("a mapped address without memory", "look for a file that is shorter than its mapping"),
    "BUS_MCEERR_AR": Place(
        "memory that the hardware reports as faulty", "read the machine check log: mcelog, rasdaemon"
    ),
    "FPE_INTDIV": Place("an integer division by zero or overflow", "check for divisor 0 and INT_MIN / -1"),
}
_BY_SIGNAL = {
    "SIGFPE": Place("an arithmetic error", "check the operands"),
    "SIGILL": Place(
        "an invalid instruction",
        "look for a trap of the compiler (ud2), or a build for a newer CPU",
    ),
    "SIGABRT": Place("abort()", "find the caller of abort() in the core dump"),
    "SIGTRAP": Place("a breakpoint or trap instruction", "find the check that failed there"),
    "SIGBUS": Place(
        "an address that cannot be accessed", "look for a misaligned pointer or a file truncated while mapped"
    ),
}


class Crashed(FaultRule):
    """SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT ends a process: what the address was, and what happened before."""

    code = "TD501"
    name = "crashed"
    severity = Severity.ERROR
    summary = "a process crashes: the address that it accessed, and what happened before"

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Report the crash with the failed call, the message or the mapping that belongs to it."""
        if fault.code == "SI_KERNEL" and _explained_elsewhere(fault):
            return None
        place = _place(fault, process)
        return self.finding(
            _story(process, fault, place, end),
            object=process_name(process),
            title=f"{subject(process)} {_crash(fault, place)}",
            confidence=confidence,
            why=_why(fault),
            fix=_fix(process, fault, place),
            explains=() if end is None else [("child-failure-behind", end.line)],
        )

    @on_process_end
    def unannounced(self, last_of: ProcessEnd) -> Iterator[Finding]:
        """Report an exit by such a signal where the signal itself is not in the trace."""
        end, process, thread = last_of.exit, last_of.process, last_of.thread
        if end is None or thread is None or end.signal not in FAULTS or process in self.faults:
            return
        last = thread.last_call
        if last is None or last.name in EXECS:
            return
        yield self.finding(
            [step(last, "the last call before the exit"), end_step(end, primary=True)],
            object=process_name(process),
            title=f"{subject(process)} is killed by {end.signal}; the recording does not show the signal",
            severity=Severity.WARNING if end.told else Severity.ERROR,
            confidence=Confidence.POSSIBLE if end.told else Confidence.LIKELY,
            why="these signals report a fault in the thread's own instructions: signal(7)",
            fix="record without -e signal=none, or examine the core dump: coredumpctl gdb",
        )


def _explained_elsewhere(fault: Fault) -> bool:
    return fault.before is not None or (fault.last is not None and fault.last.name in _EXPLAINED_ELSEWHERE)


def _raised(fault: Fault) -> bool:
    """Whether the process sent itself the signal, other than by abort()."""
    return fault.code in BY_PROCESS and fault.signal.name != "SIGABRT"


def _crash(fault: Fault, place: Place) -> str:
    """Return what happened, as a verb: "crashes with SIGSEGV at a null pointer"."""
    name = fault.signal.name
    if name == "SIGABRT":
        return "calls abort()"
    if _raised(fault):
        return f"is killed by {name}, sent by the process itself"
    return f"crashes with {name} at {place.text}"


def _place(fault: Fault, process: Process) -> Place:
    if _raised(fault):
        return Place("raise() or kill()", "find the caller of raise() or kill() in the core dump")
    if fault.signal.name == "SIGSEGV":
        return place_of(fault, process)
    return _OTHERS.get(fault.code) or _BY_SIGNAL.get(fault.signal.name) or _BY_SIGNAL["SIGTRAP"]


def _story(process: Process, fault: Fault, place: Place, end: Exit | None) -> Iterator[Step]:
    failed, message = _failed(fault), _message(process, fault)
    if place.call is not None:
        yield step(place.call, place.note)
    if failed is not None:
        yield step(failed, f"fails with {failed.errno} just before")
    if message is not None:
        yield step(message, "the message before the abort")
    if fault.last is not None and place.call is failed is message is None:
        yield step(fault.last, "the last call before the signal")
    name = fault.signal.name
    by_itself = f"the process sends itself {name}"
    note = "abort() raises SIGABRT" if name == "SIGABRT" else by_itself if _raised(fault) else f"{name} at {place.text}"
    yield step(fault.signal, note, primary=True)
    if fault.reported is not None:
        yield step(fault.reported, "the program's handler has caught the signal, and the program reports the crash")
    if end is not None:
        handled = "" if end.signal or fault.reported is not None else " in the signal handler"
        yield step(end, f"the process {manner(end)}{handled}") if handled else end_step(end)


def _failed(fault: Fault) -> Syscall | None:
    """Return the call that failed just before, if the wrong pointer may come from it."""
    last = fault.last
    if last is None or fault.signal.name == "SIGABRT" or fault.signal.line - last.line > _NEAR:
        return None
    address = fault.address
    wild = address is not None and (address < 0x10000 or address > 0xFFFFFFFFFFFFF000)
    return last if last.errno is not None and last.errno != "EAGAIN" and wild else None


def _message(process: Process, fault: Fault) -> Message | None:
    """Return the message of the C library or the program before the abort."""
    near = [call for call in process.messages if 0 < fault.signal.line - call.line <= _NEAR]
    return near[-1] if near and fault.signal.name == "SIGABRT" else None


def _why(fault: Fault) -> str:
    if _raised(fault):
        return f"si_code={fault.code} means that a process sent the signal, and si_pid names it: sigaction(2)"
    match fault.signal.name, fault.code:
        case "SIGABRT", _:
            return (
                "the C library calls abort() itself when it finds the heap or the stack corrupted: abort(3), mallopt(3)"
            )
        case "SIGSEGV", "SI_KERNEL":
            return (
                "on x86-64 a non-canonical address raises a general protection fault, which carries no address:"
                " sigaction(2), arch/x86/kernel/traps.c"
            )
        case "SIGSEGV", "SEGV_ACCERR":
            return "SEGV_ACCERR: the address is mapped, but without permission for this access: sigaction(2)"
        case "SIGSEGV", _:
            return "SEGV_MAPERR: nothing is mapped at the address in si_addr: sigaction(2)"
        case "SIGBUS", "BUS_ADRALN":
            return "BUS_ADRALN: the CPU requires an aligned address for this access: sigaction(2)"
        case _:
            return (
                "the CPU raises this signal for the current instruction of the thread, not for a system call: signal(7)"
            )


def _fix(process: Process, fault: Fault, place: Place) -> str:
    failed, message = _failed(fault), _message(process, fault)
    if failed is not None:
        what = target(failed)
        of = f" of {what}" if what else ""
        return f"check the result of the {failed.name}{of}, which failed with {failed.errno}, before using it"
    if message is not None and (said := Complaint((message,)).text):
        return f"run the program under valgrind or with -fsanitize=address to find the cause of {said.strip()!r}"
    if fault.reported is not None:
        return f"{place.hint}: the program prints where, from line {fault.reported.line:,} on"
    return f"{place.hint}: coredumpctl gdb, or build with -fsanitize=address,undefined"
