"""TD501: a process that crashed."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.complaints import Complaint, target
from tracediag.evidence.exits import end_step
from tracediag.evidence.faults import BY_PROCESS, FAULTS, Fault, who
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_process_end
from tracediag.rules.faulting import FaultRule
from tracediag.rules.process._address import Place, place_of
from tracediag.trace.calls import EXECS, SIGNAL_RETURNS
from tracediag.trace.events import Exit, Syscall

_NEAR = 12
"""Lines between a failed call or a message and the signal, if the one has to do with the other."""

_TOLD_ELSEWHERE = EXECS | SIGNAL_RETURNS
"""Calls after which the kernel itself raises the signal: `exec-broke-process` and `signal-frame-corrupt` say why."""

_OTHERS = {
    "BUS_ADRALN": Place("a misaligned address", "store through a pointer of the right alignment, or with memcpy"),
    "BUS_ADRERR": Place(
        "an address behind which there is no memory", "look for a file that is shorter than its mapping"
    ),
    "BUS_MCEERR_AR": Place(
        "memory that the hardware reports as broken", "read the machine check log: mcelog, rasdaemon"
    ),
    "FPE_INTDIV": Place("an integer division by zero", "check the divisor first"),
}
_BY_SIGNAL = {
    "SIGFPE": Place("an arithmetic error", "check the operands first"),
    "SIGILL": Place(
        "an instruction that the processor does not know",
        "look for a trap that the compiler put in, or a build for a newer processor",
    ),
    "SIGABRT": Place("its own abort()", "read the message, and find who called abort by the core dump"),
    "SIGTRAP": Place("a breakpoint or trap in its own code", "look for the check that failed there"),
    "SIGBUS": Place("an address that cannot be accessed", "look for a misaligned pointer or a file cut while mapped"),
}


class Crashed(FaultRule):
    """SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT ends a process: what the address was, and what went before."""

    code = "TD501"
    name = "crashed"
    severity = Severity.ERROR
    summary = "a process crashes: what it touched, and what went before"

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Tell the crash, with the failed call, the message or the mapping that belongs to it."""
        if fault.code == "SI_KERNEL" and _told_elsewhere(fault):
            return None
        place = _place(fault, process)
        name = fault.signal.name
        how = "calls abort()" if name == "SIGABRT" else f"is stopped by {name} at {place.text}"
        return self.finding(
            _story(process, fault, place, end),
            object=who(process),
            title=f"the process {how}",
            confidence=confidence,
            why=_why(fault),
            fix=_fix(process, fault, place),
            explains=() if end is None else [("child-failure-behind", end.line)],
        )

    @on_process_end
    def unannounced(self, last_of: ProcessEnd) -> Iterator[Finding]:
        """Report an exit by such a signal where the signal itself is not in the trace."""
        end, process, thread = last_of.exit, last_of.process, last_of.thread
        if end is None or thread is None or end.signal not in FAULTS or self.name in process.memory:
            return
        last = thread.last_call
        if last is None or last.name in EXECS:
            return
        yield self.finding(
            [step(last, "the last call before it"), end_step(end, primary=True)],
            object=who(process),
            title=f"the process is killed by {end.signal}; the trace does not show the signal itself",
            confidence=Confidence.LIKELY,
            why="these signals are raised against a thread for what it does itself: signal(7)",
            fix="record without -e signal=none, and look at the core dump: coredumpctl gdb",
        )


def _told_elsewhere(fault: Fault) -> bool:
    return fault.before is not None or (fault.last is not None and fault.last.name in _TOLD_ELSEWHERE)


def _place(fault: Fault, process: Process) -> Place:
    if fault.code in BY_PROCESS and fault.signal.name != "SIGABRT":
        return Place("its own will: it sends itself the signal", "find out who calls kill or raise")
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
        yield step(message, "says why")
    if fault.last is not None and place.call is failed is message is None:
        yield step(fault.last, "what the thread did before")
    note = "the program aborts" if fault.signal.name == "SIGABRT" else f"the thread meets {place.text}"
    yield step(fault.signal, note, primary=True)
    if end is not None:
        how = f"is killed by {end.signal}" if end.signal else f"exits with status {end.status} from its own handler"
        yield step(end, f"the process {how}")


def _failed(fault: Fault) -> Syscall | None:
    """Return the call that failed just before, if it may have left the pointer that is wrong."""
    last = fault.last
    if last is None or fault.signal.name == "SIGABRT" or fault.signal.line - last.line > _NEAR:
        return None
    address = fault.address
    wild = address is not None and (address < 0x10000 or address > 0xFFFFFFFFFFFFF000)
    return last if last.errno is not None and last.errno != "EAGAIN" and wild else None


def _message(process: Process, fault: Fault) -> Syscall | None:
    """Return what the C library wrote before it aborted, or the program on its way out."""
    near = [call for call in process.messages if 0 < fault.signal.line - call.line <= _NEAR]
    return near[-1] if near and fault.signal.name == "SIGABRT" else None


def _why(fault: Fault) -> str:
    match fault.signal.name, fault.code:
        case "SIGABRT", _:
            return "abort() raises SIGABRT against its own thread; the C library calls it for a damaged heap: abort(3)"
        case "SIGSEGV", "SI_KERNEL":
            return (
                "an address that is not canonical raises a general protection fault, told without an address: signal(7)"
            )
        case "SIGSEGV", "SEGV_ACCERR":
            return "SEGV_ACCERR: the address is mapped, but not for this kind of access: sigaction(2)"
        case "SIGSEGV", _:
            return "SEGV_MAPERR: nothing is mapped at the address in si_addr: sigaction(2)"
        case "SIGBUS", "BUS_ADRALN":
            return "BUS_ADRALN: the access is not aligned as the processor asks for: sigaction(2)"
        case _:
            return "the processor raises it for the instruction that the thread executes, not for a call: signal(7)"


def _fix(process: Process, fault: Fault, place: Place) -> str:
    failed, message = _failed(fault), _message(process, fault)
    if failed is not None:
        what = target(failed)
        of = f" of {what}" if what else ""
        return f"check the result of the {failed.name}{of}, which failed with {failed.errno}, before going on"
    if message is not None and (said := Complaint((message,)).text):
        return f"follow the message ({said.strip()!r}): run it under valgrind or -fsanitize=address"
    return f"{place.hint}: coredumpctl gdb, or -fsanitize=address,undefined"
