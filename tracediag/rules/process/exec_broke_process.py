"""TD520: an execve after which there is no program any more."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.faults import who
from tracediag.kernel.process import Limit, Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.trace.calls import EXECS
from tracediag.trace.events import Exit, Signal, Syscall
from tracediag.trace.values import text_of

_DEADLY = frozenset({"SIGSEGV", "SIGKILL", "SIGBUS"})
_LIMITS = ("RLIMIT_AS", "RLIMIT_STACK", "RLIMIT_DATA")
_ROOMY = 64 << 20
"""A limit above this leaves room for any ordinary image."""


class ExecBrokeProcess(Rule):
    """execve fails past the point of no return, or its new image dies before its first call."""

    code = "TD520"
    name = "exec-broke-process"
    severity = Severity.ERROR
    summary = "execve fails when the old program is gone already, or the new one dies at once"

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Look at what went before an end by a signal: an execve, and nothing else."""
        end, process, thread = last.exit, last.process, last.thread
        call = None if thread is None else thread.last_call
        if end is None or end.signal not in _DEADLY or thread is None or call is None or call.name not in EXECS:
            return
        signal = thread.last_signal
        if signal is not None and signal.line < call.line:
            signal = None
        if signal is None and end.signal == "SIGSEGV":
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
            object=who(process),
            title=f"execve of {path} fails with {call.errno} when the old program is gone already"
            if call.failed
            else f"the new image of {path} dies before its first call",
            confidence=Confidence.CERTAIN if call.failed else Confidence.LIKELY,
            why=_WHY,
            fix=_fix(limit, path),
            explains=[
                ("crashed", (signal or end).line),
                ("exec-failed", call.line),
                *((name, end.line) for name in ("killed-from-outside", "child-failure-behind")),
            ],
        )


_WHY = (
    "execve takes the old program down before it has mapped the new one; what fails after that point has nobody to"
    " return to, and the kernel ends the process by a signal: begin_new_exec() and load_elf_binary() in fs/exec.c and"
    " fs/binfmt_elf.c"
)


def _forced(signal: Signal | None, call: Syscall) -> bool:
    """Whether the kernel ended the process for it; a program that goes on from a failed execve may crash too."""
    if signal is None:
        return call.errno in ("ENOMEM", "ENOEXEC", "EPERM", "EINVAL", "EIO", "E2BIG", "EAGAIN")
    return "SI_KERNEL" in signal.info


def _limit(process: Process) -> Limit | None:
    for name in _LIMITS:
        limit = process.limits.get(name)
        if limit is not None and limit.soft is not None and limit.soft < _ROOMY:
            tight = name != "RLIMIT_STACK" or limit.soft < 1 << 18
            if tight:
                return limit
    return None


def _story(call: Syscall, signal: Signal | None, end: Exit, limit: Limit | None) -> Iterator[Step]:
    if limit is not None and limit.call.line < call.line:
        yield step(limit.call, f"a limit of {(limit.soft or 0) >> 10} KiB on its memory")
    note = (
        f"fails with {call.errno} past the point of no return"
        if call.failed
        else "the new image is in place, and makes no call"
    )
    yield step(call, note, primary=True)
    if signal is not None:
        yield step(
            signal, "the kernel ends what is left" if call.failed else "its first instructions, or its loader's, fail"
        )
    yield step(end, f"the process is killed by {end.signal}")


def _fix(limit: Limit | None, path: object) -> str:
    if limit is not None:
        return f"give {path} more room: raise the limit, ulimit -v or -s, for it"
    return (
        f"check the image: readelf -lW {path} (segments at addresses that cannot be mapped, a damaged file, another"
        " page size), and the limits of the caller: ulimit -a"
    )
