"""TD010: a program reads a file, reports that its text is malformed, and fails."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from tracediag.evidence.blame import find_blame
from tracediag.evidence.complaints import report_step
from tracediag.evidence.exits import end_step, failed_end, manner
from tracediag.evidence.malformed import Malformed, malformed, place_in
from tracediag.evidence.names import process_name
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.trace.calls import READS
from tracediag.trace.quantities import count
from tracediag.trace.records import Exit

_CHECKS = {
    ".json": "python3 -m json.tool {}",
    ".xml": "xmllint --noout {}",
    ".yaml": "yamllint {}",
    ".yml": "yamllint {}",
}
"""What checks the syntax of a file, by the end of its name."""


class MalformedFile(Rule):
    """A program reads a file, its parser rejects the text, and the program fails."""

    code = "TD010"
    name = "malformed-file"
    severity = Severity.ERROR
    summary = "a program reads a file, reports that its text is malformed, and then fails"
    raised_by = (READS,)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the files that a process has read, when it fails."""
        process = end.process
        ending = failed_end(process) if process.contents else None
        if ending is None:
            return
        blame = find_blame(process, end.line)
        found = None if blame is not None and blame.named else malformed(process)
        if found is not None:
            yield self._finding(process, ending, found)

    def _finding(self, process: Process, ending: Exit, found: Malformed) -> Finding:
        path, said = found.path, found.text
        sure = found.confidence is not Confidence.POSSIBLE
        place = place_in(said)
        where = path if place is None else f"line {count(place)} of {path} and the line above"
        check = _CHECKS.get(posixpath.splitext(path)[1].lower())
        tested = "" if check is None else f"; {check.format(path)} checks all of it"
        return self.finding(
            [
                step(found.opened, f"{path} is opened, and then read", primary=True),
                report_step(found.write),
                end_step(ending),
            ],
            object=path,
            title=f'{path} is malformed: {process_name(process)} reports "{said}" and {manner(ending)}',
            confidence=found.confidence,
            severity=Severity.ERROR if sure else Severity.WARNING,
            why="the kernel delivers any text: a wrong character is found by the parser of the program, so that no call"
            " fails; parsers notice it where they cannot continue, which may be a line after the fault: read(2)",
            fix=f"look at {where}{tested}; what has changed it last: ls -l {path}",
        )
