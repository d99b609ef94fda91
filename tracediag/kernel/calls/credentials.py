"""Users, groups, process groups, sessions, seccomp: setuid(2), setgroups(2), setpgid(2), setsid(2), seccomp(2)."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.calls.making import listener
from tracediag.kernel.credentials import Groups, Ids, Seccomp, Terminal
from tracediag.kernel.handlers import handles
from tracediag.kernel.process import Process
from tracediag.trace.events import Syscall
from tracediag.trace.values import Value, items_of, names_of, number_of

_UNCHANGED = 0xFFFFFFFF
"""-1 as some versions of strace print it: leave this id unchanged."""


def _wide(*names: str) -> tuple[str, ...]:
    """Return the names of calls, with the 32-bit id variants of old 32-bit machines: getuid32."""
    return (*names, *(f"{name}32" for name in names))


def _store(process: Process, name: str, ids: Ids) -> None:
    if "uid" in name:
        process.uids = ids
    else:
        process.gids = ids


def _of(process: Process, name: str) -> Ids:
    return process.uids if "uid" in name else process.gids


@handles(*_wide("getuid", "getgid", "geteuid", "getegid"))
def get_one(action: Action, call: Syscall) -> None:
    """Record the real or the effective id that the call returns."""
    if call.result is not None and call.result >= 0:
        effective = call.name.startswith("gete")
        ids = (None, call.result, None) if effective else (call.result, None, None)
        _store(action.process, call.name, _of(action.process, call.name).set_three(*ids))


@handles(*_wide("getresuid", "getresgid"))
def get_three(action: Action, call: Syscall) -> None:
    """Record the real, effective and saved ids that the call returns."""
    if call.result == 0:
        values = [next(iter(items_of(call.arg(place))), None) for place in range(3)]
        real, effective, saved = (number_of(value) for value in values)
        _store(action.process, call.name, _of(action.process, call.name).set_three(real, effective, saved))


@handles(*_wide("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid"))
def set_ids(action: Action, call: Syscall) -> None:
    """Apply a change of the process's user or group ids."""
    if call.result != 0:
        return
    given = [_given(call.number(place)) for place in range(3)]
    ids = _of(action.process, call.name)
    if "res" in call.name:
        ids = ids.set_three(*given)
    elif "setre" in call.name:
        ids = ids.set_two(given[0], given[1])
    elif given[0] is not None:
        # For group ids too, privilege is decided by the user id.
        user = action.process.uids.effective
        ids = ids.set_one(given[0], root=None if user is None else user == 0)
    if "uid" in call.name:
        action.process.user_since = call.line
    _store(action.process, call.name, ids)


def _given(number: int | None) -> int | None:
    return None if number is None or number < 0 or number == _UNCHANGED else number


@handles(*_wide("getgroups", "setgroups"))
def groups(action: Action, call: Syscall) -> None:
    """Record the supplementary groups; getgroups with a size of 0 only returns how many there are."""
    reads, result = call.name.startswith("get"), call.result
    if result is None or result < 0 or (reads and result > 0 and call.number(0) == 0):
        return
    size = result if reads else call.number(0)
    numbers = tuple(number_of(item) for item in items_of(call.arg(1)))
    shown = tuple(number for number in numbers if number is not None)
    known = shown if len(shown) == size else None
    if reads:
        action.process.groups = Groups(known, action.process.groups.set_by)
    else:
        action.process.groups = Groups(known, call)


def _target(action: Action, pid: int | None) -> Process | None:
    """Return the process that a pid argument refers to; 0 is the caller."""
    if pid in (None, 0) or action.process.is_called(pid):
        return action.process
    thread = action.kernel.process_table.find(pid)
    return None if thread is None else thread.process


@handles("setpgid")
def setpgid(action: Action, call: Syscall) -> None:
    """Move a process, the caller or a child, to a process group; it may lead a new one."""
    target = _target(action, call.number(0))
    if target is not None and call.result == 0:
        target.group = call.number(1) or target.pid


@handles("getpgrp", "getpgid")
def getpgid(action: Action, call: Syscall) -> None:
    """Record the process group that the call returns."""
    target = _target(action, call.number(0) if call.name == "getpgid" else 0)
    if target is not None and call.result is not None and call.result > 0:
        target.group = call.result


@handles("getsid")
def getsid(action: Action, call: Syscall) -> None:
    """Record the session that the call returns."""
    target = _target(action, call.number(0))
    if target is not None and call.result is not None and call.result > 0:
        target.session = call.result


@handles("setsid")
def setsid(action: Action, call: Syscall) -> None:
    """Make the process the leader of a new session without a controlling terminal."""
    if call.result is not None and call.result > 0:
        process = action.process
        process.session = process.group = call.result
        process.terminal = Terminal()


_PRCTL_MODES: dict[int | str, bool] = {1: True, "SECCOMP_MODE_STRICT": True, 2: False, "SECCOMP_MODE_FILTER": False}
_SECCOMP_MODES: dict[int | str, bool] = {
    0: True,
    "SECCOMP_SET_MODE_STRICT": True,
    1: False,
    "SECCOMP_SET_MODE_FILTER": False,
}
"""Operations that install strict mode (True) or a filter, by number and name: strace <= 4.8 prints 0x2."""


@handles("prctl")
def control_process(action: Action, call: Syscall) -> None:
    """Record the seccomp filter or strict mode that prctl(PR_SET_SECCOMP) installs."""
    if call.body.startswith("PR_SET_SECCOMP"):
        _confine(action.process, call, call.arg(1), _PRCTL_MODES)


@handles("seccomp")
def seccomp(action: Action, call: Syscall) -> None:
    """Record the seccomp filter or strict mode that seccomp(2) installs."""
    _confine(action.process, call, call.arg(0), _SECCOMP_MODES)
    listener(action, call)


def _confine(process: Process, call: Syscall, mode: Value | None, modes: dict[int | str, bool]) -> None:
    given = (number_of(mode), *names_of(mode))
    strict = next((modes[word] for word in given if word in modes), None)
    if strict is not None and not call.failed:
        process.seccomp = Seccomp(call, strict)
