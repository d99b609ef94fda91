"""TD409: access to a mapping beyond the end of its file."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.exits import end_step
from tracediag.evidence.faults import Fault
from tracediag.kernel.address_space import Cut, Mapping
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.faulting import FaultRule
from tracediag.trace.calls import MAPS, OPENS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import count
from tracediag.trace.records import Exit
from tracediag.trace.values import number_of

_PAGE = 4096


class MappingTruncated(FaultRule):
    """SIGBUS BUS_ADRERR in a mapping of a file that was truncated, or was shorter from the beginning."""

    code = "TD409"
    name = "mapping-truncated"
    severity = Severity.ERROR
    summary = "a mapping extends past the end of its file: SIGBUS on access"

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Find the mapping, and the call that made the file shorter than the mapping."""
        if fault.signal.name != "SIGBUS" or fault.code not in ("BUS_ADRERR", ""):
            return None
        address = fault.address
        mapping = None if address is None else process.space.find(address)
        if mapping is None or (address is not None and process.space.unmapped(address, mapping.call.line) is not None):
            return self._elsewhere(process, fault, end)
        if mapping.file is None or _inside(fault, mapping, address):
            return None
        cut = _cut(fault, mapping)
        # A file that was empty when opened may have been written to in the meantime.
        sure = cut is not None and (cut.length or cut.call.line > mapping.call.line) and _beyond(mapping, address, cut)
        # Without a truncation in the trace it may also be a full tmpfs, or a disk that cannot read the page.
        return self._finding(fault, mapping, cut, end, confidence if sure else Confidence.LIKELY)

    def _elsewhere(self, process: Process, fault: Fault, end: Exit | None) -> Finding | None:
        """Find a file that was truncated while mapped, if the trace does not show the mapping at the address.

        A trace that does not show the start of the process may lack the mmap of that file as well.
        """
        for mapping in reversed(process.space.mappings.values()):
            cut = None if mapping.file is None else _cut(fault, mapping)
            if cut is not None and cut.call.line > mapping.call.line and (cut.length or 0) < _end(mapping):
                return self._finding(fault, mapping, cut, end, Confidence.LIKELY)
        shows_start = process.execs > 0 or process.started is not None
        cut = next((cut for cut in reversed(fault.cuts) if cut.call.name not in OPENS), None)
        if cut is None or (shows_start and self.scope.records(MAPS)):
            return None
        return self._finding(fault, None, cut, end, Confidence.LIKELY)

    def _finding(
        self, fault: Fault, mapping: Mapping | None, cut: Cut | None, end: Exit | None, confidence: Confidence
    ) -> Finding:
        """Word the finding; without a mapping, which was made before the trace begins, a truncation is its cause."""
        file = None if mapping is None else mapping.file
        path = file.path if file is not None else None if cut is None else cut.path
        what = path or "the file"
        later = cut is not None and (mapping is None or cut.call.line > mapping.call.line)
        return self.finding(
            _story(fault, mapping, cut, end, what),
            object=f"mapping of {what}",
            title=f"{what} is truncated while mapped, then accessed beyond the new end"
            if later
            else f"the mapping of {what} extends past the end of the file, and the process accesses that part",
            confidence=confidence,
            why="access to a page of a mapping beyond the end of the file raises SIGBUS (BUS_ADRERR), even though mmap"
            " succeeded: mmap(2)",
            fix=f"munmap the part beyond the new end before {what} is truncated; to replace a file, write a new one and"
            " rename it into place"
            if later
            else f"extend {what} with ftruncate (or posix_fallocate, if the disk may be full) before mmap, and map no"
            " more than the st_size of fstat",
            explains=[("crashed", fault.signal.line), *(() if end is None else [("child-failure-behind", end.line)])],
        )


def _cut(fault: Fault, mapping: Mapping) -> Cut | None:
    """Return the last change of the file's length before the signal, if the file is then shorter than the mapping."""
    for cut in reversed(fault.cuts):
        if mapping.file is not None and cut.hits(mapping.file):
            return cut if cut.length is not None and cut.length < _end(mapping) else None
    return None


def _inside(fault: Fault, mapping: Mapping, address: int | None) -> bool:
    """Whether the file is known to reach as far as the address: then the file system is full, or a disk fails."""
    last = next((cut for cut in reversed(fault.cuts) if mapping.file is not None and cut.hits(mapping.file)), None)
    if last is None or last.length is None or address is None:
        return False
    return last.length > _place(mapping, address) // _PAGE * _PAGE


def _end(mapping: Mapping) -> int:
    """Return the file length in bytes that the mapping needs."""
    return (_offset(mapping.call) or 0) + mapping.length


def _offset(call: Syscall) -> int | None:
    return 0 if call.name == "mremap" else number_of(call.arg(5))


def _beyond(mapping: Mapping, address: int | None, cut: Cut) -> bool:
    """Whether the address is on a page that is entirely beyond the end of the file."""
    if address is None or cut.length is None:
        return False
    return _place(mapping, address) // _PAGE * _PAGE >= cut.length


def _place(mapping: Mapping, address: int) -> int:
    """Return where in the file an address of the mapping is."""
    return (_offset(mapping.call) or 0) + address - mapping.start


def _story(fault: Fault, mapping: Mapping | None, cut: Cut | None, end: Exit | None, what: str) -> Iterator[Step]:
    if mapping is not None:
        yield step(mapping.call, f"{count(mapping.length)} bytes of {what} are mapped")
    if cut is not None:
        made = "opened with O_TRUNC" if cut.call.name in OPENS else "truncated"
        yield step(cut.call, f"the file is {made}: {count(cut.length or 0)} bytes remain")
    yield step(fault.signal, "the process accesses a page beyond the end of the file", primary=True)
    if end is not None:
        yield end_step(end)
