"""The calls in which threads stand when the trace ends."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.blocking import blocked_by, standing_in
from tracediag.evidence.chains import explained
from tracediag.evidence.complaints import target
from tracediag.evidence.names import process_name
from tracediag.evidence.reasons.polls import watched
from tracediag.evidence.waits import Standing
from tracediag.kernel import Kernel
from tracediag.kernel.describe import name
from tracediag.kernel.process import Process, Thread
from tracediag.results.overview import Waiting
from tracediag.trace.calls import CHILD_WAITS, EXITS, FUTEXES, NEVER_WAIT, POLLS, SELECTS
from tracediag.trace.events import Begun, Syscall

_SHOWN = 3
"""Descriptors that a poll waits for, of which the object names so many."""
_LONGEST = 120
"""Characters of the text of a call, and of a name."""
_BY_NUMBER = frozenset({"kill", "tgkill", "setpgid", "prlimit64", "getpgid", "getsid", "process_vm_readv"})
"""Calls whose first argument is a number of another kind than a descriptor."""
_SYSTEM_V = {
    "semop": "semaphore set",
    "semtimedop": "semaphore set",
    "semtimedop_time64": "semaphore set",
    "msgsnd": "message queue",
    "msgrcv": "message queue",
}
"""Calls whose first argument identifies an object of sysvipc(7); it may equal the number of a descriptor."""


def standing(kernel: Kernel) -> tuple[Waiting, ...]:
    """Return the calls that have not returned when the trace ends, like calls of one process once.

    Where a look at /proc shows what threads wait for, those that only idle in a lock stand at the end.
    """
    found: dict[tuple[Process | None, str, str], Waiting] = {}
    for process, thread, call in _pending(kernel):
        what = _object(process, call)
        # Of processes without a birth those in one futex are threads of one, to which strace was attached.
        key = (None if process.started is None and call.name in FUTEXES else process, call.name, what)
        if (known := found.get(key)) is not None:
            found[key] = msgspec.structs.replace(known, threads=known.threads + 1)
            continue
        found[key] = Waiting(
            process=process_name(process),
            pid=thread.tid,
            call=call.name,
            object=what,
            text=_cut(call.text),
            line=call.line,
            since=call.time,
            reason=explained(Standing(kernel, process, thread, call)),
            stack=_stack(kernel, thread, first=not found),
        )
    return tuple(found.values()) if kernel.known is None else tuple(_ordered(kernel, list(found.values())))


def _ordered(kernel: Kernel, waits: list[Waiting]) -> Iterator[Waiting]:
    """Yield first what says something; of many threads of a process that idle, one entry with their number."""
    idle = {each for each in waits if _idles(kernel, each)}
    yield from (each for each in waits if each not in idle)
    pools: dict[tuple[str, str], list[Waiting]] = {}
    for each in waits:
        if each in idle:
            pools.setdefault((each.process, each.call), []).append(each)
    for pool in pools.values():
        what = pool[0].object if len(pool) == 1 else ""
        yield msgspec.structs.replace(pool[0], object=what, threads=sum(each.threads for each in pool))


def _idles(kernel: Kernel, wait: Waiting) -> bool:
    """Whether a thread waits in futex for whatever thread has work for it, as far as /proc shows."""
    name = standing_in(kernel, wait.pid) if wait.call == "restart_syscall" else wait.call
    chain = blocked_by(kernel, wait.pid, wait.call)
    if chain is None:
        return name in FUTEXES
    return chain.links[0].kind == "threads" and f"(pid {wait.pid})" not in wait.process


def _stack(kernel: Kernel, thread: Thread, *, first: bool) -> tuple[str, ...]:
    """Return the frames of a thread; with the first thread, those of goroutines, which have no tid."""
    stacks = {} if kernel.known is None else kernel.known.stacks
    return stacks.get(thread.tid or -1, ()) or (stacks.get(0, ()) if first else ())


def _pending(kernel: Kernel) -> Iterator[tuple[Process, Thread, Syscall | Begun]]:
    for process in kernel.processes:
        for thread in process.threads if process.exit is None else ():
            call = thread.pending
            if call is not None and call.name not in EXITS and call.name not in NEVER_WAIT:
                yield process, thread, call


def _object(process: Process, call: Syscall | Begun) -> str:
    """Return what a call acts on: a descriptor, a child, a path; "" where that is not known."""
    if call.name in CHILD_WAITS:
        return _child(process, call.number(1 if call.name == "waitid" else 0))
    if call.name in FUTEXES:
        return call.body.partition(",")[0]
    if call.name in POLLS or call.name in SELECTS:
        return _polled(process, call)
    if call.name == "restart_syscall":
        return call.body.strip("<>. ")
    number = call.number(0)
    if call.name in _SYSTEM_V:
        return "" if number is None else f"{_SYSTEM_V[call.name]} {number}"
    if number is not None and number >= 0 and call.name not in _BY_NUMBER:
        return _descriptor(process, number)
    named = target(call) if isinstance(call, Syscall) else call.path(0)
    return "" if named is None else _cut(named)


def _descriptor(process: Process, number: int) -> str:
    held = process.table.open.get(number)
    return f"fd {number}" if held is None else _cut(name(held))


def _child(process: Process, number: int | None) -> str:
    if number is None or number > 0:
        child = None if number is None else process.children.get(number)
        return "" if number is None else f"child {number}" if child is None else f"child {process_name(child)}"
    running = [child for child in process.children.values() if child.exit is None]
    return f"child {process_name(running[0])}" if len(running) == 1 else "any child"


def _polled(process: Process, call: Syscall | Begun) -> str:
    known = [_descriptor(process, number) for number in watched(call)]
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(known[:_SHOWN]) + more


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
