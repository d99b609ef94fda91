"""Why the kernel refuses ptrace(2) on this host, and what permits it."""

from __future__ import annotations

from tracediag.recording.proc.texts import fields, number, text

_CAP_SYS_PTRACE = 19
"""linux/capability.h."""
_FILTERED = "2"
"""SECCOMP_MODE_FILTER, linux/seccomp.h; `Seccomp` in /proc/PID/status: proc(5)."""
_ADMIN_ONLY, _NEVER = "2", "3"
"""kernel.yama.ptrace_scope: Documentation/admin-guide/LSM/Yama.rst."""
_CONTAINER = (
    "docker run --cap-add=SYS_PTRACE --security-opt seccomp=unconfined; "
    "Kubernetes: securityContext.capabilities.add [SYS_PTRACE] and seccompProfile.type Unconfined"
)


def refusal(*, attaching: bool) -> tuple[str, str]:
    """Return why ptrace is refused and what permits it; "" for a reason that is not known.

    Args:
        attaching: whether strace could not attach to a running process; else it could not trace a command.
    """
    status = _status()
    if (tracer := status.get("TracerPid", "0")) != "0":
        return (
            f"process {tracer} traces tracediag itself, and a process has one tracer",
            "do not run tracediag itself under strace or a debugger",
        )
    scope = text("/proc/sys/kernel/yama/ptrace_scope").strip()
    if scope == _NEVER:
        return "kernel.yama.ptrace_scope is 3", "set another value in /etc/sysctl.d and boot again"
    if not may_trace_others() and (scope == _ADMIN_ONLY or (attaching and scope not in {"", "0"})):
        return f"kernel.yama.ptrace_scope is {scope}", "run tracediag with sudo, or sysctl kernel.yama.ptrace_scope=0"
    if text("/sys/fs/selinux/booleans/deny_ptrace").startswith("1"):
        return "SELinux denies ptrace (deny_ptrace)", "setsebool deny_ptrace off"
    if status.get("Seccomp") == _FILTERED:
        return "a seccomp filter is in force, as in a container", _CONTAINER
    return "", f"in a container: {_CONTAINER}"


def may_trace_others() -> bool:
    """Whether this process has CAP_SYS_PTRACE: capabilities(7)."""
    return bool(number(_status().get("CapEff", ""), 16) >> _CAP_SYS_PTRACE & 1)


def _status() -> dict[str, str]:
    return fields(text("/proc/self/status"))
