"""`follow` against what a real program sent: TCP at both ends, a unix socket, a pipe, UDP; its capture in tshark."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from tracediag.overviews.following.life import follow
from tracediag.report.pcap import capture
from tracediag.report.streams import turns

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
pytestmark = needs_strace

PROGRAM = """
import os, socket
question = bytes(range(256)) * 400
answer = b"GET / HTTP/1.1\\r\\n\\r\\n" + b"x" * 70000
def both(left, right):
    child = os.fork()
    if not child:
        left.close()
        got = b""
        while len(got) < len(question): got += right.recv(65536)
        right.sendall(answer)
        os._exit(0)
    right.close()
    left.sendall(question)
    while left.recv(65536): pass
    left.close()
    os.wait()
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
listener.close()
both(client, server)
both(*socket.socketpair())
reader, writer = os.pipe()
os.write(writer, b"through the pipe")
os.read(reader, 100)
udp, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
udp.bind(("127.0.0.1", 0))
other.sendto(b"datagram", udp.getsockname())
udp.recvfrom(100)
"""
QUESTION = bytes(range(256)) * 400
ANSWER = b"GET / HTTP/1.1\r\n\r\n" + b"x" * 70000


@pytest.fixture(scope="module", params=[65536, 20], ids=["whole", "cut"])
def recorded(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "trace"
    strace = ["strace", "-f", "-ttt", "-yy", "-s", str(request.param), "-o", str(path)]
    subprocess.run([*strace, sys.executable, "-c", PROGRAM], check=True, stdin=subprocess.DEVNULL)
    return str(path), request.param


def place(trace, pattern):
    """Return the object of the last call that matches, as `follow` wants it."""
    with open(trace, encoding="latin-1") as lines:  # noqa: PTH123
        found = [
            (number, match[1]) for number, line in enumerate(lines, start=1) if (match := re.search(pattern, line))
        ]
    number, descriptor = found[-1]
    return f"fd {descriptor}@{number}"


OBJECTS = {
    "tcp": r" accept4?\(.* = (\d+)<TCP",
    "unix": r" socketpair\(AF_UNIX.*\[(\d+)<",
    "pipe": r" write\((\d+)<pipe.*through",
}


def sent(life):
    """Return what each direction carried, gaps as zeros, by the name of the sender."""
    found: dict[str, bytes] = {}
    for turn in turns(life.ends):
        data = b"".join(piece.data + bytes(piece.missing) for piece in turn.pieces)
        sender = turn.title.partition(" ")[0]
        found[sender] = found.get(sender, b"") + data
    return found


@pytest.mark.parametrize("kind", OBJECTS)
def test_the_bytes_are_those_that_the_program_sent(recorded, kind):
    trace, shown = recorded
    life = follow(trace, place(trace, OBJECTS[kind]), data=True)
    assert {end.other for end in life.ends} == {"A", "B"}
    carried = sorted(sent(life).values(), key=len)
    real = [b"through the pipe"] if kind == "pipe" else [ANSWER, QUESTION]
    assert list(map(len, carried)) == list(map(len, real))
    if shown > 20 and sum(end.unseen for end in life.ends) == 0:
        assert carried == real
    for got, want in zip(carried, real, strict=True):
        assert got[: min(shown, len(want))] == want[: min(shown, len(want))]
        assert all(mine in (0, theirs) for mine, theirs in zip(got, want, strict=True))


@needs_tshark
@pytest.mark.parametrize("kind", OBJECTS)
def test_tshark_opens_the_capture(recorded, kind, tmp_path):
    trace, _ = recorded
    life = follow(trace, place(trace, OBJECTS[kind]), data=True)
    path = tmp_path / "x.pcap"
    path.write_bytes(capture(life.ends))
    fields = ("tcp.srcport", "tcp.len", "tcp.flags.syn", "tcp.flags.fin", "tcp.analysis.lost_segment", "_ws.malformed")
    shown = tshark(
        path, *(argument for name in fields for argument in ("-e", name)), "-o", "tcp.desegment_tcp_streams:FALSE"
    )
    rows = [line.split("\t") for line in shown.splitlines()]
    assert [row[2] for row in rows[:3]] == ["1", "1", "0"]
    assert not any(row[4] or row[5] for row in rows)
    sizes: dict[str, int] = {}
    for port, size, *_ in rows:
        sizes[port] = sizes.get(port, 0) + int(size)
    real = {"pipe": [0, 16]}.get(kind, [len(ANSWER), len(QUESTION)])
    assert sorted(sizes.values()) == real
    assert sum(int(row[3]) for row in rows) == 2
    if kind == "tcp":  # the client, whose end was not accepted, connects
        assert rows[0][0] == tshark(path, "-e", "tcp.srcport", "-Y", "tcp.flags.syn==1 && tcp.flags.ack==0").strip()


@needs_tshark
def test_the_payload_is_the_data(recorded, tmp_path):
    trace, shown = recorded
    path = tmp_path / "x.pcap"
    path.write_bytes(capture(follow(trace, place(trace, OBJECTS["pipe"]), data=True).ends))
    payload = "".join(tshark(path, "-e", "tcp.payload").split())
    assert bytes.fromhex(payload.replace(":", "")) == b"through the pipe"[:shown]


@needs_tshark
def test_datagrams_have_their_addresses(recorded, tmp_path):
    trace, _ = recorded
    path = tmp_path / "x.pcap"
    asked = place(trace, r" sendto\((\d+)<UDP.*datagram")
    path.write_bytes(capture(follow(trace, asked, data=True).ends))
    with open(trace, encoding="latin-1") as lines:  # noqa: PTH123
        port = next(match[1] for line in lines if (match := re.search(r"datagram.*sin_port=htons\((\d+)\)", line)))
    ports, length = tshark(path, "-e", "udp.dstport", "-e", "udp.length").split()
    assert (ports, length) == (port, "16")


def tshark(path, *arguments):
    command = ["tshark", "-r", str(path), "-T", "fields", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
