"""Each fault misbehaves as documented, as far as visible without a trace; the correct server does not."""

import os
import re
import signal
from pathlib import Path

import pytest
from serverprocess import BOUND, Start, eventually

from tracediag.epollserver import FAULTS
from tracediag.epollserver.client import Client
from tracediag.epollserver.response import GREETING
from tracediag.epollserver.scenarios import SCENARIOS, drive


def test_every_fault_is_described_and_has_a_scenario() -> None:
    assert set(FAULTS) == set(SCENARIOS)
    for name, fault in FAULTS.items():
        assert fault.name == name
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+|sigpipe", name)
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", fault.rule)
        assert 20 < len(fault.summary) < 110


@pytest.mark.parametrize("fault", FAULTS)
def test_without_the_fault_its_scenario_ends_well(start: Start, fault: str) -> None:
    server = start()
    assert drive(server.port, fault).complaints == ()
    assert eventually(lambda: len(server.descriptors("socket:")) == 1)
    assert server.stop() == 0


def test_accept_once_serves_only_the_dead(start: Start) -> None:
    """75 connections are opened in bursts of 25 and abandoned; none of five new clients is served."""
    result = drive(start("accept-once").port, "accept-once")
    assert (result.asked, result.answered) == (5, 0)


def test_not_drained_leaves_a_client_waiting(start: Start) -> None:
    result = drive(start("not-drained").port, "not-drained")
    assert (result.asked, result.answered) == (1, 0)


def test_blocking_client_stops_everybody(start: Start) -> None:
    (complaint,) = drive(start("blocking-client").port, "blocking-client").complaints
    assert complaint.startswith("another client: ")


@pytest.mark.parametrize("fault", ["keep-registered", "dup-kept", "ignore-hangup", "ignore-eof"])
def test_the_loop_spins(start: Start, fault: str) -> None:
    server = start(fault)
    assert drive(server.port, fault).complaints == ()
    assert server.spins()
    assert len(server.descriptors("socket:")) > 1, "besides the listener, a client that is gone"
    assert server.stop() == 0


@pytest.mark.parametrize("fault", ["keep-registered", "dup-kept", "ignore-hangup", "ignore-eof"])
def test_others_are_served_while_it_spins(start: Start, fault: str) -> None:
    server = start(fault)
    drive(server.port, fault)
    with Client(server.port) as client:
        client.get("/").must_be(GREETING)


def test_clobber_flags_overwrites_what_others_append(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    server = start("clobber-flags", "--log", str(log))
    with Client(server.port) as client:
        client.get("/")
        with log.open("a") as other:
            other.write("the line of another program\n")
        client.get("/")
    assert "another program" not in log.read_text()
    assert not server.descriptors(str(log)).popitem()[1] & os.O_APPEND


def test_cloexec_by_setfl_lets_the_listener_be_inherited(start: Start) -> None:
    (flags,) = start("cloexec-by-setfl").descriptors("socket:").values()
    assert not flags & os.O_CLOEXEC


def test_sigpipe_kills_the_server(start: Start) -> None:
    server = start("sigpipe")
    drive(server.port, "sigpipe")
    assert server.process.wait(BOUND) == -signal.SIGPIPE
