"""TD517: the failed call behind a bad exit."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from tracediag.evidence.blame import CWD, Blame, find_blame
from tracediag.evidence.complaints import meaning, report_step, target
from tracediag.evidence.exits import ORDERS, end_step
from tracediag.evidence.verdicts import (
    ORDER,
    Verdict,
    ceiling,
    failures,
    final,
    is_orphan,
    judge,
    left_over,
)
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal, on_trace_end
from tracediag.trace.values import text_of

_ORPHANS = 64
"""How many ends of processes without a known parent are kept until it is seen how the first process ends."""


class FailedCallBehindExit(Rule):
    """A process ends with a status other than 0: the failed call that it complains of, or that stands nearest."""

    code = "TD517"
    name = "failed-call-behind-exit"
    severity = Severity.ERROR
    summary = "a process ends badly, or complains: the failed call that stands behind it"

    def __init__(self) -> None:
        self._orphans: list[Verdict] = []

    @on_call("chdir")
    def moved(self, action: Action) -> None:
        """Remember where relative paths count from."""
        if not action.call.failed:
            action.process.memory[CWD] = action.call

    @on_signal(*ORDERS)
    def ordered(self, action: Action) -> None:
        """Remember that the process was told to stop, whichever of its threads has got the signal."""
        action.process.memory[ORDER] = action.event

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge a process that has ended, together with its children; of one that lives on, what it complains of."""
        process = end.process
        if end.event is None:
            known = Severity.WARNING if process.execs or process.started is not None else Severity.ERROR
            yield from self._complained(process, end.line, known)
            return
        verdict = judge(process)
        if end.exit is not None and is_orphan(process, end.kernel):
            if verdict.bad and len(self._orphans) < _ORPHANS:
                self._orphans.append(verdict)
        elif final(process):
            yield from self._told(verdict)
        if end.exit is not None and not process.ended_badly:
            yield from self._complained(process, end.line, Severity.NOTE)

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge what still waits: orphans, and what the children of living processes did."""
        for verdict in self._orphans:
            yield from self._told(verdict, ceiling(verdict, kernel))
        for verdict in left_over(kernel):
            yield from self._told(verdict)

    def _told(self, verdict: Verdict, at_most: Severity = Severity.ERROR) -> Iterator[Finding]:
        for found, judged in failures(verdict):
            if found.blame is not None and found.end is not None and found.signal is None:
                severity = _milder(judged, at_most)
                guess = found.blame.confidence is Confidence.POSSIBLE and at_most is not Severity.ERROR
                yield self._behind(found, found.blame, Severity.NOTE if guess else severity)

    def _behind(self, verdict: Verdict, blame: Blame, severity: Severity) -> Finding:
        assert verdict.end is not None
        doubtful = blame.confidence is Confidence.POSSIBLE and severity is Severity.ERROR
        says = "says which call failed" if blame.named else "ends after a failed call"
        return self.finding(
            [*_story(blame), end_step(verdict.end)],
            object=_who(verdict.program, verdict.pid),
            title=f"{_what(blame)}, and the process {verdict.manner}"
            if blame.confidence is not Confidence.POSSIBLE
            else f"the process {verdict.manner}, perhaps since {_what(blame)}",
            severity=Severity.WARNING if doubtful else severity,
            confidence=blame.confidence if verdict.whole else max(blame.confidence, Confidence.LIKELY, key=_rank),
            why=f"a program chooses its exit status itself, and this one {says}: exit(3), errno(3)",
            fix=_fix(blame),
            explains=[("child-failure-behind", verdict.end.line)],
        )

    def _complained(self, process: Process, end: int, severity: Severity) -> Iterator[Finding]:
        """Speak of a call whose error was printed, though the process has not ended badly, as far as can be seen."""
        if not process.messages:
            return  # most processes: nothing to weigh
        blame = find_blame(process, end, ended=False)
        if blame is not None:
            yield self.finding(
                _story(blame),
                object=_who(process.program, process.pid),
                title=f"{_what(blame)}, and the process complains of it",
                severity=severity,
                confidence=Confidence.POSSIBLE if blame.confidence is Confidence.POSSIBLE else Confidence.LIKELY,
                why="what a program prints to fd 2 with the text of an error tells of a call that failed: perror(3)",
                fix=_fix(blame),
            )


_rank = list(Confidence).index


def _milder(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=list(Severity).index)


def _who(program: str | None, pid: int | None) -> str:
    if program is None:
        return "the process" if pid is None else f"process {pid}"
    return program if pid is None else f"{program}, process {pid}"


def _story(blame: Blame) -> list[Step]:
    call = blame.call
    steps = []
    if blame.directory is not None:
        steps.append(step(blame.directory, "relative paths count from this directory"))
    if blame.connect is not None:
        steps.append(step(blame.connect, "the connection is begun"))
    steps.append(step(call, _what(blame), primary=True))
    if blame.message is not None:
        steps.append(report_step(blame.message, named=blame.named))
    return steps


def _object(blame: Blame) -> str | None:
    """Return the path or address that the call was made on."""
    path = target(blame.call if blame.connect is None else blame.connect)
    if path is None or blame.directory is None:
        return path
    return posixpath.join(str(text_of(blame.directory.arg(0)) or ""), path)


def _what(blame: Blame) -> str:
    """Return what failed in words: "openat of /etc/x fails: no such file or directory"."""
    call, path, errno = blame.call, _object(blame), blame.call.errno or ""
    if call.name == "getsockopt":
        return f"the connection{f' to {path}' if path else ''} fails: {meaning(errno)}"
    if path is None:
        number = call.number(0)
        object_ = f" on fd {number}" if number is not None and 0 <= number < 1 << 20 and call.name in _ON_FD else ""
        return f"{call.name}{object_} fails: {meaning(errno)}"
    return f"{call.name} {'to' if call.name == 'connect' else 'of'} {path} fails: {meaning(errno)}"


_ON_FD = frozenset(
    {"read", "write", "readv", "writev", "pread64", "pwrite64", "recvfrom", "recvmsg", "recv", "send", "sendto"}
    | {"sendmsg", "accept", "accept4", "listen", "ioctl", "fcntl", "fsync", "fdatasync", "ftruncate", "fallocate"}
    | {"setsockopt", "flock", "lseek", "getdents64", "epoll_ctl", "fchmod", "fchown", "sendfile", "close"}
)

_CURES = {
    "ENOENT": "create {it}, or correct the path that the program was given",
    "ENOTDIR": "correct the path {it}: a part of it is a file",
    "EACCES": "give the user of the process the right to {it} and to search every directory above it",
    "EPERM": "run the program with the privilege that {call} needs, or leave the call out",
    "EADDRINUSE": "end the process that has {it} (ss -ltnp shows it), or choose another address",
    "EADDRNOTAVAIL": "use an address of this host in place of {it}",
    "ECONNREFUSED": "start the server that should listen at {it}, or correct the address",
    "ETIMEDOUT": "see that {it} can be reached from here",
    "EISDIR": "name a file: {it} is a directory",
    "EEXIST": "remove {it}, or let the program accept what is there",
    "ENOSPC": "make room in the file system of {it}: df -h and df -i",
    "EROFS": "mount the file system of {it} for writing, or choose another place",
    "EMFILE": "close descriptors that are no longer needed, or raise RLIMIT_NOFILE",
    "ENOMEM": "find out which limit stands against {call}: memory, RLIMIT_AS, the cgroup",
    "EXDEV": "copy {it} and remove the original: a rename does not cross file systems",
    "ETXTBSY": "write a new file and rename it over {it}, which is being executed",
}


def _fix(blame: Blame) -> str:
    call = blame.call
    path = _object(blame)
    cure = _CURES.get(call.errno or "")
    if call.errno == "ENOENT" and (call.has("O_CREAT") or call.name in ("mkdir", "mkdirat", "bind", "mknod")):
        cure = "create the directory that {it} should be made in, or correct the path"
    if cure is None:
        return f"remove the cause of {call.errno} at line {call.line}, or let the program go on without {call.name}"
    return cure.format(it=path or f"what {call.name} was called on", call=call.name)
