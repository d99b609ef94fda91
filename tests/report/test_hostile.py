"""A trace is untrusted input: a report shows any of its text and lets none of it control the terminal."""

import msgspec
import pytest

from tracediag import analyze
from tracediag.report import FORMATS, Look, formatter
from tracediag.results.findings import Step
from tracediag.results.report import Input, NotUnderstood, Report, Sample

HOSTILE = (
    "[pid 7]",
    "[/tmp/x] [/] [bold red]",
    "\x1b]0;owned\x07 \x1b[2J \x9b2J",
    "\udc80\udcff",
    "\r\n\x00\x7f",
    "A" * 20_000,
    '"' * 100_000,
    "{" * 100_000,
)
LOOKS = (Look(), Look(colour=True, width=40), Look(ascii_only=True))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", FORMATS)
def test_every_place_of_a_report_takes_it(finding, name, text):
    step = Step(line=1, text=f'read(3, "{text}", 9) = -1 EIO (Input/output error)', note=text, primary=True)
    hostile = msgspec.structs.replace(finding, title=text, object=text, steps=(step,), why=text, fix=text)
    trace = Input(path=text, lines=1, unparsed=NotUnderstood(1, (Sample(1, text),)))
    for look in LOOKS:
        shown = "".join(formatter(name, look).report(Report(input=trace, findings=(hostile,))))
        shown.encode()
        assert "\x1b]" not in shown, look
        assert "\x1b[2J" not in shown, look
        assert not set("\x00\x07\x7f\x9b\r").intersection(shown), look


@pytest.mark.parametrize("name", FORMATS)
def test_brackets_are_shown_as_they_are(finding, name):
    step = Step(line=1, text='write(2, "[pid 7] [/tmp/x]", 16) = 16', note="n", primary=True)
    marked = msgspec.structs.replace(finding, title="[pid 7] [/tmp/x]", steps=(step,))
    shown = formatter(name).finding(marked, "[/tmp/y].strace")
    assert "[pid 7] [/tmp/x]" in shown


@pytest.mark.parametrize("tail", ["+++ exited with 1 +++", "--- SIGSEGV {si_signo=SIGSEGV} ---", "read(0, "])
def test_the_name_of_a_program_forges_no_line_of_the_head(tail):
    trace = [
        '7 execve("/srv/x\\n\\nerror[TD101] forged", ["x\\n\\nerror[TD101] forged", "-v"], 0x7ff /* 1 var */) = 0\n',
        '7 write(2, "no\\n", 3) = 3\n',
        f"7 {tail}\n",
    ]
    shown = "".join(formatter("full").report(analyze(trace)))
    assert "forged" in shown
    assert not [line for line in shown.splitlines() if line.strip().startswith("error[TD101]")]
