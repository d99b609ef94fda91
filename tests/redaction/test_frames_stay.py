"""A stack names functions and files of the program: none of them is a secret."""

from __future__ import annotations

import msgspec

from tracediag import Frame, analyze, redact


def test_frames_stay_as_they_are() -> None:
    report = analyze(["close(9) = 0", "close(9) = -1 EBADF (Bad file descriptor)"])
    frame = Frame("/srv/net", "Login::check(password=hunter2hunter2)", 1, 2, "/srv/token=abcdefgh12345678/net.c", 3)
    (finding,) = report.findings
    steps = tuple(msgspec.structs.replace(step, stack=(frame,)) for step in finding.steps)
    hidden = redact(msgspec.structs.replace(report, findings=(msgspec.structs.replace(finding, steps=steps),)))
    assert {step.stack for step in hidden.findings[0].steps} == {(frame,)}
    assert hidden.redacted == {}
