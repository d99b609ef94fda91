"""What ends a wait for a thread or a child; and what shows where the threads of a program are."""

from __future__ import annotations

from tracediag.evidence.names import process_name, program_name
from tracediag.evidence.waits import Standing, is_endless, joined
from tracediag.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.trace.calls import CHILD_WAITS, FUTEXES, NEVER_WAIT
from tracediag.trace.quantities import every
from tracediag.trace.values import names_of

_COUNTED = 256
"""Threads of a process; of more it is not said what all do, since each of them would be compared with all."""
_STACKS = "gdb -p {} -batch -ex 'thread apply all bt'"
_DUMPS = {
    "python": "py-spy dump --pid {}",
    "java": "jstack {}",
    "dotnet": "dotnet-stack report -p {}",
    "ruby": "rbspy dump --pid {}",
    "node": "node inspect -p {}",
}
"""What shows the stacks of a program in its own language, by the beginning of the name of its program."""
_CHAIN = 8
"""Children that are followed down to the one that does not wait for another."""


def of_futex(standing: Standing) -> str:
    """Return what ends a wait in futex, and what to type to see where the threads are; "" for a call that wakes."""
    asked = " ".join(names_of(standing.call.arg(1)))
    if "WAKE" in asked and "WAIT" not in asked:
        return ""
    threads = list(standing.process.threads)
    if standing.process.started is None:  # threads that ran before the trace may each stand there as a process
        known = standing.kernel.process_table.threads.values()
        threads = [each for each in known if each.process.started is None] or threads
    del threads[_COUNTED:]
    waiting = (
        0
        if len(threads) == _COUNTED
        else sum(each.pending is not None and each.pending.name in FUTEXES for each in threads)
    )
    if len(threads) > 1 and waiting == len(threads):
        ending = f"{every(waiting)} threads of the trace wait in futex: a deadlock, or the program has no work"
    else:
        other = "another thread" if "PRIVATE" in asked else "another thread, or another process,"
        ending = f"it waits until {other} wakes it: a lock is released, a condition signalled or a thread ends"
    ended = joined(standing.call)
    if ended is not None and any(each.tid == ended for each in standing.kernel.process_table.threads.values()):
        ending = f"it waits until thread {ended} ends (pthread_join)"
    timed = "" if is_endless(standing.call) else "; the wait has a timeout"
    stacks = (
        f"; {stacks_of(standing.kernel, standing.process, standing.thread.tid)}"
        if standing.process.exit is None
        else ""
    )
    return f"{ending}{timed}{stacks}"


def stacks_of(kernel: Kernel, process: Process, tid: int | None) -> str:
    """Return what to type to see where the threads of a process are, in the language of its program."""
    moment = None if kernel.known is None else kernel.known.latest
    state = None if moment is None else moment.process_of(tid)
    pid = process.pid or "PID"
    if state is not None and state.language == "go":
        return f"dlv attach {state.pid} shows where its goroutines are; so does kill -QUIT {state.pid}, which ends it"
    program = program_name(process.program) or ""
    command = next((say for name, say in _DUMPS.items() if program.startswith(name)), _STACKS)
    return f"{command.format(pid)} shows where"


def of_child(standing: Standing) -> str:
    """Return which child a call waits for, and where that child stands."""
    number = standing.call.number(1 if standing.call.name == "waitid" else 0)
    named = standing.process.children.get(number) if number is not None and number > 0 else None
    alive = [child for child in standing.process.children.values() if child.exit is None]
    child = named or (alive[0] if len(alive) == 1 else None)
    if child is None:
        more = f", of which {len(alive)} run" if len(alive) > 1 else ""
        return f"it waits until a child ends{more}"
    for _ in range(_CHAIN):
        below = _waited_child(child)
        if below is None:
            break
        child = below
    pending = (each.pending for each in child.threads)
    call = next((each for each in pending if each is not None and each.name not in NEVER_WAIT), None)
    where = "" if call is None else f", which stands in {call.name} since line {call.line:,}"
    return f"it waits until child {process_name(child)} ends{where}"


def _waited_child(process: Process) -> Process | None:
    """Return the child that a process waits for itself."""
    for thread in process.threads:
        call = thread.pending
        if call is not None and call.name in CHILD_WAITS:
            alive = [child for child in process.children.values() if child.exit is None]
            return process.children.get(call.number(0) or 0) or (alive[0] if len(alive) == 1 else None)
    return None
