"""The other ends of unix sockets, and the bytes that wait in them: sock_diag(7), which /proc/net/unix lacks."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator

import msgspec

from tracediag.recording.proc.texts import link
from tracediag.snapshot import SocketState

_SOCK_DIAG, _BY_FAMILY, _DONE = 4, 20, 3
_DUMP = 0x301
"""NLM_F_REQUEST and NLM_F_DUMP."""
_SHOW = 0x14
"""UDIAG_SHOW_PEER and UDIAG_SHOW_RQLEN."""
_PEER, _RQLEN = 2, 4
_MOST = 1 << 16
_PATIENCE = 1.0


def with_peers(sockets: Iterable[SocketState], pid: int | str) -> list[SocketState]:
    """Return sockets, the unix ones with their peers; as they are where the process is in another namespace."""
    known = list(sockets)
    if link(f"/proc/{pid}/ns/net") != link("/proc/self/ns/net"):
        return known
    found = {inode: (peer, queued) for inode, peer, queued in _asked()}
    return [
        msgspec.structs.replace(one, peer_inode=found[one.inode][0], queued=found[one.inode][1])
        if one.protocol.startswith("UNIX") and one.inode in found
        else one
        for one in known
    ]


def _asked() -> Iterator[tuple[int, int, int]]:
    """Yield inode, inode of the peer, and bytes to read of each unix socket; nothing where the kernel refuses."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as asking:
            asking.settimeout(_PATIENCE)
            body = struct.pack("BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFF_FFFF, 0, _SHOW, 0, 0)
            asking.send(struct.pack("IHHII", 16 + len(body), _BY_FAMILY, _DUMP, 1, os.getpid()) + body)
            for _ in range(_MOST):
                data = asking.recv(_MOST)
                yield from _messages(data)
                if _is_last(data):
                    return
    except OSError:
        return


def _parts(data: bytes, header: int) -> Iterator[tuple[int, bytes]]:
    """Yield the type and body of each message (header of 16 bytes) or attribute (of 4), which begin with the length."""
    while len(data) >= header:
        size, kind = struct.unpack("IH", data[:6]) if header == 16 else struct.unpack("HH", data[:4])
        if size < header:
            return
        yield kind, data[header:size]
        data = data[(size + 3) // 4 * 4 :]


def _is_last(data: bytes) -> bool:
    return any(kind != _BY_FAMILY for kind, _ in _parts(data, 16))


def _messages(data: bytes) -> Iterator[tuple[int, int, int]]:
    for kind, body in _parts(data, 16):
        if kind == _BY_FAMILY and len(body) >= 16:
            said = {number: value for number, value in _parts(body[16:], 4) if len(value) >= 4}
            peer, queued = (struct.unpack("I", said.get(number, bytes(4))[:4])[0] for number in (_PEER, _RQLEN))
            yield struct.unpack("I", body[4:8])[0], peer, queued
