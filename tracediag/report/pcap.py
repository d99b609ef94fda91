"""Writes the data of connections as a capture that Wireshark and tshark open: pcap with raw IP packets.

The packets are made up, only their data is real: addresses as far as the trace shows them, else 127.0.0.1 with ports
of their own, also for unix sockets and pipes, which have no packets. A handshake precedes the data of each stream and
FIN or RST follows. Bytes that strace cut off are treated as a capture treats them that was made with a short snapshot
length: the packet has its full length, the file only its beginning. Format: pcap-savefile(5), LINKTYPE_RAW.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Sequence

import msgspec

from tracediag.report.streams import Flow, flows
from tracediag.results.following import End
from tracediag.trace.numbers import integer

_MAGIC, _RAW, _SNAPLEN = 0xA1B2C3D4, 101, 262144
_MOST = 65000
"""Bytes of data in one packet."""
_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_TCP, _UDP = 6, 17
_FIRST_PORT = 40000
"""Ports that are made up count from here."""


class _Side(msgspec.Struct):
    """One side of a connection."""

    host: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    next: int = 1000
    """The sequence number of its next byte."""
    closed: bool = False


def capture(ends: Sequence[End]) -> bytes:
    """Return the capture of the data that the ends moved."""
    packets = [packet for group in _connections(ends) for packet in _Connection(group).packets()]
    packets.sort(key=_time)
    header = struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, _SNAPLEN, _RAW)
    return header + b"".join(_record(time, packet, length) for time, packet, length in packets)


Packet = tuple[float, bytes, int]
"""Time, the bytes that are stored, and the length that the packet has."""


def _time(packet: Packet) -> float:
    return packet[0]


def _record(time: float, packet: bytes, length: int) -> bytes:
    micros = max(round(time * 1_000_000), 0)
    seconds, rest = divmod(micros, 1_000_000)
    return struct.pack("<IIII", seconds & 0xFFFFFFFF, rest, len(packet), length) + packet


def _connections(ends: Sequence[End]) -> list[list[End]]:
    """Group the ends: both ends of a connection together."""
    groups: dict[str, list[End]] = {}
    for number, end in enumerate(ends):
        key = min(end.name, end.other) if end.other and end.name else end.name or f"#{number}"
        groups.setdefault(key, []).append(end)
    return list(groups.values())


class _Connection:
    """One connection, pipe or datagram socket as packets."""

    def __init__(self, ends: list[End]) -> None:
        self._ends = ends
        self._flows = flows(ends)
        self._first = ends[0]
        self._made = 0
        self._here = self._side(self._first.local)
        self._there = self._side(ends[1].local if len(ends) > 1 and not self._first.peer else self._first.peer)
        if self._here.host.version != self._there.host.version:
            self._here.host = self._there.host = ipaddress.IPv4Address("127.0.0.1")
        self._clock = 0.0

    def packets(self) -> Iterator[Packet]:
        """Yield the packets in order."""
        if not self._flows:
            return
        if not self._first.datagrams:
            yield from self._handshake()
        for flow in self._flows:
            here, there = self._sides(flow)
            self._at(flow.chunk.time)
            for data, length in _segments(flow):
                if self._first.datagrams:
                    yield self._packet(here, there, _UDP, _udp(here, there, length) + data, 8 + length)
                else:
                    yield self._tcp(here, there, _PSH | _ACK, data, length)
        if not self._first.datagrams:
            yield from self._closings()

    def _side(self, address: str | None) -> _Side:
        """Return a side by its address; one that is made up if it has none of the internet."""
        self._made += 1
        host, colon, port = (address or "").rpartition(":")
        number = integer(port) if colon else None
        try:
            return _Side(ipaddress.ip_address(host.strip("[]")), (number or 0) & 0xFFFF)
        except ValueError:
            line = self._first.line or 0
            return _Side(ipaddress.IPv4Address("127.0.0.1"), (_FIRST_PORT + 2 * line + self._made) & 0xFFFF)

    def _sides(self, flow: Flow) -> tuple[_Side, _Side]:
        """Return sender and receiver of a flow."""
        mine = flow.end is self._first or len(self._ends) == 1
        outward = flow.outward if mine else not flow.outward
        far = self._there
        if self._first.datagrams and flow.chunk.address is not None:
            far = self._side(flow.chunk.address)
        return (self._here, far) if outward else (far, self._here)

    def _at(self, time: float | None) -> None:
        """Move the clock to a time; never back, and on by a microsecond where the trace shows none."""
        self._clock = max(self._clock + 1e-6, time or 0.0)

    def _handshake(self) -> Iterator[Packet]:
        self._at(self._first.time or self._flows[0].chunk.time)
        client, server = (self._there, self._here) if self._first.accepted else (self._here, self._there)
        yield self._tcp(client, server, _SYN, b"", 0)
        client.next += 1
        yield self._tcp(server, client, _SYN | _ACK, b"", 0)
        server.next += 1
        yield self._tcp(client, server, _ACK, b"", 0)

    def _closings(self) -> Iterator[Packet]:
        for end in sorted((end for end in self._ends if end.closed_line is not None), key=_closed_line):
            here, there = (self._here, self._there) if end is self._first else (self._there, self._here)
            self._at(end.closed_time)
            yield self._tcp(here, there, _FIN | _ACK, b"", 0)
            here.next += 1

    def _tcp(self, here: _Side, there: _Side, flags: int, data: bytes, length: int) -> Packet:
        ack = there.next if flags & _ACK else 0
        head = struct.pack(
            ">HHIIBBHHH", here.port, there.port, here.next & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 4, flags, 65535, 0, 0
        )
        if len(data) == length:
            check = _checksum(_pseudo(here, there, _TCP, 20 + length) + head + data)
            head = head[:16] + struct.pack(">H", check) + head[18:]
        here.next += length
        return self._packet(here, there, _TCP, head + data, 20 + length)

    def _packet(self, here: _Side, there: _Side, protocol: int, payload: bytes, length: int) -> Packet:
        self._clock += 1e-6
        if here.host.version == 6:
            head = struct.pack(">IHBB", 6 << 28, length, protocol, 64) + here.host.packed + there.host.packed
        else:
            head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, protocol, 0)
            head += here.host.packed + there.host.packed
            head = head[:10] + struct.pack(">H", _checksum(head)) + head[12:]
        return self._clock, head + payload, len(head) + length


def _closed_line(end: End) -> int:
    return end.closed_line or 0


def _segments(flow: Flow) -> Iterator[tuple[bytes, int]]:
    """Yield the data of a call in packets, each as its shown beginning and its length: a gap is at the end of one."""
    for piece in flow.chunk.pieces:
        data, missing = piece.data, piece.missing
        while len(data) > _MOST:
            yield data[:_MOST], _MOST
            data = data[_MOST:]
        part = min(missing, _MOST - len(data))
        if data or part:
            yield data, len(data) + part
        missing -= part
        while missing > 0:
            part = min(missing, _MOST)
            yield b"", part
            missing -= part


def _udp(here: _Side, there: _Side, length: int) -> bytes:
    return struct.pack(">HHHH", here.port, there.port, 8 + length, 0)


def _pseudo(here: _Side, there: _Side, protocol: int, length: int) -> bytes:
    """Return what precedes the segment in its checksum: RFC 9293, RFC 8200."""
    return here.host.packed + there.host.packed + struct.pack(">II", length, protocol)


def _checksum(data: bytes) -> int:
    """Return the internet checksum: RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
