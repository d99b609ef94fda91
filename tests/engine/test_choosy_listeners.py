"""A method that wants to be shown a text hears each call that shows one of its texts once, and no other."""

from __future__ import annotations

from tracediag.engine import Engine
from tracediag.kernel import Action
from tracediag.reading import read
from tracediag.results.findings import Severity
from tracediag.rules.base import Rule, on_call, on_errno, on_lasting

LINES = [
    'openat(AT_FDCWD, "/zone/a", O_RDONLY) = 3\n',
    'openat(AT_FDCWD, "/zone/locale/b", O_RDONLY) = -1 ENOENT (No such file or directory)\n',
    'openat(AT_FDCWD, "/other", O_RDONLY) = -1 ENOENT (No such file or directory)\n',
    'openat(AT_FDCWD, "/zone/c", O_RDONLY) = -1 EACCES (Permission denied)\n',
    'stat("/zone/d", 0x7ffe) = -1 ENOENT (No such file or directory)\n',
    'openat(AT_FDCWD, "/slow", O_RDONLY) = 4 <2.5>\n',
]


class Choosy(Rule):
    """Notes what it hears."""

    name = "choosy"
    severity = Severity.NOTE
    summary = "for this test"

    def __init__(self) -> None:
        self.heard: dict[str, list[int]] = {}

    def _note(self, kind: str, action: Action) -> None:
        self.heard.setdefault(kind, []).append(action.event.line)

    @on_call("openat", showing=("/zone/", "/locale/"))
    def opened(self, action: Action) -> None:
        self._note("call", action)

    @on_errno("ENOENT", of=("openat",), showing=("/zone/", "/locale/"))
    def missed(self, action: Action) -> None:
        self._note("failure", action)

    @on_errno("ENOENT", showing=("/zone/",))
    def missed_by_any(self, action: Action) -> None:
        self._note("errno", action)

    @on_lasting("openat")
    @on_call("openat", showing=("/zone/",))
    def lasted(self, action: Action) -> None:
        self._note("lasting", action)

    @on_call("openat")
    def every(self, action: Action) -> None:
        self._note("every", action)


def test_each_call_is_heard_once_by_what_it_shows() -> None:
    engine = Engine([Choosy])
    assert list(engine.run(read(LINES))) == []
    (rule,) = engine._rules
    assert isinstance(rule, Choosy)
    assert rule.heard == {
        "call": [1, 2, 4],
        "failure": [2],
        "errno": [2, 5],
        "lasting": [1, 2, 4, 6],
        "every": [1, 2, 3, 4, 6],
    }
