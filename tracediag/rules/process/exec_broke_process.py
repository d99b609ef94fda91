"""TD520: an execve that leaves no program to run."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tracediag.evidence.exits import end_step
from tracediag.evidence.names import process_name
from tracediag.kernel.process import Limit, Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.trace.calls import EXECS, MAPS, OPENS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import size
from tracediag.trace.records import Exit, Signal
from tracediag.trace.values import text_of

_DEADLY = frozenset({"SIGSEGV", "SIGKILL", "SIGBUS"})
_LIMITS = {"RLIMIT_AS": "ulimit -v", "RLIMIT_STACK": "ulimit -s", "RLIMIT_DATA": "ulimit -d"}
"""Limits on the memory of a process, and how a shell raises each of them."""
_ROOMY = 64 << 20
"""A limit above this leaves room for any ordinary image."""

_SILENT = "the new image is loaded and makes no call"
_FIRST = MAPS | OPENS
"""The first calls of an image: those of its loader, or of the C library."""


class ExecBrokeProcess(Rule):
    """execve fails after the point of no return, or the new image dies before its first call."""

    code = "TD520"
    name = "exec-broke-process"
    severity = Severity.ERROR
    summary = "execve fails after it has discarded the old program, or the new one dies before its first call"

    rests_on = _FIRST

    def rests(self, finding: Finding) -> Collection[str]:
        """Return the first calls of an image; that an execve failed needs no proof."""
        return self.rests_on if finding.primary.note == _SILENT else ()

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Judge a death by a signal if the last call was an execve."""
        end, process, thread = last.exit, last.process, last.thread
        call = None if thread is None else thread.last_call
        if end is None or end.signal not in _DEADLY or thread is None or call is None or call.name not in EXECS:
            return
        signal = thread.last_signal
        if signal is not None and signal.line < call.line:
            signal = None
        if signal is None and end.signal == "SIGSEGV" and not call.failed:
            return
        if call.failed and not _forced(signal, call):
            return
        if not call.failed and end.signal == "SIGKILL":
            return
        yield self._finding(process, call, signal, end)

    def _finding(self, process: Process, call: Syscall, signal: Signal | None, end: Exit) -> Finding:
        path = text_of(call.arg(1 if call.name == "execveat" else 0))
        limit = _limit(process)
        return self.finding(
            _story(call, signal, end, limit),
            object=process_name(process),
            title=f"execve of {path} fails with {call.errno} after the point of no return"
            if call.failed
            else f"the new image of {path} dies before its first call",
            confidence=Confidence.CERTAIN if call.failed and (signal or end.signal == "SIGKILL") else Confidence.LIKELY,
            why=_WHY,
            fix=_fix(limit, path),
            explains=[
                ("crashed", (signal or end).line),
                ("exec-failed", call.line),
                *((name, end.line) for name in ("killed-from-outside", "child-failure-behind")),
            ],
        )


_WHY = (
    "execve discards the old program before it maps the new one; a failure after that point cannot return, so the"
    " kernel kills the process: begin_new_exec() in fs/exec.c, load_elf_binary() in fs/binfmt_elf.c"
)


def _forced(signal: Signal | None, call: Syscall) -> bool:
    """Whether the kernel killed the process for it; a program that continues after a failed execve may crash, too."""
    if signal is None:
        return call.errno in ("ENOMEM", "ENOEXEC", "EPERM", "EINVAL", "EIO", "E2BIG", "EAGAIN")
    return "SI_KERNEL" in signal.info


def _limit(process: Process) -> tuple[str, Limit] | None:
    """Return the name of a limit on memory that is too tight for most images, and the limit."""
    for name in _LIMITS:
        limit = process.limits.get(name)
        if limit is not None and limit.soft is not None and limit.soft < _ROOMY:
            tight = name != "RLIMIT_STACK" or limit.soft < 1 << 18
            if tight:
                return name, limit
    return None


def _story(call: Syscall, signal: Signal | None, end: Exit, limit: tuple[str, Limit] | None) -> Iterator[Step]:
    if limit is not None and limit[1].call.line < call.line:
        yield step(limit[1].call, f"{limit[0]} is {size(limit[1].soft or 0)}")
    note = f"fails with {call.errno} after the point of no return" if call.failed else _SILENT
    yield step(call, note, primary=True)
    if signal is not None:
        yield step(
            signal,
            "the kernel kills the process" if call.failed else "the first instructions of the image or its loader fail",
        )
    yield end_step(end)


def _fix(limit: tuple[str, Limit] | None, path: object) -> str:
    if limit is not None:
        return f"raise {limit[0]} for {path}: {_LIMITS[limit[0]]} unlimited"
    return (
        f"check the image with readelf -lW {path} (addresses that cannot be mapped, a damaged file, another page size),"
        " and the limits of the caller with ulimit -a"
    )
