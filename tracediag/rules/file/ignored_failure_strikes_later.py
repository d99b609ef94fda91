"""TD413: a failure that the program ignored, and a later one that follows from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.blame import Blame, find_blame
from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import meaning, report_step
from tracediag.evidence.exits import end_step, severity_by_end
from tracediag.evidence.faults import Fault
from tracediag.evidence.paths import same
from tracediag.evidence.runs import Run
from tracediag.kernel import Action
from tracediag.kernel.describe import describe_file
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end, on_signal
from tracediag.rules.file._chain_words import OTHERS, WHY, fix, outcome, path_of, subject
from tracediag.rules.file._chains import NAMES, First, How, first, follows, is_relative, paths_of, tolerable, undoes
from tracediag.trace.calls import CHDIRS, EXECS, MKDIRS, REMOVES, RENAMES
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Signal

_HARMFUL = RENAMES | REMOVES

_FIRSTS_KEPT = 16
_CHAINS_KEPT = 16

_DENIED = ("EACCES", "EPERM", "EROFS", "EBUSY", "ETXTBSY")
_WRONG = ("EEXIST", "EINVAL", "EISDIR", "ELOOP", "ENAMETOOLONG", "ENODEV", "ENOENT", "ENOTDIR", "ENOTEMPTY")
_TAKEN = ("EADDRINUSE", "EDQUOT", "EFBIG", "EIO", "EMFILE", "EMLINK", "ENOPROTOOPT", "ENOSPC", "EOPNOTSUPP")


class _Chain(msgspec.Struct, eq=False):
    """An earlier failure and what followed from it."""

    first: First
    later: Run | Signal
    """The calls that fail or work in the wrong place, or a SIGBUS."""
    how: How

    @property
    def event(self) -> Syscall | Signal:
        """The first event that follows from the failure."""
        return self.later.first if isinstance(self.later, Run) else self.later

    def add(self, call: Syscall) -> None:
        """Count one more call that follows from the failure, if it is like the first one."""
        if isinstance(self.later, Run) and self.later.first.name == call.name:
            self.later.add(call)


class IgnoredFailureStrikesLater(Rule):
    """A call fails, the program ignores that, and a later call fails or works in the wrong place as a result."""

    code = "TD413"
    name = "ignored-failure-strikes-later"
    severity = Severity.ERROR
    summary = "a failed call is ignored, and a later failure or wrong action follows from it"

    def __init__(self) -> None:
        self._firsts: Cases[Process, deque[First]] = Cases()
        """The failures from which later ones may follow."""
        self._chains: Cases[Process, list[_Chain]] = Cases()

    @on_errno(*_DENIED, *_WRONG, *_TAKEN, of=NAMES)
    def failed(self, action: Action) -> None:
        """Check whether a failure follows from an earlier one, then whether later ones may follow from it."""
        for before in self._firsts.get(action.process, ()):
            how = follows(before, action)
            if how is not None:
                self._strikes(action.process, before, action.call, how)
                break
        found = first(action)
        if found is not None:
            self._firsts.setdefault(action.process, deque(maxlen=_FIRSTS_KEPT)).append(found)

    @on_call(*_HARMFUL, *MKDIRS, *CHDIRS)
    def done(self, action: Action) -> None:
        """Forget a failure that is made good; note an action in the wrong directory."""
        firsts = self._firsts.get(action.process)
        if not firsts or action.call.failed:
            return
        call = action.call
        paths = paths_of(action, call) or ("",)
        away = next((before for before in firsts if before.call.name == "chdir"), None)
        # mkdir may create the missing directory; a path to remove or rename was expected inside the directory.
        if away is not None and call.name in _HARMFUL and is_relative(call) and not same(paths[0], away.paths[0]):
            self._strikes(action.process, away, call, How.ELSEWHERE)
        for before in [before for before in firsts if undoes(call, paths, before)]:
            firsts.remove(before)

    @on_call(*EXECS)
    def started(self, action: Action) -> None:
        """Forget all: the new program is not responsible for earlier failures."""
        if action.call.result == 0:
            self._firsts.pop(action.process, None)
            self._chains.pop(action.process, None)

    @on_signal("SIGBUS")
    def struck(self, action: Action) -> None:
        """Check whether an attempt to extend the file that is mapped at the address has failed."""
        assert isinstance(action.event, Signal)
        address = Fault(action.event, action.thread, None, None).address
        mapping = None if address is None else action.process.space.find(address)
        for before in self._firsts.get(action.process, ()):
            if mapping is not None and mapping.file is not None and before.file is mapping.file:
                self._strikes(action.process, before, action.event, How.TOO_SHORT)

    def _strikes(self, process: Process, before: First, later: Syscall | Signal, how: How) -> None:
        chains = self._chains.setdefault(process, [])
        known = next((chain for chain in chains if chain.first is before), None)
        if known is None and len(chains) < _CHAINS_KEPT:
            chains.append(_Chain(before, Run(later, later) if isinstance(later, Syscall) else later, how))
        elif known is not None and isinstance(later, Syscall):
            known.add(later)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge by the fate of the process."""
        process = end.process
        chains: list[_Chain] = self._chains.pop(process, [])
        if not chains:
            return
        line = end.line if end.event is None else end.event.line
        blame = find_blame(process, line, ended=bool(process.status))
        for chain in chains:
            ours = blame if blame is not None and blame.call in (chain.first.call, chain.event) else None
            severity = _severity(chain, process, ours, self.scope.is_excerpt)
            if severity is not None:
                yield self._finding(chain, severity, ours, end.event if process.ended_badly else None)

    def _finding(self, chain: _Chain, severity: Severity, blame: Blame | None, end: Exit | Syscall | None) -> Finding:
        call = chain.first.call
        lines = {call.line, chain.event.line}
        explains = [(other, line) for other in OTHERS for line in sorted(lines)]
        return self.finding(
            _story(chain, blame, end),
            object=path_of(chain.first) or _object(chain.first),
            title=f"{subject(chain.first)} fails ({meaning(call.errno or '')}) and is ignored;"
            f" then {outcome(chain.event)}",
            severity=severity,
            confidence=_confidence(chain),
            why=WHY[chain.how],
            fix=fix(chain.first),
            explains=explains if end is None else [*explains, ("child-failure-behind", end.line)],
        )


def _object(before: First) -> str:
    if before.file is None:
        return "RLIMIT_NOFILE"
    what = describe_file(before.file)
    return f"fd {before.call.number(0)}{f' = {what}' if what else ''}"


def _severity(chain: _Chain, process: Process, blame: Blame | None, excerpt: bool) -> Severity | None:
    """Return the severity by the consequences; None if the program did well without."""
    later = chain.event
    if isinstance(later, Signal):
        return severity_by_end(process)
    if blame is not None:
        return Severity.ERROR if process.ended_badly or excerpt else Severity.WARNING
    if not later.failed:  # done in the wrong directory
        return Severity.WARNING if Aftermath(process, chain.first.call).reported is None else None
    return Severity.WARNING if excerpt or not tolerable(chain.how, later) else None


def _confidence(chain: _Chain) -> Confidence:
    """Return how sure the connection is: certain by the same path or file, likely by the working directory."""
    if chain.how is How.ELSEWHERE or chain.how is How.TOO_FEW or chain.how is How.IN_USE:
        return Confidence.LIKELY
    return Confidence.CERTAIN


def _story(chain: _Chain, blame: Blame | None, end: Exit | Syscall | None) -> Iterator[Step]:
    call, later = chain.first.call, chain.later
    yield step(call, f"{call.name} fails, and the program continues as if it had succeeded", primary=True)
    if isinstance(later, Signal):
        yield step(later, chain.how.value)
    else:
        result = "fails" if later.first.failed else "succeeds"
        yield later.together(f"{later.first.name} {result}: {chain.how.value}")
    if blame is not None and blame.message is not None:
        yield report_step(blame.message, named=blame.named)
    if end is not None:
        yield end_step(end)
