"""Of the calls that look at files, as many are recorded as may matter: a build makes hundreds of thousands."""

from __future__ import annotations

import pytest

from tracediag import Syscall, analyze
from tracediag.analysis import Analysis
from tracediag.kernel.calls import looking

LOOK = '7 newfstatat(AT_FDCWD, "/srv/key", {st_mode=S_IFREG|0600, st_size=9, ...}, 0) = 0\n'
REFUSED = '7 openat(AT_FDCWD, "/srv/key", O_RDONLY) = -1 EACCES (Permission denied)\n'


def test_they_are_no_events_any_more_when_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_MOST", 5)
    analysis = Analysis([LOOK] * 40 + [REFUSED, LOOK])
    for _ in analysis:
        pass
    assert analysis._engine.kernel.looks == 5
    assert analysis.report().input.calls == 42


def test_who_wants_all_events_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_MOST", 5)
    events = [event for event in Analysis([LOOK] * 40).events() if isinstance(event, Syscall)]
    assert len(events) == 40


def test_a_refusal_names_the_mode_that_was_seen() -> None:
    asked = "7 getuid() = 1000\n7 geteuid() = 1000\n"
    words = '7 write(2, "key: Permission denied\\n", 23) = 23\n7 exit_group(1) = ?\n7 +++ exited with 1 +++\n'
    report = analyze([asked, LOOK, REFUSED, *words.splitlines(keepends=True)])
    assert "mode 0600" in str(report.findings[0])
