"""Whether strace may attach to a process: ptrace(2), "Ptrace access mode checking"; each failure with what to do."""

from __future__ import annotations

import os

from tracediag.recording.errors import RecordingError
from tracediag.recording.proc.texts import fields, link, number, numbers, text

_YAMA = "/proc/sys/kernel/yama/ptrace_scope"
_NEVER = 3


def check_permission(pid: int) -> None:
    """Raise `RecordingError` if strace cannot attach to a process, with the reason and what to do."""
    status = fields(text(f"/proc/{pid}/status"))
    if not status:
        raise RecordingError(
            f"no process {pid}: it has ended, or it has another number here (a container numbers its own): ps -e"
        )
    name = status.get("Name", "")
    if pid == os.getpid():
        raise RecordingError(f"process {pid} is tracediag itself")
    if not living(pid):
        parent = status.get("PPid", "?")
        raise RecordingError(f"process {pid} ({name}) has ended; its parent, process {parent}, has not waited for it")
    if tracer := number(status.get("TracerPid", "")):
        other = text(f"/proc/{tracer}/comm").strip()
        raise RecordingError(
            f"process {pid} ({name}) has a tracer already, {other} (pid {tracer}): end that first, kill -INT {tracer}"
        )
    if not link(f"/proc/{pid}/exe") and status.get("Kthread", "") == "1":
        raise RecordingError(f"process {pid} ({name}) is a thread of the kernel, which makes no system calls")
    if not _may_attach(pid):
        raise RecordingError(f"process {pid} ({name}) must not be traced: {_remedy(status)}")


def living(pid: int) -> list[int]:
    """Return the threads of a process that have not ended; the first may end before the others: pthread_exit(3)."""
    states = {
        tid: fields(text(f"/proc/{pid}/task/{tid}/status")).get("State", "") for tid in numbers(f"/proc/{pid}/task")
    }
    return [tid for tid, state in states.items() if state and not state.startswith(("Z", "X"))]


def _may_attach(pid: int) -> bool:
    """Whether the kernel permits to attach: it asks the same (PTRACE_MODE_ATTACH) where the memory is opened."""
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC))
    except PermissionError:
        return False
    except OSError:
        return True  # strace will say what is wrong
    return True


def _remedy(status: dict[str, str]) -> str:
    uid, scope = status.get("Uid", "").split(), number(text(_YAMA).strip())
    if scope == _NEVER:
        return "kernel.yama.ptrace_scope is 3, which forbids it until the next boot: set another value in /etc/sysctl.d"
    if os.geteuid() == 0:
        return "root lacks CAP_SYS_PTRACE here; in a container: docker run --cap-add=SYS_PTRACE, or trace from the host"
    if uid and uid[0] != str(os.getuid()):
        return f"it belongs to user {uid[0]}: run tracediag with sudo"
    if scope:
        return f"kernel.yama.ptrace_scope is {scope}: run tracediag with sudo, or sysctl kernel.yama.ptrace_scope=0"
    return "the kernel denies it (a program with set-user-ID or capabilities, or a container): run tracediag with sudo"
