"""What stands in memory behind the arguments of a waiting call: descriptors, a path, an address, a semaphore.

The layouts are those of poll(2), select(2), semop(2), unix(7).
"""

from __future__ import annotations

import ctypes
import struct

import msgspec

from tracediag.recording.proc.memory import Memory
from tracediag.recording.proc.texts import link, text
from tracediag.snapshot import Ipc, Registered, ThreadState

_POLLIN, _POLLOUT = 1, 4
_MOST = 1024
"""Descriptors of one poll, and of one set of select."""
_SELECTS = frozenset({"select", "pselect6"})
_POLLS = frozenset({"poll", "ppoll"})
_SEMAPHORES = frozenset({"semop", "semtimedop"})
_QUEUES = frozenset({"msgsnd", "msgrcv"})
_PATHS = {
    "open": 0, "creat": 0, "stat": 0, "lstat": 0, "access": 0, "chdir": 0, "mkdir": 0, "rmdir": 0, "unlink": 0,
    "readlink": 0, "statfs": 0, "execve": 0, "rename": 0, "umount2": 0, "mount": 1, "openat": 1, "newfstatat": 1,
    "faccessat": 1, "faccessat2": 1, "statx": 1, "unlinkat": 1, "mkdirat": 1, "readlinkat": 1,
}  # fmt: skip
"""Calls with a path, and which argument it is."""
_GETPID, _GETVAL = 11, 12


def refined(thread: ThreadState, pid: int, memory: Memory) -> ThreadState:
    """Return a thread with what the memory of its process shows of the call in which it stands."""
    call, arguments = thread.call, thread.arguments
    if len(arguments) < 6:  # proc_pid_syscall(5) shows six, or none
        return thread
    if call in _POLLS:
        return msgspec.structs.replace(thread, watches=_polled(arguments, memory))
    if call in _SELECTS:
        return msgspec.structs.replace(thread, watches=_selected(arguments, memory))
    if call in _PATHS:
        return msgspec.structs.replace(thread, path=memory.string(arguments[_PATHS[call]]))
    if call == "rt_sigtimedwait":
        return msgspec.structs.replace(thread, asked=int.from_bytes(memory.read(arguments[0], 8), "little"))
    if call == "connect":
        return msgspec.structs.replace(thread, path=_unix_path(arguments, memory))
    if call in _SEMAPHORES | _QUEUES and link(f"/proc/{pid}/ns/ipc") == link("/proc/self/ns/ipc"):
        ipc = _semaphore(arguments, memory) if call in _SEMAPHORES else _queue(arguments[0], sends=call == "msgsnd")
        return msgspec.structs.replace(thread, ipc=ipc)
    return thread


def _polled(arguments: tuple[int, ...], memory: Memory) -> tuple[Registered, ...]:
    """Return the entries of an array of struct pollfd: int fd, short events, short revents."""
    data = memory.read(arguments[0], 8 * min(arguments[1], _MOST))
    entries = struct.iter_unpack("ihh", data[: len(data) // 8 * 8])
    return tuple(Registered(fd, events & 0xFFFF, 0) for fd, events, _ in entries if fd >= 0)


def _selected(arguments: tuple[int, ...], memory: Memory) -> tuple[Registered, ...]:
    """Return the bits of the sets for reading and writing."""
    count, found = min(arguments[0], _MOST), dict[int, int]()
    for address, event in ((arguments[1], _POLLIN), (arguments[2], _POLLOUT)):
        data = memory.read(address, (count + 63) // 64 * 8) if address else b""
        bits = int.from_bytes(data, "little")
        for fd in range(count):
            if bits >> fd & 1:
                found[fd] = found.get(fd, 0) | event
    return tuple(Registered(fd, events, 0) for fd, events in found.items())


def _unix_path(arguments: tuple[int, ...], memory: Memory) -> str:
    """Return the path of a unix socket that a connect asks for, "@" first where it is abstract; "" for another."""
    data = memory.read(arguments[1], min(arguments[2], 110))
    if len(data) < 3 or struct.unpack("H", data[:2])[0] != 1:
        return ""
    name = b"@" + data[3:] if data[2] == 0 else data[2:].partition(b"\0")[0]
    return name.decode(errors="backslashreplace")


def _semaphore(arguments: tuple[int, ...], memory: Memory) -> Ipc | None:
    """Return the semaphore of the first operation of semop that cannot be done, with its value: semctl(2)."""
    ident, libc = arguments[0], ctypes.CDLL(None)
    for place in range(min(arguments[2], 16)):
        data = memory.read(arguments[1] + 6 * place, 6)
        if len(data) < 6:
            break
        index, operation, _ = struct.unpack("Hhh", data)
        value = libc.semctl(ident, index, _GETVAL)
        if value >= 0 and (value != 0 if operation == 0 else value + operation < 0):
            last = max(libc.semctl(ident, index, _GETPID), 0)
            return Ipc("semaphore", ident, _key("sem", ident), number=index, value=value, asked=operation, last=last)
    return None


def _queue(ident: int, *, sends: bool) -> Ipc | None:
    for words in _rows("msg"):
        if words[1] == str(ident):
            last = int(words[6 if sends else 5])  # lrpid: the last that took a message; lspid: the last that sent one
            return Ipc("queue", ident, int(words[0]) & 0xFFFF_FFFF, value=int(words[4]), last=last)
    return None


def _key(kind: str, ident: int) -> int:
    return next((int(words[0]) & 0xFFFF_FFFF for words in _rows(kind) if words[1] == str(ident)), 0)


def _rows(kind: str) -> list[list[str]]:
    """Return the rows of /proc/sysvipc/{sem,msg}: key, id, permissions, and so on; proc_sysvipc(5)."""
    return [words for line in text(f"/proc/sysvipc/{kind}").splitlines()[1:] if len(words := line.split()) > 7]
