"""The sockets of a network namespace: /proc/PID/net/tcp and the like, proc_pid_net(5)."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

from tracediag.recording.proc.texts import number, text
from tracediag.snapshot import SocketState

_STATES = (
    "", "ESTABLISHED", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSE", "CLOSE-WAIT",
    "LAST-ACK", "LISTEN", "CLOSING", "NEW-SYN-RECV",
)  # fmt: skip
"""include/net/tcp_states.h."""
_UNIX = {1: "UNIX-STREAM", 2: "UNIX-DGRAM", 5: "UNIX-SEQPACKET"}
_UNIX_STATES = {1: "UNCONNECTED", 2: "CONNECTING", 3: "ESTABLISHED", 4: "DISCONNECTING"}
_ACCEPTS = 0x10000
"""__SO_ACCEPTCON, the flag of a unix socket that listens."""
_MOST = 200_000
_NO_HOSTS = ("0.0.0.0:0", "[::]:0")


def sockets_of(pid: int | str) -> tuple[SocketState, ...]:
    """Return the sockets of the namespace that a process ("self": this one) lives in."""
    found: list[SocketState] = []
    for name, protocol in (("tcp", "TCP"), ("tcp6", "TCPv6"), ("udp", "UDP"), ("udp6", "UDPv6")):
        found += _internet(text(f"/proc/{pid}/net/{name}"), protocol)
    found += _unix(text(f"/proc/{pid}/net/unix"))
    return tuple(found[:_MOST])


def _internet(content: str, protocol: str) -> Iterator[SocketState]:
    for line in content.splitlines()[1:]:
        words = line.split()
        if len(words) < 10:
            continue
        local, peer, state = _address(words[1]), _address(words[2]), number(words[3], 16)
        stream = protocol.startswith("TCP")
        yield SocketState(
            inode=number(words[9]),
            protocol=protocol,
            local=local,
            peer="" if peer in _NO_HOSTS else peer,
            state=_STATES[state] if stream and state < len(_STATES) else "",
            queued=number(words[4].partition(":")[2], 16),
        )


def _address(words: str) -> str:
    """Return an address: "0100007F:1F90" is 127.0.0.1:8080; each group of 4 bytes has the order of the machine."""
    host, _, port = words.partition(":")
    data = bytes.fromhex(host) if len(host) in (8, 32) else b""
    if sys.byteorder == "little":
        data = b"".join(struct.pack(">I", group) for (group,) in struct.iter_unpack("<I", data))
    if len(data) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, data)}:{number(port, 16)}"
    return f"[{socket.inet_ntop(socket.AF_INET6, data)}]:{number(port, 16)}" if data else ""


def _unix(content: str) -> Iterator[SocketState]:
    for line in content.splitlines()[1:]:
        words = line.split(None, 7)
        if len(words) < 7:
            continue
        listens = number(words[3], 16) & _ACCEPTS
        yield SocketState(
            inode=number(words[6]),
            protocol=_UNIX.get(number(words[4], 16), "UNIX"),
            local=words[7] if len(words) > 7 else "",
            state="LISTEN" if listens else _UNIX_STATES.get(number(words[5], 16), ""),
        )
