"""The descriptors of a process: /proc/PID/fd and /proc/PID/fdinfo, proc_pid_fdinfo(5)."""

from __future__ import annotations

from tracediag.recording.proc.texts import fields, link, number, numbers, text
from tracediag.snapshot import Held, Registered

_MOST = 20_000
"""Descriptors of one process."""
_FIELDS_OF_MOUNTINFO = 3
_LONGEST = 2000
MASTERS = ("/dev/ptmx", "/dev/pts/ptmx")
"""The other side of each pseudoterminal: pty(7)."""
_TELLING = {
    "eventfd": ("eventfd-count",),
    "timerfd": ("it_value", "it_interval", "ticks"),
    "signalfd": ("sigmask",),
    "pidfd": ("Pid",),
}


def descriptors_of(pid: int) -> tuple[Held, ...]:
    """Return what a process has open."""
    devices = _devices(pid)
    known = (_held(pid, fd, devices) for fd in numbers(f"/proc/{pid}/fd")[:_MOST])
    return tuple(held for held in known if held is not None)


def _held(pid: int, fd: int, devices: dict[str, str]) -> Held | None:
    target = link(f"/proc/{pid}/fd/{fd}")
    if not target:
        return None
    content = text(f"/proc/{pid}/fdinfo/{fd}")
    info = fields(content)
    return Held(
        number=fd,
        target=target,
        flags=number(info["flags"], 8) if "flags" in info else None,
        inode=number(info["ino"]) if "ino" in info else None,
        device=devices.get(info.get("mnt_id", ""), "") if target.startswith("/") else "",
        epoll=tuple(filter(None, map(_registered, content.splitlines()))) if "eventpoll" in target else (),
        details=_details(target, content),
    )


def _details(target: str, content: str) -> dict[str, str]:
    """Return the lines of fdinfo that only this kind of descriptor has; each watch of inotify is one line."""
    kind = target.removeprefix("anon_inode:").strip("[]")
    if kind == "inotify":
        return {"watches": "; ".join(line for line in content.splitlines() if line.startswith("inotify "))[:_LONGEST]}
    info = fields(content)
    if target in MASTERS and "tty-index" in info:
        return {"terminal": f"/dev/pts/{info['tty-index']}"}
    return {name: info[name] for name in _TELLING.get(kind, ()) if name in info}


def _registered(line: str) -> Registered | None:
    """Return the entry of an epoll set: "tfd: 5 events: 19 data: 5 pos:0 ino:9 sdev:8"; events and data are hex."""
    words = line.replace(":", " ").split()
    if len(words) < 6 or words[0] != "tfd":
        return None
    return Registered(number(words[1]), number(words[3], 16), number(words[5], 16))


def _devices(pid: int) -> dict[str, str]:
    """Return the device of each mount, by the id of the mount, as /proc/locks writes it: proc_pid_mountinfo(5)."""
    found = {}
    for line in text(f"/proc/{pid}/mountinfo").splitlines():
        words = line.split()
        if len(words) >= _FIELDS_OF_MOUNTINFO:
            major, _, minor = words[2].partition(":")
            found[words[0]] = f"{number(major):02x}:{number(minor):02x}"
    return found
