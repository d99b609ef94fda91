"""A rule sees every event of a thread that it follows, and none of any other."""

from __future__ import annotations

from tracediag.engine import Engine
from tracediag.kernel import Action
from tracediag.reading import read
from tracediag.results.findings import Severity
from tracediag.rules.base import Rule, on_call, on_followed

SEEN: list[int] = []


class Curious(Rule):
    """Follows a thread from chdir to chroot."""

    name = "curious"
    severity = Severity.NOTE
    summary = "for this test"

    @on_call("chdir")
    def begin(self, action: Action) -> None:
        self.follow(action.thread)

    @on_followed
    def see(self, action: Action) -> None:
        SEEN.append(action.event.line)
        if action.call.name == "chroot":
            self.leave(action.thread)


def test_follow_and_leave() -> None:
    SEEN.clear()
    names = ["getuid()", 'chdir("/")', "getuid()", "getgid()", 'chroot("/")', "getuid()"]
    lines = [f"7 {call} = 0\n" for call in names]
    lines.insert(3, "8 getuid() = 0\n")
    engine = Engine([Curious])
    assert list(engine.run(read(lines))) == []
    assert SEEN == [3, 5, 6]
    assert engine.following == {}
