"""The pytest plugin, as a project's tests use it: pytest runs in a process of its own, under which strace attaches."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from command_line import needs_strace

from tracediag.testing.plugin import place_of

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
PROJECT = """
import os, subprocess, sys
import pytest
from tracediag.testing import assert_max_calls, assert_no_call, assert_no_finding

TWICE = "import os; f = os.open('/etc/hosts', 0); os.close(f)\\ntry: os.close(f)\\nexcept OSError: pass"

def closes_twice():
    subprocess.run([sys.executable, "-S", "-c", TWICE], check=True)

def test_plain():
    closes_twice()

def test_fails_anyway():
    closes_twice()
    assert 0

@pytest.mark.strace(select="TD303", fail_on="note")
def test_marked():
    closes_twice()

@pytest.mark.strace(select="TD303", fail_on="note", ignore="double-close")
def test_marked_and_ignored():
    closes_twice()

@pytest.mark.strace(fails=3)
def test_wrongly_marked():
    pass

@pytest.mark.strace(select="nonsense")
def test_unknown_rule():
    pass

@pytest.mark.strace(select=5)
def test_wrong_select():
    pass

@pytest.mark.strace(fail_on=None)
def test_wrong_limit():
    assert 1 == 2, "its own failure"

@pytest.mark.strace(rules="nonex")
def test_wrong_rules():
    pass

@pytest.mark.strace(select="nonsense")
def test_wrong_marker_of_commands(strace):
    pass

def test_no_command(strace):
    strace.run(["no-such-command"])

@pytest.mark.strace(select="TD303")
def test_the_fixture(strace):
    report = strace.run([sys.executable, "-S", "-c", TWICE])
    assert report.command.status == 0
    assert [each.code for each in report.findings] == ["TD303"]
    assert_no_finding(report)
    with pytest.raises(AssertionError, match="^1 finding: double-close\\n(.*\\n)*.*is closed twice"):
        assert_no_finding(report, fail_on="note")
    assert_no_finding(report, fail_on="note", ignore="TD303")
    assert_no_call(report, "%network")
    assert_no_call(report, "close", where="errno == EIO")
    with pytest.raises(AssertionError, match="calls of close where errno == EBADF: 1, none allowed"):
        assert_no_call(report, "close", where="errno == EBADF")
    assert_max_calls(report, 1, "close", where="errno == EBADF")
    ended = strace.run(["sleep", "50"], timeout=1)
    assert ended.command.signal == "SIGTERM"
"""


def run(folder: Path, *options: str, path: str | None = None) -> tuple[dict[str, str], str]:
    """Run the project's tests; return the outcome of each, and all that pytest prints."""
    (folder / "test_project.py").write_text(PROJECT)
    if not options:
        examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        (folder / "test_page.py").write_text("\n".join(examples))
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--color=no", *options]
    env = {**os.environ, "PYTEST_ADDOPTS": "", "PATH": os.environ["PATH"] if path is None else path}
    if options:  # without any, the plugin is found by its entry point
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        command += ["-p", "tracediag.testing.plugin", "-p", "xdist"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120)
    outcomes = re.findall(r"^(PASSED|FAILED|SKIPPED) (?:.*::)?(\w+)", done.stdout, re.MULTILINE)
    return {name: outcome for outcome, name in outcomes}, done.stdout + done.stderr


@needs_strace
def test_only_marked_tests_are_traced(tmp_path: Path) -> None:
    outcomes, printed = run(tmp_path)
    assert outcomes == {
        "test_plain": "PASSED",
        "test_fails_anyway": "FAILED",
        "test_marked": "FAILED",
        "test_marked_and_ignored": "PASSED",
        "test_wrongly_marked": "FAILED",
        "test_unknown_rule": "FAILED",
        "test_wrong_select": "FAILED",
        "test_wrong_limit": "FAILED",
        "test_wrong_rules": "FAILED",
        "test_no_command": "FAILED",
        "test_the_fixture": "PASSED",
        "test_the_tool_stays_offline": "PASSED",
        "test_the_server_answers": "PASSED",
    }
    assert "tracediag found, in what this test does:\n\nnote[TD303] double-close: fd 3 (/etc/hosts)" in printed
    assert "closed again: fd 3 is no longer open" in printed
    assert "(the trace is removed; --strace-dir DIR keeps it)" in printed
    assert "mark.strace takes select=, ignore=, rules=, fail_on=, not fails" in printed
    assert "no rule 'nonsense'" in printed
    for said in (
        "mark.strace: no rule 'nonsense'; `tracediag rules` lists them (the test itself passed)",
        "mark.strace: select= takes names of rules: a text or a list of texts, not 5 (the test itself passed)",
        "AssertionError: its own failure",
        "not traced: mark.strace: fail_on= takes a text such as 'error:likely' or 'never', not None",
        "mark.strace: nonex: No such file or directory; --rules",
        "RecordingError: no-such-command: no such command",
    ):
        assert said in printed, said
    assert "During handling" not in printed
    assert "tracediag/testing/" not in printed
    assert "tracediag/recording/" not in printed


@needs_strace
def test_every_test_is_traced_also_by_workers(tmp_path: Path) -> None:
    options = ("--strace", "--strace-fail-on", "note", "--strace-dir", "traces", "-k", "plain", "-n", "1")
    outcomes, printed = run(tmp_path, *options)
    assert outcomes == {"test_plain": "FAILED"}
    assert "note[TD303] double-close" in printed
    report = json.loads((tmp_path / "traces" / "test_project.py-test_plain.json").read_text())
    assert "TD303" in {finding["code"] for finding in report["findings"]}
    assert f"{report['input']['path']}" == str(tmp_path / "traces" / "test_project.py-test_plain.strace")
    assert Path(report["input"]["path"]).stat().st_size > 1000


@needs_strace
def test_findings_are_told_of_tests_that_fail(tmp_path: Path) -> None:
    outcomes, printed = run(tmp_path, "--strace=on-failure", "-k", "plain or anyway")
    assert outcomes == {"test_plain": "PASSED", "test_fails_anyway": "FAILED"}
    told = printed.partition("Captured tracediag call")[2]
    assert "note[TD303] double-close" in told
    assert printed.count("note[TD303] double-close") == 1


def test_the_page_names_every_option() -> None:
    from tracediag.testing.marks import Asked, Mode

    text = PAGE.read_text()
    assert all(f"`--strace={mode}`" in text for mode in Mode)
    assert all(f"`{name}`" in text for name in Asked.__struct_fields__)


def test_off_is_off(tmp_path: Path) -> None:
    outcomes, _ = run(tmp_path, "--strace=off", "-k", "marked")
    assert set(outcomes.values()) == {"PASSED"}


def test_without_strace_a_clear_word(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    asked = run(tmp_path, "--strace", path=str(tmp_path / "bin"))[1]
    assert "--strace: strace is not installed" in asked
    assert "Traceback" not in asked
    fixture = run(tmp_path, "--strace=off", "-k", "fixture", path=str(tmp_path / "bin"))[1]
    assert "strace is not installed; on Debian and Ubuntu: apt-get install strace" in fixture
    assert "1 skipped" in fixture


def test_it_costs_no_import_when_off() -> None:
    script = "import sys, tracediag.testing.plugin; print(*(name for name in sys.modules if 'tracediag' in name))"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) == {"tracediag", "tracediag.testing", "tracediag.testing.plugin"}


@pytest.mark.parametrize("name", ["assert_no_call", "assert_max_calls", "assert_no_finding"])
def test_the_assertions_are_there(name: str) -> None:
    import tracediag.testing

    assert callable(getattr(tracediag.testing, name))


def test_each_test_has_files_of_its_own(tmp_path):
    names = ["t.py::test_a[a/b]", "t.py::test_a[a-b]", "t.py::test_a[a b]", f"t.py::test_{'字' * 120}"]
    names += [f"t.py::test_{'x' * 200}[{number}]" for number in range(3)]
    found = {name: place_of(SimpleNamespace(nodeid=name), tmp_path).name for name in names}
    assert len(set(found.values())) == len(names)
    assert found["t.py::test_a[a-b]"] == "t.py-test_a[a-b]"
    assert max(len(f"{name}.strace".encode()) for name in found.values()) <= 255


@needs_strace
def test_a_folder_that_is_gone_hides_no_failure(tmp_path: Path) -> None:
    code = "import shutil\ndef test_gone():\n    shutil.rmtree('traces')\n    assert 1 == 2, 'its own failure'\n"
    (tmp_path / "test_gone.py").write_text(code)
    printed = run(tmp_path, "--strace", "--strace-dir", "traces", "test_gone.py")[1]
    assert "AssertionError: its own failure" in printed
    assert "not traced: strace: " in printed
    assert "test_gone.strace: no such file or directory" in printed
    assert "INTERNALERROR" not in printed
    assert "During handling" not in printed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--strace-dir", "test_project.py"), "--strace-dir: test_project.py: File exists"),
        (
            ("--strace", "test_project.py"),
            "'test_project.py' is not always, on-failure, on-first-retry or off; if",
        ),
        (("--strace", "--strace-fail-on", "nonsense"), "'nonsense' is not"),
    ],
    ids=["folder", "path", "limit"],
)
def test_a_wrong_option_is_a_usage_error(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    outcomes, printed = run(tmp_path, *options)
    assert outcomes == {}
    assert said in printed
    assert "Traceback" not in printed


@needs_strace
@pytest.mark.parametrize("reopened", [False, True], ids=["closed", "reopened"])
def test_a_test_may_close_all_descriptors(tmp_path: Path, reopened: bool) -> None:
    """Also those of the recording; files that get their numbers then are not touched."""
    code = """
import os
import pytest

def reopen():
    return [os.open("/etc/hosts", os.O_RDONLY) for _ in range(30)]

@pytest.mark.strace(select="TD303", fail_on="note")
def test_closes():
    os.closerange(3, 4096)
    reopen.files = reopen() if REOPENED else []
    os.close(os.open("/etc/hosts", os.O_RDONLY))

def test_after():
    for file in reopen.files:
        os.read(file, 1)
"""
    (tmp_path / "test_closing.py").write_text(code.replace("REOPENED", str(reopened)))
    outcomes, printed = run(tmp_path, "-s", "--strace-dir", "traces", "test_closing.py")
    assert outcomes == {"test_closes": "PASSED", "test_after": "PASSED"}, printed
    assert "/etc/hosts" in (tmp_path / "traces" / "test_closing.py-test_closes.strace").read_text()
