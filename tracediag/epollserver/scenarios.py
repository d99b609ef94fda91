"""Client behaviour: a scenario for each fault, and all of them for the correct server.

Run as a program, it drives a server that is already running:
`python3 -m tracediag.epollserver.scenarios PORT [--fault NAME]`.
"""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .client import BadAnswerError, Client, request, several
from .response import GREETING, STREAMED, big
from .visit import DriveResult, Visit

BURST = 25
FRESH = 5
SHORT_PATIENCE = 0.3  # for answers that a fault delays
LOOK = 0.03  # long enough for a spin to show, short enough to keep its trace small


Scenario = Callable[[Visit], None]


def keep_alive(visit: Visit) -> None:
    """Send several requests over one connection."""
    with visit.step("keep-alive"), Client(visit.port) as client:
        for _ in range(3):
            client.get("/").must_be(GREETING)
        client.get("/nowhere").must_be(b"no such page\n", 404)


def pipelined(visit: Visit) -> None:
    """Send several requests before reading any answer."""
    with visit.step("pipelined"), Client(visit.port) as client:
        client.ask("/", "/stream", "/")
        for body in (GREETING, b"".join(STREAMED), GREETING):
            client.answer().must_be(body)


def slow_reader(visit: Visit) -> None:
    """Request more than the socket buffers hold, and let other clients be served before reading it."""
    with visit.step("slow reader"), Client(visit.port, receive_buffer=16 * 1024) as slow:
        slow.ask("/big")
        keep_alive(visit)
        slow.answer().must_be(big())


def upload(visit: Visit) -> None:
    """Send a large body, followed directly by another request."""
    with visit.step("upload"), Client(visit.port) as client:
        client.send(request("/", method="POST", body=bytes(2 * 1024 * 1024)) + request("/stream"))
        client.answer().must_be(GREETING)
        client.answer().must_be(b"".join(STREAMED))


def long_request(visit: Visit) -> None:
    """Send a request longer than a small buffer in one call."""
    with visit.step("long request"), Client(visit.port, SHORT_PATIENCE) as client:
        client.send(request("/", f"Cookie: {'x' * 2000}"))
        client.answer().must_be(GREETING)


def half_close(visit: Visit) -> None:
    """Send a request and shut down the write side."""
    with visit.step("half-close"), Client(visit.port) as client:
        client.ask("/stream", "/")
        client.half_close()
        client.answer().must_be(b"".join(STREAMED))
        client.answer().must_be(GREETING)
        if not client.ended():
            raise BadAnswerError("the server sent more than was asked for")


def last_request(visit: Visit) -> None:
    """Ask the server to close the connection after the answer."""
    with visit.step("connection: close"), Client(visit.port) as client:
        client.send(request("/", "Connection: close"))
        client.answer().must_be(GREETING)
        if not client.ended():
            raise BadAnswerError("the server went on after the last answer")


def nonsense(visit: Visit) -> None:
    """Send a malformed request."""
    with visit.step("nonsense"), Client(visit.port) as client:
        client.send(b"gibberish\r\n\r\n")
        client.answer().must_be(b"", 400)


def stall(visit: Visit) -> None:
    """Stop in the middle of a request, check that another client is served, then finish it."""
    data = request("/")
    with visit.step("stalled request"), Client(visit.port) as stalled:
        stalled.send(data[:20])
        with visit.step("another client"), Client(visit.port, SHORT_PATIENCE) as other:
            other.get("/").must_be(GREETING)
        stalled.send(data[20:])
        stalled.answer().must_be(GREETING)


@contextmanager
def witnessed(visit: Visit) -> Iterator[None]:
    """Open another connection before an action, and check after it that the server still answers there.

    Events are reported in the order in which they occur, so the server has handled the action by then;
    twice, because a new connection takes a round to be accepted and another to be read.
    """
    with visit.step("witness"), Client(visit.port) as witness:
        witness.get("/").must_be(GREETING)
        yield
        for _ in range(2):
            witness.get("/").must_be(GREETING)
        time.sleep(LOOK)


def leave_early(visit: Visit) -> None:
    """Send a request and close: the head of the answer is still accepted, the rest fails with EPIPE."""
    with witnessed(visit), Client(visit.port) as client:
        client.ask_and_leave("/stream")


def leave_after_answer(visit: Visit) -> None:
    """Send a request, read the answer, close."""
    with witnessed(visit), Client(visit.port) as client:
        client.get("/").must_be(GREETING)
        client.close()


def reset_when_idle(visit: Visit) -> None:
    """Send a request, read the answer, reset the connection."""
    with witnessed(visit), Client(visit.port) as client:
        client.get("/").must_be(GREETING)
        client.reset()


def reset_in_answer(visit: Visit) -> None:
    """Reset the connection in the middle of a large answer."""
    client = Client(visit.port, receive_buffer=16 * 1024)
    client.ask("/big")
    client.incoming.read(1000)
    client.reset()


def abandoned_bursts(visit: Visit) -> None:
    """Open connections in bursts and abandon them, then check that new clients are served."""
    for _ in range(3):
        abandon(visit.port)
        time.sleep(LOOK)
    with several(FRESH, visit.port, SHORT_PATIENCE) as clients:
        for client in clients:
            with visit.step("fresh client"):
                client.get("/").must_be(GREETING)


def abandon(port: int) -> None:
    """Open a burst of connections that send a request and close, every fifth with a reset."""
    with several(BURST, port) as clients:
        for number, client in enumerate(clients):
            if number % 5:
                client.ask_and_leave("/stream")
            else:
                client.reset()


SCENARIOS: dict[str, Scenario] = {
    "accept-once": abandoned_bursts,
    "not-drained": long_request,
    "keep-registered": leave_early,
    "dup-kept": leave_after_answer,
    "clobber-flags": keep_alive,
    "cloexec-by-setfl": keep_alive,
    "sigpipe": leave_early,
    "blocking-client": stall,
    "ignore-hangup": reset_when_idle,
    "ignore-eof": leave_after_answer,
    "double-close": leave_after_answer,
    "use-after-close": leave_after_answer,
    "use-after-reset": leave_early,
}
"""The scenario that brings each fault to light."""

SOUND: tuple[Scenario, ...] = (
    keep_alive,
    pipelined,
    slow_reader,
    upload,
    long_request,
    half_close,
    last_request,
    nonsense,
    stall,
    leave_early,
    leave_after_answer,
    reset_when_idle,
    reset_in_answer,
    abandoned_bursts,
)
"""What a faultless server takes without complaint."""


def drive(port: int, fault: str | None) -> DriveResult:
    """Run the scenarios that expose `fault` against the server on `port`; without a fault, run all."""
    visit = Visit(port)
    for scenario in SOUND if fault is None else (SCENARIOS[fault],):
        scenario(visit)
    return visit.result(fault)


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive a server from the command line; return 1 if any client failed."""
    parser = ArgumentParser(prog="scenarios", description="Drives the server on 127.0.0.1.")
    parser.add_argument("port", type=int)
    parser.add_argument("--fault", choices=SCENARIOS, metavar="NAME", help="run only the scenarios for this fault")
    options = parser.parse_args(arguments)
    result = drive(options.port, options.fault)
    sys.stdout.writelines(f"{complaint}\n" for complaint in result.complaints)
    sys.stdout.write(f"{result.answered} of {result.asked} answered\n")
    return 1 if result.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
