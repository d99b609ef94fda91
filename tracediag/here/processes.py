"""Whether a process that a call names by its number runs now, and which user it belongs to: kill(2)."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.here.paths import user
from tracediag.recording.proc.texts import fields, number, text
from tracediag.trace.events import Call

_PLACES = {
    "kill": 0, "tgkill": 0, "tkill": 0, "pidfd_open": 0, "prlimit64": 0, "process_vm_readv": 0, "process_vm_writev": 0,
    "ptrace": 1, "setpriority": 1, "setpgid": 0, "sched_setaffinity": 0, "sched_setscheduler": 0, "sched_setparam": 0,
}  # fmt: skip
"""Calls that act on a process, and which argument names it."""


def process_asked(call: Call) -> int | None:
    """Return the process that a call acts on by its number; None for a call on no other process."""
    asked = call.number(_PLACES[call.name]) if call.name in _PLACES else None
    return asked if asked is not None and asked > 0 else None


def process_facts(pid: int) -> Iterator[str]:
    """Yield what the host shows of a process; its number may have been given to another one since."""
    status = fields(text(f"/proc/{pid}/status"))
    if not status:
        yield f"no process {pid} runs now"
        return
    uid = number((status.get("Uid", "").split() or ["0"])[0])
    yield f"process {pid} is {status.get('Name', '?')}, of user {user(uid)}, state {status.get('State', '?')}"
    if tracer := number(status.get("TracerPid", "")):
        yield f"process {tracer} ({text(f'/proc/{tracer}/comm').strip()}) traces it"
