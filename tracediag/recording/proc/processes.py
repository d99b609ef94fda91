"""One process with its threads: proc_pid_status(5), proc_pid_task(5)."""

from __future__ import annotations

from tracediag.recording.proc.calls import call_of
from tracediag.recording.proc.descriptors import descriptors_of
from tracediag.recording.proc.memory import Memory
from tracediag.recording.proc.texts import fields, link, number, numbers, text
from tracediag.recording.proc.waited import refined
from tracediag.snapshot import ProcessState, ThreadState

_MOST_THREADS = 4096
_EXIT_CODE = 49
"""Its place after the name of the program."""
_HEAD = 8192
"""Bytes of a program in which its notes stand."""


def process_of(pid: int) -> ProcessState | None:
    """Return a process; None where it has ended."""
    folder = f"/proc/{pid}"
    status = fields(text(f"{folder}/status"))
    if not status:
        return None
    tids = numbers(f"{folder}/task")[:_MOST_THREADS]
    group, foreground = _groups(pid)
    source = source_of(pid)
    with Memory(source) as memory:
        threads = tuple(thread for tid in tids if (thread := _thread(pid, tid, memory)) is not None)
    return ProcessState(
        pid=pid,
        parent=number(status.get("PPid", "")) or None,
        executable=link(f"/proc/{source}/exe"),
        arguments=tuple(text(f"/proc/{source}/cmdline").rstrip("\0").split("\0")),
        directory=link(f"/proc/{source}/cwd"),
        tracer=number(status.get("TracerPid", "")),
        ignored=number(status.get("SigIgn", ""), 16),
        caught=number(status.get("SigCgt", ""), 16),
        pending=number(status.get("ShdPnd", ""), 16),
        group=group,
        foreground=foreground,
        threads=threads,
        descriptors=descriptors_of(source),
        status=_status(pid) if all(thread.state == "Z" for thread in threads) else None,
        language=_language(f"/proc/{source}/exe"),
        children=tuple(sorted(child for tid in tids for child in _children(pid, tid))),
    )


def source_of(pid: int) -> int:
    """Return the thread of a process whose files show its memory and descriptors: the first one that has not ended."""
    if link(f"/proc/{pid}/exe"):
        return pid
    return next((tid for tid in numbers(f"/proc/{pid}/task") if link(f"/proc/{tid}/exe")), pid)


def children_of(pid: int) -> list[int]:
    """Return the children of a process."""
    return [child for tid in numbers(f"/proc/{pid}/task") for child in _children(pid, tid)]


def inner_tids(pid: int) -> dict[int, int]:
    """Return the tids of a process by the numbers that they have in its own pid namespace."""
    found = {}
    for tid in numbers(f"/proc/{pid}/task"):
        inner = fields(text(f"/proc/{pid}/task/{tid}/status")).get("NSpid", str(tid)).split()
        found[number(inner[-1]) if inner else tid] = tid
    return found


def _children(pid: int, tid: int) -> list[int]:
    return [int(word) for word in text(f"/proc/{pid}/task/{tid}/children").split() if word.isdecimal()]


def _groups(pid: int) -> tuple[int, int]:
    """Return the process group, and the foreground group of the terminal: pgrp and tpgid of proc_pid_stat(5)."""
    words = text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (number(words[2]), max(number(words[5]), 0)) if len(words) > 5 else (0, 0)


def _status(pid: int) -> int | None:
    """Return the status of a process that has ended: exit_code, field 52 of proc_pid_stat(5), shown to its tracers."""
    words = text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return number(words[_EXIT_CODE]) if len(words) > _EXIT_CODE else None


def _language(path: str) -> str:
    """Return the language of a program that notes it: the Go linker writes a note of its own, named "Go"."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # each process of a look is read
            head = file.read(_HEAD)
    except OSError:
        return ""
    return "go" if head.startswith(b"\x7fELF") and b"\4\0\0\0Go\0\0" in head else ""


def _thread(pid: int, tid: int, memory: Memory) -> ThreadState | None:
    folder = f"/proc/{pid}/task/{tid}"
    status = fields(text(f"{folder}/status"))
    if not status:
        return None
    call, arguments = call_of(text(f"{folder}/syscall"))
    wchan = text(f"{folder}/wchan")
    frames = (line.partition("] ")[2].partition("+")[0] for line in text(f"{folder}/stack").splitlines())
    state = ThreadState(
        tid=tid,
        name=status.get("Name", ""),
        state=status.get("State", "")[:1],
        call=call,
        arguments=arguments,
        wchan="" if wchan == "0" else wchan,
        stack=tuple(frame for frame in frames if frame),
        blocked=number(status.get("SigBlk", ""), 16),
        pending=number(status.get("SigPnd", ""), 16),
    )
    return refined(state, pid, memory)
