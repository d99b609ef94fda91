"""The peers of a trace: on recordings of real programs, and against what the program itself knows."""

from __future__ import annotations

import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tracediag.evidence.dns import answers
from tracediag.evidence.requests import request_of
from tracediag.overviews.peers.listing import list_peers
from tracediag.overviews.peers.rows import MOST_PEERS
from tracediag.report.base import Look
from tracediag.report.peers import picture

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def of_lines(*lines):
    found = list_peers([f"{line}\n" for line in lines])
    return found, {peer.peer: peer for peer in found.peers}


def client_hello(name):
    """Return the first bytes that a real TLS client sends."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def test_the_server_name_of_a_client_hello():
    hello = client_hello("shop.example.org")
    assert request_of(hello) == "TLS to shop.example.org"
    end = hello.index(b"shop.example.org") + len("shop.example.org")
    assert request_of(hello[:end], shortened=True) == "TLS to shop.example.org"
    for size in range(6, end):
        assert request_of(hello[:size], shortened=True) == "TLS"


@pytest.mark.parametrize(
    ("data", "request_"),
    [
        (b"GET /a?b=1 HTTP/1.1\r\nHost: shop.test\r\n\r\n", "GET /a?b=1 of shop.test"),
        (b"GET /index.html HTTP/1.1\r\nHost: sh", "GET /index.html"),
        (b"GET /a/very/long/pa", "GET /a/very/long/pa…"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2"),
        (b"*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$1\r\nx\r\n", "Redis SET key:1"),
        (b"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n", "Redis AUTH"),
        (struct.pack(">II", 8, 80877103), "PostgreSQL, may it be TLS"),
        (struct.pack(">II", 33, 196608) + b"user\0ann\0database\0shop\0\0", "PostgreSQL user ann, database shop"),
        (b"Q\0\0\0\x17select * from a;\0", "SQL SELECT"),
        (b"P\0\0\0\x20name\0insert into a values ($1)\0\0\0", "SQL INSERT"),
        (b"\x0f\0\0\0\x03UPDATE a SET b=1", "SQL UPDATE"),
        (b"get k0 \r\n", "memcached get k0"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
        (b"\x12\x34\1\0\0\1\0\0\0\0\0\0\4shop\4test\0\0\1\0\1", "DNS A shop.test"),
        (b"hello\n", None),
        (b"", None),
        (b"\x16\x03\x01\xff\xff\x01" + b"\xff" * 200, "TLS"),
    ],
)
def test_what_the_first_bytes_ask_for(data, request_):
    assert request_of(data) == request_


ANSWER = (
    b"\x12\x34\x81\x80\0\1\0\2\0\0\0\0\3www\4shop\4test\0\0\1\0\1"
    b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x10\xc0\x10\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x07"
)
"""www.shop.test is an alias of shop.test, which is 192.0.2.7."""


def test_the_addresses_of_a_dns_answer():
    assert list(answers(ANSWER)) == ["192.0.2.7"]
    assert list(answers(len(ANSWER).to_bytes(2, "big") + ANSWER)) == ["192.0.2.7"]
    for size in range(len(ANSWER)):
        assert list(answers(ANSWER[:size])) == []


def test_a_dns_answer_names_the_address():
    shown = "".join(f"\\x{byte:02x}" for byte in ANSWER)
    _, peers = of_lines(
        "socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3",
        'connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, 16) = 0',
        f'recvfrom(3, "{shown}", 2048, 0, NULL, NULL) = {len(ANSWER)}',
        "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4",
        'connect(4, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.7")}, 16) = 0',
    )
    assert peers["192.0.2.7:443"].names == ("www.shop.test",)
    assert peers["10.0.0.2:53"].names == ()


def test_a_connection_that_fails_later_was_not_made():
    _, peers = of_lines(
        "socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_IP) = 4",
        'connect(4, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.7")}, 16) '
        "= -1 EINPROGRESS (Operation now in progress)",
        "getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
    )
    peer = peers["192.0.2.7:80"]
    assert (peer.connections, peer.errors) == (0, {"ECONNREFUSED": 1})


def test_accepted_peers_are_one_row_a_host():
    lines = [
        "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3",
        'bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0',
        "listen(3, 5) = 0",
    ]
    for port, path in ((4001, "/a"), (4002, "/b"), (4003, "/a")):
        lines += [
            f'accept(3, {{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("192.0.2.9")}}, [16]) = 4',
            f'read(4, "GET {path} HTTP/1.1\\r\\n", 99) = 17',
            'write(4, "hello", 5) = 5',
            'read(4, "GET /second HTTP/1.1\\r\\n", 99) = 22',
            'write(4, "x", 1) = -1 ECONNRESET (Connection reset by peer)',
            "close(4) = 0",
        ]
    found, peers = of_lines(*lines)
    peer = peers["192.0.2.9"]
    assert (peer.client, peer.local, peer.connections) == (True, "0.0.0.0:80", 3)
    assert (peer.bytes_received, peer.bytes_sent, peer.errors) == (117, 15, {"ECONNRESET": 3})
    assert peer.asked == {"GET /a": 2, "GET /b": 1}
    assert "GET /a 2 x, GET /b" in picture(found, Look())


def test_the_senders_of_datagrams_are_clients_unless_addressed():
    _, peers = of_lines(
        "socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3",
        'recvfrom(3, "hi", 9, 0, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("192.0.2.1")}, [16]) = 2',
        'sendto(3, "abc", 3, 0, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("192.0.2.1")}, 16) = 3',
        'sendto(3, "abcd", 4, 0, {sa_family=AF_INET, sin_port=htons(7), sin_addr=inet_addr("192.0.2.2")}, 16) = 4',
    )
    assert (peers["192.0.2.1"].client, peers["192.0.2.1"].bytes_sent, peers["192.0.2.1"].bytes_received) == (True, 3, 2)
    assert (peers["192.0.2.2:7"].client, peers["192.0.2.2:7"].bytes_sent) == (False, 4)


def test_peers_are_bounded():
    lines = (
        f'connect(3, {{sa_family=AF_UNIX, sun_path="/run/{number}"}}, 110) = -1 ENOENT (No such file or directory)'
        for number in range(MOST_PEERS + 3)
    )
    found, _ = of_lines(*lines)
    assert (len(found.peers), found.left_out) == (MOST_PEERS, 3)


CLIENT = """
import socket, sys
port, refused = int(sys.argv[1]), int(sys.argv[2])
for number in range(3):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /%d HTTP/1.0\\r\\n\\r\\n" % number)
        while connection.recv(4096):
            pass
try:
    socket.create_connection(("127.0.0.1", refused))
except ConnectionRefusedError:
    pass
"""


@needs_strace
def test_what_a_real_client_exchanged(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        taken: list[int] = []

        def serve() -> None:
            for _ in range(3):
                with server.accept()[0] as connection:
                    taken.append(len(connection.recv(4096)))
                    connection.sendall(b"x" * 5000)

        thread = threading.Thread(target=serve)
        thread.start()
        port, refused = server.getsockname()[1], silent.getsockname()[1]
        log = tmp_path / "log"
        command = ["strace", "-f", "-tt", "-T", "-o", str(log), sys.executable, "-c", CLIENT, str(port), str(refused)]
        subprocess.run(command, check=True, timeout=60)
        thread.join(60)
    peers = {peer.peer: peer for peer in list_peers(str(log)).peers}
    peer = peers[f"127.0.0.1:{port}"]
    assert (peer.connections, peer.bytes_sent, peer.bytes_received, peer.errors) == (3, sum(taken), 15000, {})
    assert peer.asked == {"GET /0": 1, "GET /1": 1, "GET /2": 1}
    assert peer.inside is not None
    assert peer.inside > 0
    refusal = peers[f"127.0.0.1:{refused}"]
    assert (refusal.connections, refusal.errors) == (0, {"ECONNREFUSED": 1})
