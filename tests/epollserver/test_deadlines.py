"""Idle clients are dropped; here the server runs in a thread, with short limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from tracediag.epollserver.client import Client, request
from tracediag.epollserver.response import GREETING
from tracediag.epollserver.server import Server


class Hasty(Server):
    idle_bound = 0.5
    linger_bound = 0.05


class OnlyLingering(Server):
    linger_bound = 0.05


@contextmanager
def serving(server: Server) -> Iterator[int]:
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield server.port
    finally:
        server.request_stop()
        thread.join()
        server.close()


def test_an_idle_client_is_let_go() -> None:
    with serving(Hasty(0)) as port, Client(port) as client:
        client.get("/").must_be(GREETING)
        assert client.ended()


def test_a_client_that_never_finishes_its_request_is_let_go() -> None:
    with serving(Hasty(0)) as port, Client(port) as client:
        client.send(request("/")[:10])
        assert client.ended()


def test_a_client_that_does_not_close_after_the_last_answer_is_let_go() -> None:
    server = OnlyLingering(0)
    with serving(server) as port, Client(port) as client:
        client.send(request("/", "Connection: close"))
        client.answer().must_be(GREETING)
        assert client.ended()
        with Client(port) as other:
            other.get("/").must_be(GREETING)
            assert not client.incoming.read(1)
