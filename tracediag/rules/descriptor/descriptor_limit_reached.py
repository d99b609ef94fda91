"""TD308: a limit on descriptors is reached: EMFILE or ENFILE, and what uses them up."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import LOOP, Run
from tracediag.evidence.steps import repeated
from tracediag.kernel import Action
from tracediag.kernel.credentials import Limit
from tracediag.kernel.descriptor import Kind
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.rules.descriptor._census import Origin, census
from tracediag.trace.calls import (
    ACCEPTS,
    CONTROLS,
    EXECS,
    FILE_READS,
    FILE_WRITES,
    FSTATS,
    FSYNCS,
    FTRUNCATES,
    GETDENTS,
    INOTIFIES,
    LINKS,
    LOOKS,
    MAKERS,
    MKDIRS,
    POSITIONED,
    REMOVES,
    RENAMES,
    TRUNCATES,
)
from tracediag.trace.flags import flags_in
from tracediag.trace.quantities import count

_MAKERS = MAKERS | CONTROLS | EXECS | {"bpf", "clone", "clone3"}
"""Calls that need a free number in the table of the caller."""
_SERVED = (LOOKS | FSTATS | GETDENTS | FILE_READS | FILE_WRITES | POSITIONED | FSYNCS | TRUNCATES | FTRUNCATES) | (
    MKDIRS | REMOVES | RENAMES | LINKS | {"chdir", "close"}
)
"""Calls that need no free number, and that a file system's server may answer: EMFILE is then the server's."""
_INSTANCES = INOTIFIES | {"fanotify_init"}


class _Hit(Run, kw_only=True):
    """The failures of one process at a limit: the first, and what followed."""

    kind: str
    """"here", "system", "server", "ring" or "inotify"."""
    origins: list[Origin]
    limit: Limit | None
    recovered: bool = False
    """Whether accept failed first, and has succeeded since."""


class DescriptorLimitReached(Rule):
    """A call fails with EMFILE or ENFILE: which limit that is, and what is open, by origin."""

    code = "TD308"
    name = "descriptor-limit-reached"
    severity = Severity.ERROR
    summary = "a call fails with EMFILE or ENFILE: which limit is reached, and which descriptors use it up"

    def __init__(self) -> None:
        self._hits: Cases[Process, _Hit] = Cases()

    @on_errno("EMFILE", "ENFILE")
    def failed(self, action: Action) -> None:
        """Count what is open at the first failure of a process; count the failures after it."""
        call = action.call
        kind = _kind(action)
        if kind is None:
            return
        hit = self._hits.get(action.process)
        if hit is None or (hit.recovered and call.name not in ACCEPTS):
            limit = action.process.limits.get("RLIMIT_NOFILE")
            origins = census(action.process.table) if kind == "here" else []
            self._hits[action.process] = _Hit(call, call, kind=kind, origins=origins, limit=limit)
            return
        hit.add(call)

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """Note that accept works again: the connection was late, not lost."""
        hit = self._hits.get(action.process)
        if hit is not None and not action.call.failed and hit.first.name in ACCEPTS:
            hit.recovered = True

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report when the end of the process is known."""
        process = end.process
        hit: _Hit | None = self._hits.pop(process)
        if hit is None:
            return
        call, proof = hit.first, list(Aftermath(process, hit.first).proof_steps())
        words = _WORDS[hit.kind]
        numbers = _numbers(hit)
        yield self.finding(
            [
                *_before(hit),
                step(call, words.note.format(call=call.name), primary=True),
                *hit.again("the same limit again"),
                *proof,
            ],
            object=_object(hit),
            title=words.title.format(call=call.name, error=call.errno) + numbers,
            severity=_severity(hit, bad=bool(proof)),
            confidence=Confidence.CERTAIN if hit.kind in ("here", "system", "ring") else Confidence.LIKELY,
            why=words.why,
            fix=_fix(hit),
            explains=[
                (name, line)
                for line in {call.line, hit.last.line}
                for name in ("failed-call-behind-exit", "failing-call-spin", "accept-emfile-spin")
            ]
            + [("accept-error-ends-server", line) for line in {call.line, hit.last.line}],
        )


def _kind(action: Action) -> str | None:
    call = action.call
    if call.name in _INSTANCES:
        return "inotify" if call.errno == "EMFILE" else "system"
    if call.name == "io_uring_register":
        return "ring" if flags_in(call.body, "IORING_REGISTER_FILES") else None
    listening = action.descriptor is not None and action.descriptor.file.kind is Kind.FANOTIFY
    if call.name in _MAKERS or (call.name == "read" and listening):
        return "here" if call.errno == "EMFILE" else "system"
    # mount, ioctl, shmget and others return these errors for other reasons.
    return "server" if call.name in _SERVED else None


def _severity(hit: _Hit, *, bad: bool) -> Severity:
    if bad or (hit.times >= LOOP.sure and hit.first.name in ACCEPTS and not hit.recovered):
        return Severity.ERROR
    return Severity.NOTE if hit.recovered else Severity.WARNING


def _soft(hit: _Hit) -> int | None:
    return None if hit.limit is None else hit.limit.soft


def _numbers(hit: _Hit) -> str:
    if hit.kind != "here" or not hit.origins:
        return ""
    largest, held = hit.origins[0], sum(origin.count for origin in hit.origins)
    soft = _soft(hit)
    allowed = "" if soft is None else f"; RLIMIT_NOFILE is {count(soft)}"
    if largest.count < 2:
        return f" ({count(held)} known to be open above fd 2{allowed})" if allowed else ""
    return f" ({count(largest.count)} of {count(held)} known to be open above fd 2 are {largest.label}{allowed})"


def _object(hit: _Hit) -> str:
    if hit.kind == "server":
        number = hit.first.number(0)
        return hit.first.name if number is None else f"fd {number}"
    return "the system's open files" if hit.kind == "system" else "the process's descriptors"


def _before(hit: _Hit) -> Iterator[Step]:
    soft = _soft(hit)
    if hit.limit is not None and soft is not None and hit.kind in ("here", "ring"):
        yield step(hit.limit.call, f"RLIMIT_NOFILE is {count(soft)}: the highest number is {count(soft - 1)}")
    largest = hit.origins[0] if hit.origins else None
    if largest is not None and largest.count > 1 and largest.first is not None and largest.last is not None:
        note = f"{count(largest.count)} {largest.label} are open"
        yield repeated(largest.first, note, largest.count, largest.last.line)


class _Words(msgspec.Struct, frozen=True):
    title: str
    note: str
    why: str


_WORDS = {
    "here": _Words(
        "{call} fails with {error}: the process has no free descriptor",
        "every number below RLIMIT_NOFILE is in use",
        "the soft RLIMIT_NOFILE counts the descriptors of this process alone, and a process may raise it up to its hard"
        " limit: getrlimit(2)",
    ),
    "system": _Words(
        "{call} fails with {error}: the system-wide limit on open files is reached",
        "all processes together have fs.file-max files open",
        "ENFILE is the limit for all processes together, fs.file-max, not RLIMIT_NOFILE: open(2), proc(5)",
    ),
    "server": _Words(
        "{call} fails with {error}, an error from the file system's server",
        "{call} needs no descriptor: the error comes from the server of this file system",
        "the daemon of a FUSE mount returns its own errno to the caller, so the limit is the daemon's, not that of this"
        " process: fuse(4)",
    ),
    "ring": _Words(
        "{call} fails with {error}: the table of registered files is larger than RLIMIT_NOFILE",
        "the size of the table counts against RLIMIT_NOFILE, empty entries included",
        "io_uring refuses a file table larger than RLIMIT_NOFILE, however few of its entries are used:"
        " io_uring_register(2)",
    ),
    "inotify": _Words(
        "{call} fails with {error}: the user has no free notification instance",
        "most likely the per-user limit on instances, not the number of descriptors",
        "EMFILE of this call usually means a per-user limit, fs.inotify.max_user_instances (default 128) or"
        " fs.fanotify.max_user_groups, and only then RLIMIT_NOFILE: inotify_init(2), fanotify_init(2)",
    ),
}


def _fix(hit: _Hit) -> str:
    largest = hit.origins[0] if hit.origins else None
    if hit.kind == "server":
        return "count the descriptors of the file system's daemon (ls /proc/PID/fd); fix a leak or raise LimitNOFILE="
    if hit.kind == "ring":
        return "raise RLIMIT_NOFILE with setrlimit before io_uring_register, or register a smaller table"
    if hit.kind == "inotify":
        return "share one instance between watches, or raise the limit (sysctl fs.inotify.max_user_instances=1024)"
    if hit.kind == "system":
        return "find the processes that hold the files (lsof; cat /proc/sys/fs/file-nr), or raise fs.file-max (sysctl)"
    if largest is not None and largest.count > 1:
        return (
            f"close {largest.label} on every return path; if so many are needed, raise RLIMIT_NOFILE (ulimit -n,"
            " LimitNOFILE=)"
        )
    return "list what is open (ls -l /proc/PID/fd) and close what is not needed, or raise RLIMIT_NOFILE (ulimit -n)"
