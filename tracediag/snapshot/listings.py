"""What was open before a trace, from a listing that the user made: `--fds FILE`.

ls -l /proc/PID/fd     lrwx------ 1 root root 64 Nov 28 12:00 3 -> socket:[123]
lsof -nP [-p PID]      nginx 12 root 6u IPv4 4711 0t0 TCP 127.0.0.1:80 (LISTEN)
ss -tanp               LISTEN 0 511 127.0.0.1:80 0.0.0.0:* users:(("nginx",pid=12,fd=6))

`ls` names no process: where no line "/proc/PID/fd:" does, the listing is taken for that of the only process.
"""

from __future__ import annotations

import re
from pathlib import Path

from tracediag.snapshot.files import SnapshotError
from tracediag.snapshot.moments import Moment
from tracediag.snapshot.values import Held, ProcessState, SocketState, ThreadState

_MOST = 64 << 20
"""Bytes that are read."""
_FOLDER = re.compile(r"/proc/(?P<pid>[0-9]{1,9})(?:/task/[0-9]{1,9})?/fd/?:$")
_LS = re.compile(r"l(?P<read>[r-])(?P<write>[w-])\S{1,9} .{0,200}? (?P<number>[0-9]{1,9}) -> (?P<target>.{1,4200})$")
_LSOF = re.compile(
    r"(?P<name>\S{1,64}) +(?P<pid>[0-9]{1,9}) +(?:[0-9]{1,9} +\S{1,64} +)?\S{1,64} +"
    r"(?P<number>[0-9]{1,9})(?P<mode>[rwu-])\S{0,2} +(?P<type>\S{1,16}) +(?P<rest>[^\n]{1,4400})$"
)
_SS = re.compile(
    r"(?:(?P<netid>tcp|udp) +)?(?P<state>[A-Z-]{3,16}) +[0-9]{1,9} +[0-9]{1,9} +"
    r"(?P<local>\S{1,80}) +(?P<peer>\S{1,80})(?P<rest>[^\n]{0,4000})"
)
_USER = re.compile(r'\("(?P<name>[^"]{0,64})",pid=(?P<pid>[0-9]{1,9}),fd=(?P<fd>[0-9]{1,9})\)')
_MODES = {"r": 0, "w": 1, "u": 2}
_STATES = {"ESTAB": "ESTABLISHED"}
_LSOF_INTERNET = re.compile(
    r"(?P<device>[0-9]{1,12}) +\S{1,16} +(?P<protocol>TCP|UDP) (?P<addresses>\S{1,99})(?: \((?P<state>[A-Z_]{1,20})\))?"
)


class _Listing:
    """The processes of a listing, as far as it has been read."""

    def __init__(self) -> None:
        self._held: dict[int, list[Held]] = {}
        self._names: dict[int, str] = {}
        self._sockets: list[SocketState] = []
        self._folder = 0

    def read(self, line: str) -> None:
        """Read one line; a line of no known form is passed over."""
        folder = _FOLDER.match(line)
        if folder is not None:
            self._folder = int(folder["pid"])
        elif (entry := _LS.match(line)) is not None:
            self._ls(entry)
        elif (entry := _LSOF.match(line)) is not None:
            self._lsof(entry)
        elif (entry := _SS.match(line)) is not None:
            self._ss(entry)

    def moment(self) -> Moment | None:
        """Return what the listing shows; None for a text that is none."""
        processes = tuple(
            ProcessState(pid, executable=self._names.get(pid, ""), threads=(ThreadState(pid),), descriptors=tuple(held))
            for pid, held in self._held.items()
        )
        return Moment(0.0, processes, tuple(self._sockets)) if processes else None

    def _add(self, pid: int, number: int, target: str, flags: int | None) -> None:
        self._held.setdefault(pid, []).append(Held(number, target, flags))

    def _ls(self, entry: re.Match[str]) -> None:
        reads, writes = entry["read"] == "r", entry["write"] == "w"
        # The bits show the access mode only; of the status flags nothing is known.
        pipe = entry["target"].startswith("pipe:") and reads != writes
        self._add(self._folder, int(entry["number"]), entry["target"], (0 if reads else 1) if pipe else None)

    def _lsof(self, entry: re.Match[str]) -> None:
        pid, kind, rest = int(entry["pid"]), entry["type"], entry["rest"]
        self._names[pid] = entry["name"]
        words = rest.split(None, 3)
        target = words[-1]
        if kind in ("IPv4", "IPv6"):
            target = self._internet(kind, rest)
        elif kind == "FIFO" and len(words) > 2 and target == "pipe":
            target = f"pipe:[{words[2] if words[2].isdecimal() else words[1]}]"
        elif kind == "a_inode":
            target = f"anon_inode:[{target.strip('[]').partition(':')[0]}]"
        elif kind in ("unix", "sock"):
            inode = next((word for word in reversed(words[:3]) if word.isdecimal()), "0")
            target = f"socket:[{inode}]"
        if target:
            pipe = _MODES.get(entry["mode"]) if target.startswith("pipe:") else None
            self._add(pid, int(entry["number"]), target, pipe)

    def _internet(self, kind: str, rest: str) -> str:
        found = _LSOF_INTERNET.match(rest)
        if found is None:
            return ""
        local, _, peer = found["addresses"].partition("->")
        inode = int(found["device"])
        protocol = found["protocol"] + ("v6" if kind == "IPv6" else "")
        state = found["state"] or ""
        self._sockets.append(SocketState(inode, protocol, _wild(local, kind), peer, state.replace("_", "-")))
        return f"socket:[{inode}]"

    def _ss(self, entry: re.Match[str]) -> None:
        for user in _USER.finditer(entry["rest"]):
            inode = len(self._sockets) + 1  # ss shows inodes only with -e: any number serves that no other has
            state = _STATES.get(entry["state"], entry["state"])
            protocol = (entry["netid"] or "tcp").upper()
            peer = "" if entry["peer"].endswith(":*") else entry["peer"]
            self._sockets.append(SocketState(inode, protocol, entry["local"], peer, state))
            self._names.setdefault(int(user["pid"]), user["name"])
            self._add(int(user["pid"]), int(user["fd"]), f"socket:[{inode}]", None)


def load_listing(path: Path) -> Moment:
    """Read a listing.

    Raises:
        SnapshotError: if the file cannot be read or shows no descriptor in a form that is known.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST).decode(errors="replace")
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or error}") from error
    moment = parse_listing(text)
    if moment is None:
        raise SnapshotError(f"{path}: no listing of ls -l /proc/PID/fd, lsof -nP or ss -tanp")
    return moment


def parse_listing(text: str) -> Moment | None:
    """Return what a listing shows; None where it shows no descriptor."""
    listing = _Listing()
    for line in text.splitlines():
        listing.read(line)
    return listing.moment()


def _wild(address: str, kind: str) -> str:
    """Return the address of a listener as strace shows it: lsof writes "*:80"."""
    host = "[::]" if kind == "IPv6" else "0.0.0.0"
    return address.replace("*", host, 1) if address.startswith("*:") else address
