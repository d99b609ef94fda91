"""The report for a person: nothing exceeds the terminal's width, causes come first, and messages are shown."""

from __future__ import annotations

import re

import msgspec
import pytest
from rich.style import Style

from tracediag.report import Look, formatter
from tracediag.report.canvas import STYLES
from tracediag.results.findings import Explained, Finding, Severity, Step
from tracediag.results.report import BrokenRule, Report

ESCAPE = re.compile(r"\x1b\[[\d;]*m")


def full(report: Report, look: Look | None = None) -> str:
    return "".join(formatter("full", look).report(report))


def with_steps(finding: Finding, *texts: str) -> Finding:
    steps = tuple(
        Step(line=line, text=text, note="n" * 90, primary=line == 1, time=float(line), repeats=line)
        for line, text in enumerate(texts, start=1)
    )
    return msgspec.structs.replace(finding, steps=steps)


def test_a_report_without_colours_has_the_same_text(report: Report) -> None:
    assert ESCAPE.sub("", full(report, Look(colour=True))) == full(report, Look())


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal(report: Report, finding: Finding, width: int) -> None:
    long = msgspec.structs.replace(
        with_steps(finding, f'write(2, "{"word " * 90}", 450) = 450', "pause() = ?", "x" * 400),
        title="long title " * 20,
        object="fd 5 = " + "path/" * 40,
        why="reason " * 60,
    )
    shown = full(msgspec.structs.replace(report, findings=(long, *report.findings)), Look(colour=True, width=width))
    assert max(len(ESCAPE.sub("", line)) for line in shown.splitlines()) <= width


def test_what_hangs_over_is_indented(finding: Finding, report: Report) -> None:
    long = msgspec.structs.replace(with_steps(finding, "read(3, " + "1234, " * 40 + ") = 0"), title="title " * 40)
    shown = full(msgspec.structs.replace(report, findings=(long,)), Look(width=80))
    lines = shown.partition("\n    absent")[0].splitlines()
    assert [line for line in lines if line and not line.startswith((" ", "error"))] == []


@pytest.mark.parametrize("look", [Look(), Look(width=80), Look(width=200)], ids=["pipe", "80", "200"])
def test_what_the_program_said_keeps_300_characters(finding: Finding, report: Report, look: Look) -> None:
    said = "".join(f"{number:03}." for number in range(75))
    for call in (
        f'write(2, "{said}", 300) = 300',
        f'writev(2<pipe:[7]>, [{{iov_base="me", iov_len=2}}, {{iov_base="{said}", iov_len=300}}], 2) = 302',
        f'write(7, "{said}\\n", 301) = 301',
    ):
        shown = full(msgspec.structs.replace(report, findings=(with_steps(finding, call),)), look)
        assert said in re.sub(r"\s+", "", shown)


def test_a_pipe_gets_as_much_of_a_call_as_a_wide_terminal(finding: Finding, report: Report) -> None:
    call = f'openat(AT_FDCWD</srv>, "/{"d" * 50}/file", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)'
    shown = full(msgspec.structs.replace(report, findings=(with_steps(finding, call),)))
    assert call in shown


def test_what_follows_is_one_line_under_its_cause(finding: Finding, report: Report) -> None:
    follower = msgspec.structs.replace(
        with_steps(finding, "pause() = ?"),
        name="write-after-peer-closed",
        title="the program keeps writing",
        why="another reason",
        severity=Severity.NOTE,
        explained_by=finding.fingerprint,
        count=3,
    )
    folded = msgspec.structs.replace(report, findings=(finding, follower))
    shown = full(folded)
    also = "write-after-peer-closed at line 1 (note, 3 of this kind): the program keeps writing"
    assert f"    also      {also}\n" in shown
    assert "another reason" not in shown
    assert "explains" not in shown
    assert shown.count("  --> ") == 1
    concise = "".join(formatter("concise").report(folded))
    (line,) = concise.splitlines()
    assert line.startswith("run.strace:1324: error[TD101] epipe-still-registered: ")
    assert line.endswith(" (and 1 that follows from it)")


def test_what_follows_from_two_is_named_at_both(finding: Finding, report: Report) -> None:
    other = msgspec.structs.replace(finding, explains=(Explained("elsewhere", 7),))
    assert "    explains  elsewhere at line 7\n" in full(msgspec.structs.replace(report, findings=(other,)))


def test_the_wall_clock_of_the_first_step_is_shown(finding: Finding, report: Report) -> None:
    for clock, shown in (
        ("2023-11-14T22:13:20.052257Z", "from 2023-11-14 22:13:20.052257 UTC"),
        ("14:03:07", "from 14:03:07"),
    ):
        steps = tuple(msgspec.structs.replace(step, clock=clock) for step in finding.steps)
        dated = msgspec.structs.replace(finding, steps=steps)
        assert f"  {shown}\n" in full(msgspec.structs.replace(report, findings=(dated,)))


def test_a_broken_rule_is_named(report: Report) -> None:
    broken = (BrokenRule(rule="crashed", line=7, error="KeyError: 3"), BrokenRule(rule="x", line=None, error="E"))
    shown = full(msgspec.structs.replace(report, broken=broken))
    assert "    crashed at line 7: KeyError: 3\n    x at the end of the trace: E\n" in shown


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255)], ids=["dark", "light"])
@pytest.mark.parametrize("name", STYLES)
def test_each_colour_can_be_read_on_light_and_on_dark_ground(name: str, ground: tuple[int, int, int]) -> None:
    colour = Style.parse(STYLES[name]).color
    if colour is not None:
        assert colour.number is not None
        assert colour.number >= 16, "what the 16 basic colours look like is up to the terminal"
        assert contrast(tuple(colour.get_truecolor()), ground) >= 3.5


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The contrast of two colours as WCAG 2.1 defines it, from 1 to 21."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: tuple[int, ...]) -> float:
    red, green, blue = ((part / 255 + 0.055) / 1.055 if part > 10 else part / 255 / 12.92 for part in colour)
    return 0.2126 * red**2.4 + 0.7152 * green**2.4 + 0.0722 * blue**2.4
