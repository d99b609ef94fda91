"""The correct server, over real sockets."""

import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

from serverprocess import BOUND, FOLDER, ServerProcess, Start, eventually

from tracediag.epollserver.client import Client, request, several
from tracediag.epollserver.response import GREETING, STREAMED, big
from tracediag.epollserver.scenarios import drive

STREAM = b"".join(STREAMED)


def test_every_scenario_is_taken_without_complaint(server: ServerProcess) -> None:
    assert drive(server.port, None).complaints == ()
    assert eventually(lambda: len(server.descriptors("socket:")) == 1), "connections were kept"
    assert not server.spins(bound=0.2)
    assert server.stop() == 0


def test_a_connection_is_kept_alive(server: ServerProcess) -> None:
    with Client(server.port) as client:
        for _ in range(5):
            answer = client.get("/")
            answer.must_be(GREETING)
            assert answer.headers["connection"] == "keep-alive"


def test_chunks_are_framed(server: ServerProcess) -> None:
    with Client(server.port) as client:
        assert client.get("/stream").chunks == STREAMED


def test_an_old_client_gets_no_chunks(server: ServerProcess) -> None:
    with Client(server.port) as client:
        client.send(b"GET /stream HTTP/1.0\r\n\r\n")
        answer = client.answer()
        answer.must_be(STREAM)
        assert "transfer-encoding" not in answer.headers
        assert client.ended()


def test_a_head_has_no_body(server: ServerProcess) -> None:
    with Client(server.port) as client:
        client.send(request("/stream", method="HEAD") + request("/", method="HEAD"))
        client.half_close()
        rest = client.incoming.read()
    assert rest.count(b"HTTP/1.1 200 OK") == 2
    assert rest.endswith(b"\r\n\r\n")
    assert b"part" not in rest


def test_pipelined_requests_are_answered_in_order(server: ServerProcess) -> None:
    with Client(server.port) as client:
        client.ask(*["/", "/stream", "/nowhere"] * 20)
        for _ in range(20):
            client.answer().must_be(GREETING)
            client.answer().must_be(STREAM)
            client.answer().must_be(b"no such page\n", 404)


def test_answers_after_a_large_one_follow_when_it_is_read(server: ServerProcess) -> None:
    with Client(server.port, receive_buffer=16 * 1024) as slow, Client(server.port) as quick:
        slow.ask("/big", "/", "/big")
        quick.get("/").must_be(GREETING)
        assert not server.spins(bound=0.2), "EPOLLOUT is asked for although there is no room"
        for body in (big(), GREETING, big()):
            slow.answer().must_be(body)
        assert not server.spins(bound=0.2), "EPOLLOUT is still asked for although all is sent"


def test_a_client_that_never_reads_is_not_read_from_either(server: ServerProcess) -> None:
    with Client(server.port, patience=0.3) as greedy:
        flood = request("/big") * 1000
        try:
            for _ in range(1000):
                greedy.send(flood)
        except TimeoutError:
            return
    raise AssertionError("the server took in 40 MB of requests without an answer being read")


def test_a_body_held_back_is_called_for(server: ServerProcess) -> None:
    with Client(server.port) as client:
        client.send(request("/", "Expect: 100-continue", "Content-Length: 4", method="POST"))
        assert client.incoming.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert client.incoming.readline() == b"\r\n"
        client.send(b"body")
        client.answer().must_be(GREETING)


def test_a_half_closed_client_gets_its_answers(server: ServerProcess) -> None:
    with Client(server.port, receive_buffer=16 * 1024) as client:
        client.ask("/big", "/stream")
        client.half_close()
        client.answer().must_be(big())
        client.answer().must_be(STREAM)
        assert client.ended()


def test_a_refusal_arrives_although_more_was_sent(server: ServerProcess) -> None:
    with Client(server.port) as client:
        client.send(b"gibberish\r\n\r\n" + b"x" * 200_000)
        client.answer().must_be(b"", 400)
        assert client.ended()


def test_every_answer_is_logged_at_the_end_of_the_file(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("before\n")
    server = start(None, "--log", str(log))
    with Client(server.port) as client:
        client.get("/")
        append(log, "between\n")
        client.get("/nowhere")
    lines = log.read_text().splitlines()
    assert [lines[0], lines[2]] == ["before", "between"]
    assert [line.split()[1] for line in (lines[1], lines[3])] == ["200", "404"]


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_descriptors_are_not_inherited(server: ServerProcess) -> None:
    with Client(server.port) as client:
        client.get("/")
        assert all(flags & os.O_CLOEXEC for flags in server.descriptors().values())
        assert all(flags & os.O_NONBLOCK for flags in server.descriptors("socket:").values())


def test_out_of_descriptors_newcomers_wait_in_the_queue(server: ServerProcess) -> None:
    limit = max(server.descriptors()) + 4
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
    with several(6, server.port) as clients:
        for client in clients:
            client.ask("/")
        for client in clients[:3]:
            client.answer().must_be(GREETING)
        assert not server.spins(bound=0.2)
        for client in clients[:3]:
            client.close()
        for client in clients[3:]:
            client.answer().must_be(GREETING)


def test_a_stop_finishes_the_answer_in_flight(server: ServerProcess) -> None:
    with Client(server.port, receive_buffer=16 * 1024) as slow, Client(server.port) as idle:
        idle.get("/")
        slow.ask("/big")
        assert slow.incoming.peek(1)
        server.process.terminate()
        assert idle.ended()
        slow.answer().must_be(big())
        assert slow.ended()
    assert server.process.wait(BOUND) == 0


def test_a_stop_waits_for_no_client_forever(server: ServerProcess) -> None:
    with Client(server.port, receive_buffer=16 * 1024) as stuck:
        stuck.ask("/big")
        assert stuck.incoming.peek(1)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(BOUND) == 0


def test_no_client_is_accepted_after_a_stop(server: ServerProcess) -> None:
    assert server.stop() == 0
    with socket.socket() as late:
        assert late.connect_ex(("127.0.0.1", server.port)) != 0


def test_it_also_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "tracediag.epollserver", "--help"]
    text = subprocess.check_output(command, text=True, cwd=FOLDER.parents[1], timeout=BOUND)
    assert "accept-once" in text
