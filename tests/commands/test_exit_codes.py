"""The exit codes, through the real command."""

import bz2
import gzip
import json
import os

import pytest
from command_line import first_finding, tracediag


def test_nothing_found_is_0(quiet):
    done = tracediag("analyze", quiet)
    assert done.returncode == 0
    assert "ended       the process exited with status 0 at line 5\n\nno findings\n" in done.stdout
    assert done.stderr == f"tracediag: {quiet}: 5 lines, 4 calls: no findings\n"


def test_findings_are_1(sample):
    done = tracediag("analyze", sample)
    assert done.returncode == 1
    assert "edge-triggered-accept-once" in first_finding(done.stdout)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("options", [("--exit-zero",), ("--fail-on", "never")])
def test_findings_can_be_0(sample, options):
    assert tracediag("analyze", sample, *options).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "COMMAND is missing; commands: analyze, "),
        (("--frobnicate",), "unrecognized arguments: --frobnicate\n"),
        (("files", "--refused"), "unrecognized arguments: --refused; tracediag files --help lists the options\n"),
        (("rules", "nosuch"), "nosuch is neither `check` nor `new`; the page of a rule: tracediag explain nosuch\n"),
        (
            ("explain", "qqqq-xyzzy"),
            "lists them; one of your own needs --rules DIR; a call of a trace is named as TRACE:LINE\n",
        ),
        (("analize", "x"), "analize is not a command; did you mean analyze?"),
        (("analyze",), "TRACE"),
        (("analyze", "x", "--format", "xml"), "invalid choice"),
        (("analyze", "x", "-o", "xml:y"), "FORMAT:FILE"),
        (("analyze", "x", "-o", "json:"), "FORMAT:FILE"),
        (("analyze", "x", "-o", "json:-"), "--format json"),
        (("analyze", "x", "--select", "double-closed"), "did you mean double-close"),
        (("analyze", "x", "--ignore", "TD103,TD9999"), "no rule 'TD9999'; `tracediag rules` lists them\n"),
        (("analyze", "x", "--select", "epipe"), "did you mean epipe-still-registered"),
        (("analyze", "x", "--select", "epol"), "did you mean epoll or "),
        (("analyze", "x", "--select", "crashed", "--ignore", "process"), "no rule left"),
        (("explain", "epipe-registered"), "did you mean epipe-still-registered"),
        (("serve", "--fault", "accept-ones"), "did you mean accept-once?"),
        (("demo", "nothing-like-it-qqq"), "no fault 'nothing-like-it-qqq'; `tracediag demo --list` lists them\n"),
        (("analyze", "x", "--fail-on", "x"), "'x' is not never, or SEVERITY[:CONFIDENCE][>=COUNT[/N traces]]"),
        (("analyze", "x", "--fail-on", "error>=0"), "'error>=0' is not never"),
        (("analyze", "x", "--fail-on", "never,error"), "never stands alone"),
        (("analyze", "x", "--config", "/nowhere/at/all"), "/nowhere/at/all: No such file"),
        (("analyze", "x", "--config", "speed=3"), "--config: unknown key speed; keys: "),
        (("analyze", "x", "--config", "select=TD99"), "--config: select: no rule 'TD99'"),
        (("analyze", "x", "--config", "a", "--config", "b"), "--config: two files, a and b"),
        (("analyze", "x", "--config", "a", "--isolated"), "--isolated reads no file"),
        (("run",), "no command to run"),
        (("run", "--", "/nowhere/at/all"), "no such command"),
        (("completion", "cmd.exe"), "invalid choice"),
    ],
)
def test_wrong_usage_is_2(arguments, said):
    done = tracediag(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_trace_without_a_command_exits_2_with_advice(quiet):
    done = tracediag(quiet)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(
        f"{quiet} is a file, not a command; did you mean: tracediag analyze {quiet}"
    )
    assert tracediag("-q", "--color", "never", quiet).stderr.splitlines()[-1] == done.stderr.splitlines()[-1]


def test_a_report_that_cannot_be_written_is_2(quiet):
    done = tracediag("analyze", quiet, "-o", "json:/nowhere/at/all")
    assert done.returncode == 2
    assert done.stderr == "tracediag: /nowhere/at/all: No such file or directory\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(range(256)) * 64, id="binary"),
        pytest.param(b"#include <stdio.h>\n\nint main(void)\n{\n\treturn 0;\n}\n", id="c-source"),
        pytest.param(gzip.compress(b"close(3) = 0\n" * 999)[:12], id="cut-gzip"),
    ],
)
def test_unreadable_is_3(tmp_path, content):
    path = tmp_path / "input"
    path.write_bytes(content)
    done = tracediag("analyze", path)
    assert done.returncode == 3
    assert not done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr


def test_a_directory_and_a_missing_file_are_3(tmp_path):
    for path in (tmp_path, tmp_path / "missing", "nul\0byte".replace("\0", "\x01")):
        done = tracediag("analyze", path)
        assert done.returncode == 3
        assert len(done.stderr.splitlines()) == 1
        assert "\x01" not in done.stderr


def test_the_worst_of_several_counts(tmp_path, quiet, sample):
    done = tracediag("analyze", "--format", "json", quiet, sample)
    assert done.returncode == 1
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [document["input"]["path"] for document in documents] == [str(quiet), str(sample)]

    done = tracediag("analyze", "--format", "concise", tmp_path / "missing", sample)
    assert done.returncode == 3
    assert "edge-triggered-accept-once" in done.stdout


def test_standard_input(quiet, sample):
    assert tracediag("analyze", "-", input=quiet.read_text()).returncode == 0
    assert tracediag("analyze", "-", input=sample.read_text()).returncode == 1
    assert tracediag("analyze", "-", input="").returncode == 3


def test_compressed(tmp_path, sample):
    path = tmp_path / "sample.bz2"
    path.write_bytes(bz2.compress(sample.read_bytes()))
    assert tracediag("analyze", path).returncode == 1


def test_a_crash_of_ours_is_2(monkeypatch, capsys, quiet):
    import tracediag.analysis
    from tracediag.__main__ import main

    def crash(*_args, **_options):
        raise ZeroDivisionError("division \x1b[31mby zero\nmore")

    monkeypatch.setattr(tracediag.analysis, "Analysis", crash)
    assert main(["analyze", str(quiet)]) == 2
    said = capsys.readouterr().err
    assert said == "tracediag: internal error: ZeroDivisionError: division \\x1b[31mby zero (--debug shows where)\n"
    assert main(["analyze", str(quiet), "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_is_2(quiet):
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = tracediag("analyze", quiet, stdout=full)
    assert done.returncode == 2
    assert "No space left" in done.stderr


def test_global_options_stand_before_the_command_or_after_it(quiet, sample):
    plain = tracediag("analyze", quiet).stdout
    for arguments in (("-q", "analyze", quiet), ("analyze", quiet, "--quiet"), ("-q", "analyze", "-q", quiet)):
        done = tracediag(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, plain, "")
    assert "\x1b[" in tracediag("--color", "always", "analyze", sample).stdout
    assert "\x1b[" not in tracediag("--color", "always", "analyze", sample, "--color", "never").stdout
    assert tracediag("analyze", "--version").stdout == tracediag("--version").stdout


def test_quiet_hides_no_error(tmp_path):
    done = tracediag("-q", "analyze", tmp_path / "missing")
    assert done.returncode == 3
    assert "no such file" in done.stderr


@pytest.mark.parametrize("command", ["analyze", "summary", "files", "lives", "peers", "tree", "state"])
def test_a_piped_trace_needs_no_name(command, sample):
    named = tracediag(command, "-", input=sample.read_text())
    piped = tracediag(command, input=sample.read_text())
    assert piped.returncode == named.returncode
    assert piped.stdout == named.stdout
    nothing = tracediag(command)
    assert nothing.returncode == 2
    assert nothing.stderr == "tracediag: no TRACE given, and standard input is not a pipe or file; see --help\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("\x1b[31m",),
        ("analyze", "x", "--format", "\x1b[31m"),
        ("analyze", "x", "-o", "\x1b[31m"),
        ("--\x1b[31m", "rules"),
    ],
)
def test_an_escape_byte_in_an_argument_does_not_reach_the_terminal(arguments):
    done = tracediag(*arguments)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "x1b[31m" in done.stderr
