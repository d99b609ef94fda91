"""TD308: no descriptor is left: EMFILE or ENFILE, and what holds them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.runs import LOOP, Run
from tracediag.evidence.steps import repeated
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Kind
from tracediag.kernel.process import Limit
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.rules.descriptor._census import Origin, census
from tracediag.trace.calls import ACCEPTS
from tracediag.trace.flags import flags_in

_MAKERS = frozenset(
    {"open", "openat", "openat2", "creat", "open_by_handle_at", "socket", "socketpair", *ACCEPTS, "pipe", "pipe2"}
    | {"dup", "dup3", "fcntl", "fcntl64", "epoll_create", "epoll_create1", "eventfd", "eventfd2", "timerfd_create"}
    | {"signalfd", "signalfd4", "memfd_create", "pidfd_open", "pidfd_getfd", "perf_event_open", "userfaultfd"}
    | {"io_uring_setup", "mq_open", "fsopen", "fsmount", "open_tree", "execve", "execveat", "bpf", "clone", "clone3"}
)
"""Calls that need a number in the table of the caller."""
_PATHS = frozenset(
    {"getdents", "getdents64", "read", "pread64", "readv", "write", "pwrite64", "writev", "stat", "lstat", "fstat"}
    | {"stat64", "lstat64", "fstat64", "newfstatat", "fstatat64", "statx", "access", "faccessat", "faccessat2"}
    | {"readlink", "readlinkat", "mkdir", "mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "rmdir"}
    | {"truncate", "ftruncate", "fsync", "fdatasync", "close", "statfs", "getxattr", "lgetxattr", "chdir", "link"}
)
"""Calls of a file system that make no descriptor: EMFILE from them is another process's."""
_INOTIFY = frozenset({"inotify_init", "inotify_init1"})


class _Hit(Run, kw_only=True):
    """The limit as one process met it first, and how it went on."""

    kind: str
    """"here", "system", "server", "ring" or "inotify"."""
    origins: list[Origin]
    limit: Limit | None
    got_over: bool = False
    """Whether the listener that met it has taken a connection since."""


class DescriptorLimitReached(Rule):
    """EMFILE or ENFILE, with a count of what is open by where it came from."""

    code = "TD308"
    name = "descriptor-limit-reached"
    severity = Severity.ERROR
    summary = "a call fails since no descriptor is left (EMFILE, ENFILE): which limit it is, and what uses it up"

    @on_errno("EMFILE", "ENFILE")
    def failed(self, action: Action) -> None:
        """Count what is open at the first failure of a process; count the others."""
        call, memory = action.call, action.process.memory
        kind = _kind(action)
        if kind is None:
            return
        hit: _Hit | None = memory.get(self.name)
        if hit is None or (hit.got_over and call.name not in ACCEPTS):
            limit = action.process.limits.get("RLIMIT_NOFILE")
            origins = census(action.process.table) if kind == "here" else []
            memory[self.name] = _Hit(call, call, kind=kind, origins=origins, limit=limit)
            return
        hit.add(call)

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """The connection was only late, not lost, if the listener is served again."""
        hit: _Hit | None = action.process.memory.get(self.name)
        if hit is not None and not action.call.failed and hit.first.name in ACCEPTS:
            hit.got_over = True

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report when it is known what became of the process."""
        process = end.process
        hit: _Hit | None = process.memory.pop(self.name, None)
        if hit is None:
            return
        call, proof = hit.first, list(Aftermath(process, hit.first).proof_steps())
        words = _WORDS[hit.kind]
        numbers = _numbers(hit)
        yield self.finding(
            [
                *_before(hit),
                step(call, words.note.format(call=call.name), primary=True),
                *hit.again("no descriptor is left for this call either"),
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
    if call.name in _INOTIFY or call.name == "fanotify_init":
        return "inotify" if call.errno == "EMFILE" else "system"
    if call.name == "io_uring_register":
        return "ring" if flags_in(call.body, "IORING_REGISTER_FILES") else None
    listening = action.descriptor is not None and action.descriptor.file.kind is Kind.FANOTIFY
    if call.name in _MAKERS or (call.name == "read" and listening):
        return "here" if call.errno == "EMFILE" else "system"
    # mount, ioctl, shmget and others have meanings of their own for these errors.
    return "server" if call.name in _PATHS else None


def _severity(hit: _Hit, *, bad: bool) -> Severity:
    if bad or (hit.times >= LOOP.sure and hit.first.name in ACCEPTS and not hit.got_over):
        return Severity.ERROR
    return Severity.NOTE if hit.got_over else Severity.WARNING


def _soft(hit: _Hit) -> int | None:
    return None if hit.limit is None else hit.limit.soft


def _numbers(hit: _Hit) -> str:
    if hit.kind != "here" or not hit.origins:
        return ""
    largest, held = hit.origins[0], sum(origin.count for origin in hit.origins)
    soft = _soft(hit)
    allowed = "" if soft is None else f"; RLIMIT_NOFILE is {soft}"
    if largest.count < 2:
        return f" ({held} known to be open above 2{allowed})" if allowed else ""
    return f" ({largest.count} of {held} known to be open above 2 are {largest.label}{allowed})"


def _object(hit: _Hit) -> str:
    if hit.kind == "server":
        number = hit.first.number(0)
        return hit.first.name if number is None else f"fd {number}"
    return "the file table of the system" if hit.kind == "system" else "the descriptors of the process"


def _before(hit: _Hit) -> Iterator[Step]:
    soft = _soft(hit)
    if hit.limit is not None and soft is not None and hit.kind in ("here", "ring"):
        yield step(hit.limit.call, f"RLIMIT_NOFILE is {soft}: numbers below {soft} can be given out")
    largest = hit.origins[0] if hit.origins else None
    if largest is not None and largest.count > 1 and largest.first is not None and largest.last is not None:
        note = f"the first of {largest.count} {largest.label} that are still open"
        yield repeated(largest.first, note, largest.count, largest.last.line)


class _Words(msgspec.Struct, frozen=True):
    title: str
    note: str
    why: str


_WORDS = {
    "here": _Words(
        "the process has no descriptor left: {call} fails with {error}",
        "{call} fails: every number below RLIMIT_NOFILE is in use",
        "a new descriptor takes the lowest free number, and there is none below the soft RLIMIT_NOFILE of the process:"
        " getrlimit(2), open(2)",
    ),
    "system": _Words(
        "the system has no open file left: {call} fails with {error}",
        "{call} fails: the limit of the whole system on open files is reached",
        "ENFILE is the limit of all processes together, fs.file-max, not that of this process: open(2), proc(5)",
    ),
    "server": _Words(
        "{call} fails with {error}, which comes from the server of the file system",
        "{call} makes no descriptor: {call} passes on the error of whoever serves this file system",
        "this call takes no descriptor of the caller, so the limit is that of another process: the daemon of a FUSE"
        " mount hands its own errno to the client: fuse(4)",
    ),
    "ring": _Words(
        "the table of registered files is larger than RLIMIT_NOFILE: {call} fails with {error}",
        "the registered files are counted against RLIMIT_NOFILE, open or not",
        "io_uring refuses a table of more files than RLIMIT_NOFILE, however few of its places are filled:"
        " io_uring_register(2)",
    ),
    "inotify": _Words(
        "the user has no notification instance left: {call} fails with {error}",
        "{call} fails: probably the user's limit of instances, not the number of descriptors",
        "EMFILE of this call is the limit of instances of one user, fs.inotify.max_user_instances (128) or"
        " fs.fanotify.max_user_groups, or else RLIMIT_NOFILE: inotify_init(2), fanotify_init(2)",
    ),
}


def _fix(hit: _Hit) -> str:
    largest = hit.origins[0] if hit.origins else None
    if hit.kind == "server":
        return (
            "count the descriptors of the file system's daemon (ls /proc/PID/fd), and raise its LimitNOFILE or mend it"
        )
    if hit.kind == "ring":
        return "raise RLIMIT_NOFILE with setrlimit before io_uring_register, or register a smaller table"
    if hit.kind == "inotify":
        return "raise fs.inotify.max_user_instances with sysctl, or use one instance for all watches of a process"
    if hit.kind == "system":
        return "see who holds the files (cat /proc/sys/fs/file-nr, lsof), then raise fs.file-max"
    if largest is not None and largest.count > 1:
        return (
            f"close the {largest.count} {largest.label} on every way out, or raise"
            " RLIMIT_NOFILE (ulimit -n, LimitNOFILE=) if so many are needed"
        )
    return "see what is open (ls -l /proc/PID/fd): close what is not needed, or raise RLIMIT_NOFILE (ulimit -n)"
