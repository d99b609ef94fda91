"""TD409: memory mapped from a file that is shorter than the mapping."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.faults import Fault
from tracediag.kernel.address_space import Cut, Mapping
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.faulting import FaultRule
from tracediag.trace.events import Exit, Syscall
from tracediag.trace.values import number_of

_PAGE = 4096


class MappingTruncated(FaultRule):
    """SIGBUS BUS_ADRERR in a mapping of a file that was cut, or never was as long."""

    code = "TD409"
    name = "mapping-truncated"
    severity = Severity.ERROR
    summary = "a mapping reaches beyond the end of its file: SIGBUS on access"

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Find the mapping and what made the file shorter than it."""
        if fault.signal.name != "SIGBUS" or fault.code not in ("BUS_ADRERR", ""):
            return None
        address = fault.address
        mapping = None if address is None else process.space.find(address)
        if mapping is None:
            return self._elsewhere(process, fault, end)
        if mapping.file is None:
            return None
        cut = _cut(fault, mapping)
        # A file that was opened empty before may have been written to meanwhile.
        sure = cut is not None and (cut.length or cut.call.line > mapping.call.line) and _beyond(mapping, address, cut)
        # Without a cut in the trace it may also be a full tmpfs, or a disk that cannot read the page.
        return self._finding(fault, mapping, cut, end, confidence if sure else Confidence.LIKELY)

    def _elsewhere(self, process: Process, fault: Fault, end: Exit | None) -> Finding | None:
        """Take a file that was cut while mapped, where the trace does not show what lies at the address."""
        for mapping in reversed(process.space.mappings.values()):
            cut = None if mapping.file is None else _cut(fault, mapping)
            if cut is not None and cut.call.line > mapping.call.line and (cut.length or 0) < _end(mapping):
                return self._finding(fault, mapping, cut, end, Confidence.LIKELY)
        return None

    def _finding(
        self, fault: Fault, mapping: Mapping, cut: Cut | None, end: Exit | None, confidence: Confidence
    ) -> Finding:
        what = (mapping.file.path if mapping.file is not None else None) or "the file"
        later = cut is not None and cut.call.line > mapping.call.line
        return self.finding(
            _story(fault, mapping, cut, end, what),
            object=f"mapping of {what}",
            title=f"{what} is cut while it is mapped, and the part beyond its new end is touched"
            if later
            else f"the mapping of {what} reaches beyond the end of the file, and that part is touched",
            confidence=confidence,
            why="a page of a mapping that lies wholly beyond the end of the file has nothing behind it: access raises"
            " SIGBUS with BUS_ADRERR: mmap(2)",
            fix=f"unmap what lies beyond the new end before {what} is cut; replace a file by rename, never in place"
            if later
            else f"give {what} its length with ftruncate (or posix_fallocate, where the space may run out) before"
            " mapping it, and map no more than fstat says",
            explains=[("crashed", fault.signal.line), *(() if end is None else [("child-failure-behind", end.line)])],
        )


def _cut(fault: Fault, mapping: Mapping) -> Cut | None:
    """Return the last change of the file's length before the signal; one that the mapping fits into is none."""
    for cut in reversed(fault.cuts):
        if mapping.file is not None and cut.hits(mapping.file):
            return cut if cut.length is not None and cut.length < _end(mapping) else None
    return None


def _end(mapping: Mapping) -> int:
    """Return how long the file must be for all of the mapping."""
    return (_offset(mapping.call) or 0) + mapping.length


def _offset(call: Syscall) -> int | None:
    return 0 if call.name == "mremap" else number_of(call.arg(5))


def _beyond(mapping: Mapping, address: int | None, cut: Cut) -> bool:
    """Whether the address lies on a page wholly beyond the end."""
    if address is None or cut.length is None:
        return False
    place = (_offset(mapping.call) or 0) + address - mapping.start
    return place // _PAGE * _PAGE >= cut.length


def _story(fault: Fault, mapping: Mapping, cut: Cut | None, end: Exit | None, what: str) -> Iterator[Step]:
    yield step(mapping.call, f"{mapping.length} bytes of {what} are mapped")
    if cut is not None:
        made = "it is opened with O_TRUNC" if cut.call.name.startswith(("open", "creat")) else "it is cut"
        note = f"{made}: {cut.length} bytes are left"
        yield step(cut.call, note)
    yield step(fault.signal, "a page beyond the end of the file is touched", primary=True)
    if end is not None:
        yield step(end, f"the process is killed by {end.signal}" if end.signal else "the process gives up")
