"""Says what lies at the address that a SIGSEGV is about, as far as the trace has shown."""

from __future__ import annotations

import msgspec

from tracediag.evidence.faults import Fault
from tracediag.kernel.process import Process
from tracediag.trace.events import Syscall

_NULL_PAGE = 0x10000
_ERRORS = 0xFFFFFFFFFFFFF000
_STACKS = range(0x7FF000000000, 0x800000000000)
"""Where x86-64 and arm64 put the stack of the main thread."""
_GUARD = 64 * 1024


class Place(msgspec.Struct, frozen=True):
    """What an address is, what the program has done with it, and what to look for."""

    text: str
    hint: str
    call: Syscall | None = None
    """The call that made it what it is."""
    note: str = ""


def place_of(fault: Fault, process: Process) -> Place:
    """Say what the address of a fault is."""
    address = fault.address
    if fault.code == "SI_KERNEL":
        return Place("no valid address at all", "look for a pointer that was overwritten or read from freed memory")
    if address is None:
        return Place("an address that the trace does not show", "find the instruction by the core dump")
    if address < _NULL_PAGE:
        return _null(address)
    if address >= _ERRORS:
        return Place(
            f"address {address - (1 << 64)}: -1 or an error number taken for a pointer",
            "compare the result of mmap with MAP_FAILED",
        )
    return (
        _mapped(address, process)
        or _stack(fault, address)
        or Place(
            f"address {address:#x}, where nothing is mapped"
            if fault.code == "SEGV_MAPERR"
            else f"address {address:#x}, which may not be accessed so",
            "look for an index out of bounds or a pointer to freed memory"
            if fault.code == "SEGV_MAPERR"
            else "look for a write to a constant, or a jump to data",
        )
    )


def _null(address: int) -> Place:
    if address == 0:
        return Place("a null pointer", "find the pointer that is null")
    return Place(
        f"{address:#x}, a null pointer with an offset of {address}", "find the pointer to a struct that is null"
    )


def _mapped(address: int, process: Process) -> Place | None:
    mapping = process.space.find(address)
    unmap = process.space.unmapped(address, 0 if mapping is None else mapping.call.line)
    if unmap is not None:
        text = f"address {address:#x}, which the program has unmapped"
        return Place(text, "let nobody use the mapping after munmap", unmap, "this takes the address away")
    if mapping is None:
        return None
    if mapping.stack and address - mapping.start < _GUARD:
        text = f"address {address:#x}, the guard page below the stack of a thread"
        return Place(
            text, "end the recursion, or give the thread a larger stack", mapping.call, "the stack of the thread"
        )
    what = "memory" if mapping.file is None else mapping.file.path or "a file"
    text = f"address {address:#x} in its mapping of {what}, which may not be accessed so"
    return Place(text, "map it with the access that it needs", mapping.call, f"{what} is mapped at that address")


def _stack(fault: Fault, address: int) -> Place | None:
    if address not in _STACKS or fault.code != "SEGV_MAPERR":
        return None
    limit = fault.thread.process.limits.get("RLIMIT_STACK")
    size = "" if limit is None or limit.soft is None else f" of {limit.soft >> 10} KiB"
    return Place(
        f"address {address:#x}, most likely below the end of the stack{size}: an overflow",
        "end the recursion, or move large local arrays to the heap",
    )
