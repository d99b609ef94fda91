"""What the address of a SIGSEGV is, as far as the trace shows."""

from __future__ import annotations

import msgspec

from tracediag.evidence.faults import Fault
from tracediag.kernel.process import Process
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import size

_NULL_PAGE = 0x10000
_ERRORS = 0xFFFFFFFFFFFFF000
_STACKS = range(0x7FF000000000, 0x800000000000)
"""Where x86-64 and arm64 place the stack of the main thread."""
_GUARD = 64 * 1024


class Place(msgspec.Struct, frozen=True):
    """What an address is, what the program did with it, and what to look for."""

    text: str
    hint: str
    call: Syscall | None = None
    """The call that created or removed the mapping."""
    note: str = ""


def place_of(fault: Fault, process: Process) -> Place:
    """Return what the address of a fault is."""
    address = fault.address
    if fault.code == "SI_KERNEL":
        return Place("an invalid address", "look for a pointer that was overwritten or read from freed memory")
    if address is None:
        return Place("an address that the trace does not show", "find the instruction in the core dump")
    if address < _NULL_PAGE:
        return _null(address)
    if address >= _ERRORS:
        return Place(
            f"address {address - (1 << 64)}: an error return used as a pointer",
            "compare the result of mmap with MAP_FAILED",
        )
    return (
        _mapped(address, process)
        or _stack(fault, address)
        or Place(
            f"address {address:#x}, where nothing is mapped"
            if fault.code == "SEGV_MAPERR"
            else f"address {address:#x}, without permission for this access",
            "look for an index out of bounds or a pointer to freed memory"
            if fault.code == "SEGV_MAPERR"
            else "look for a write to read-only data, or a jump to data",
        )
    )


def _null(address: int) -> Place:
    if address == 0:
        return Place("a null pointer", "find the pointer that is NULL")
    return Place(f"{address:#x}, {address} bytes past a null pointer", "find the struct pointer that is NULL")


def _mapped(address: int, process: Process) -> Place | None:
    mapping = process.space.find(address)
    unmap = process.space.unmapped(address, 0 if mapping is None else mapping.call.line)
    if unmap is not None:
        text = f"address {address:#x}, which the program has unmapped"
        return Place(text, "do not use the mapping after munmap", unmap, "the address is unmapped")
    if mapping is None:
        return None
    if mapping.stack and address - mapping.start < _GUARD:
        text = f"address {address:#x}, the guard page below a thread stack"
        return Place(
            text,
            "stop the recursion, or create the thread with a larger stack",
            mapping.call,
            "the thread stack is mapped",
        )
    what = "anonymous memory" if mapping.file is None else mapping.file.path or "a file"
    text = f"address {address:#x} in a mapping of {what}, without permission for this access"
    return Place(
        text, f"map {what} with the permission that the access needs", mapping.call, f"{what} is mapped at this address"
    )


def _stack(fault: Fault, address: int) -> Place | None:
    if address not in _STACKS or fault.code != "SEGV_MAPERR":
        return None
    limit = fault.thread.process.limits.get("RLIMIT_STACK")
    limited = "" if limit is None or limit.soft is None else f" of {size(limit.soft)}"
    return Place(
        f"address {address:#x}, probably below the stack{limited}: stack overflow",
        "stop the recursion, or move large local arrays to the heap",
    )
