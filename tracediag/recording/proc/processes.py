"""One process with its threads: proc_pid_status(5), proc_pid_task(5)."""

from __future__ import annotations

from tracediag.recording.proc.calls import call_of
from tracediag.recording.proc.descriptors import descriptors_of
from tracediag.recording.proc.memory import Memory
from tracediag.recording.proc.texts import fields, link, number, numbers, text
from tracediag.recording.proc.waited import refined
from tracediag.snapshot import ProcessState, ThreadState

_MOST_THREADS = 4096


def process_of(pid: int) -> ProcessState | None:
    """Return a process; None where it has ended."""
    folder = f"/proc/{pid}"
    status = fields(text(f"{folder}/status"))
    if not status:
        return None
    tids = numbers(f"{folder}/task")[:_MOST_THREADS]
    with Memory(pid) as memory:
        threads = tuple(thread for tid in tids if (thread := _thread(pid, tid, memory)) is not None)
    return ProcessState(
        pid=pid,
        parent=number(status.get("PPid", "")) or None,
        executable=link(f"{folder}/exe"),
        arguments=tuple(text(f"{folder}/cmdline").rstrip("\0").split("\0")),
        directory=link(f"{folder}/cwd"),
        tracer=number(status.get("TracerPid", "")),
        ignored=number(status.get("SigIgn", ""), 16),
        caught=number(status.get("SigCgt", ""), 16),
        threads=threads,
        descriptors=descriptors_of(pid),
        children=tuple(sorted(child for tid in tids for child in _children(pid, tid))),
    )


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
    )
    return refined(state, pid, memory)
