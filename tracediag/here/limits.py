"""Limits of the host now, and the sysctls that the page of a rule names: proc_sys(5)."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.recording.proc.texts import fields, text
from tracediag.trace.patterns import lazy_pattern

_SYSCTL = lazy_pattern(r"\b((?:kernel|net|fs|vm|user)\.[a-z0-9_-]{2,40}(?:\.[a-z0-9_]{1,40}){0,4})\b")
_MEMORY = ("MemAvailable", "CommitLimit", "Committed_AS", "SwapFree")
_MOST = 6


def limit_facts(call: str, errno: str, pid: int | None) -> Iterator[str]:
    """Yield the limits that an errno is about."""
    if errno == "EMFILE":
        yield from _of_process(pid, "Max open files")
    elif errno == "ENFILE":
        words = text("/proc/sys/fs/file-nr").split()
        if len(words) == 3:
            yield f"open files of the host: {words[0]} of {words[2]} (fs.file-max)"
    elif errno == "EAGAIN" and call in ("clone", "clone3", "fork", "vfork"):
        yield from _of_process(pid, "Max processes")
        yield from sysctls("kernel.threads-max kernel.pid_max")
        load = text("/proc/loadavg").split()
        if len(load) > 3:
            yield f"threads of the host: {load[3].rpartition('/')[2]}"
    elif errno == "ENOMEM":
        memory = fields(text("/proc/meminfo"))
        yield "memory: " + ", ".join(f"{name} {memory[name]}" for name in _MEMORY if name in memory)
        yield from sysctls("vm.overcommit_memory vm.max_map_count")
    elif errno == "EFBIG":
        yield from _of_process(pid, "Max file size")


def sysctls(page: str) -> Iterator[str]:
    """Yield the sysctls that a page names, with their values; those that this kernel does not have are left out."""
    for name in list(dict.fromkeys(_SYSCTL.findall(page)))[:_MOST]:
        value = " ".join(text("/proc/sys/" + name.replace(".", "/")).split())
        if value:
            yield f"{name} is {value}"


def _of_process(pid: int | None, name: str) -> Iterator[str]:
    """Yield a limit of the traced process, if it still runs; else that of this one, which says so."""
    for folder, whose in ((pid, f"process {pid}"), ("self", "this shell, not of the traced program, which has ended")):
        row = next((line for line in text(f"/proc/{folder}/limits").splitlines() if line.startswith(name)), "")
        words = row.removeprefix(name).split()
        if len(words) >= 2:
            yield f"{name.lower()} of {whose}: soft {words[0]}, hard {words[1]}"
            return
