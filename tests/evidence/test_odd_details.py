"""A snapshot is a file that anybody may have changed: its texts that count, or name a process, raise nothing."""

from __future__ import annotations

import pytest

from tracediag.evidence.blocking.events import event_link
from tracediag.snapshot import Held

ODD = ("", "x", "-1", "9" * 5000, "٣", "(", "(1,", "(x, y)", "0x" * 99, " mask:" + "f" * 99)
KINDS = {"eventfd": "eventfd-count", "timerfd": "it_value", "signalfd": "sigmask", "pidfd": "Pid", "inotify": "watches"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ODD)
def test_no_text_raises(kind: str, text: str) -> None:
    held = Held(number=3, target=f"anon_inode:[{kind}]", details={KINDS[kind]: text})
    link = event_link(7, held)
    assert link is None or link.waits


def test_a_time_is_read() -> None:
    held = Held(number=3, target="anon_inode:[timerfd]", details={"it_value": "(3, 500000000)"})
    link = event_link(7, held)
    assert link is not None
    assert link.waits == "the timer of fd 3, which fires in 3.5 s"
