"""A method that needs something to compare a call with is asked about calls only while its rule holds something."""

from __future__ import annotations

from tracediag.engine import Engine
from tracediag.kernel import Action
from tracediag.reading import read
from tracediag.results.findings import Severity
from tracediag.rules.base import Rule, on_call, on_errno, on_traffic

LINES = [
    'read(0, "a", 1) = 1\n',
    "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n",
    'read(3, "b", 1) = 1\n',
    'openat(AT_FDCWD, "/a", O_RDONLY) = 4\n',
    'read(4, "c", 1) = 1\n',
    "read(3, 0x7ffe, 1) = -1 EAGAIN (Resource temporarily unavailable)\n",
    "close(3) = 0\n",
    "read(4, 0x7ffe, 1) = -1 EAGAIN (Resource temporarily unavailable)\n",
]


class Spared(Rule):
    """Notes what it hears between the birth of a socket and the close."""

    name = "spared"
    severity = Severity.NOTE
    summary = "for this test"

    def __init__(self) -> None:
        self.heard: dict[str, list[int]] = {"call": [], "traffic": [], "failure": []}
        self.held: list[int] = []

    @on_call("socket")
    def made(self, action: Action) -> None:
        self.held.append(action.event.line)

    @on_call("close")
    def closed(self, action: Action) -> None:
        del action
        self.held.clear()

    @on_call("read", given="held")
    def called(self, action: Action) -> None:
        self.heard["call"].append(action.event.line)

    @on_traffic("read", given="held")
    def moved(self, action: Action) -> None:
        self.heard["traffic"].append(action.event.line)

    @on_errno("EAGAIN", of=("read",), given="held")
    def failed(self, action: Action) -> None:
        self.heard["failure"].append(action.event.line)


def test_calls_are_heard_while_the_rule_holds_something() -> None:
    engine = Engine([Spared])
    assert list(engine.run(read(LINES))) == []
    (rule,) = engine._rules
    assert isinstance(rule, Spared)
    assert rule.heard == {"call": [3, 5, 6], "traffic": [3, 6], "failure": [6]}
