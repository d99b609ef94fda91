"""What is known of the traced processes besides the trace: their descriptors, threads, locks and stacks.

values      parts of the document `TRACE.proc.json`, as frozen structs
moments     the document: what the processes were before the tracing and after it
files       reads and writes it, and finds the one beside a trace
stacks      the stacks that a debugger printed
listings    the descriptors that ls, lsof or ss printed
"""

from tracediag.snapshot.files import SnapshotError, beside, load, store
from tracediag.snapshot.moments import Moment, Snapshot, resumed
from tracediag.snapshot.values import (
    Futex,
    Held,
    Holder,
    Ipc,
    Lock,
    Mount,
    Mounts,
    ProcessState,
    Registered,
    SocketState,
    ThreadState,
    unmapped,
)

__all__ = [
    "Futex",
    "Held",
    "Holder",
    "Ipc",
    "Lock",
    "Moment",
    "Mount",
    "Mounts",
    "ProcessState",
    "Registered",
    "Snapshot",
    "SnapshotError",
    "SocketState",
    "ThreadState",
    "beside",
    "load",
    "resumed",
    "store",
    "unmapped",
]
