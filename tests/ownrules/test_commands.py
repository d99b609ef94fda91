"""The rules of a folder in each command that applies rules, and in the library; a broken one costs no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import tracediag

from tracediag import RulesFolderError, analyze, open_trace
from tracediag.ownrules import load_rules

DATA = Path(__file__).parents[1] / "data" / "own_rules"
GOOD, BROKEN = DATA / "good", DATA / "broken"
ROOT = Path(__file__).parents[2]
LINES = [
    '7 openat(AT_FDCWD, "/tmp/shared.log", O_WRONLY|O_CREAT|O_APPEND, 0666) = 3\n',
    "7 close(3) = 0\n",
    "7 close(3) = -1 EBADF (Bad file descriptor)\n",
    "7 exit_group(0) = ?\n",
    "7 +++ exited with 0 +++\n",
]


def run(folder: Path, *arguments: str | os.PathLike[str]) -> subprocess.CompletedProcess[str]:
    return tracediag(*arguments, cwd=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a trace in it."""
    (tmp_path / "t.strace").write_text("".join(LINES))
    return tmp_path


def names(report: str) -> set[str]:
    return {finding["name"] for finding in json.loads(report)["findings"]}


def test_a_folder_is_applied_selected_and_ignored(folder: Path) -> None:
    found = run(folder, "analyze", "--format", "json", "--rules", GOOD, "t.strace")
    assert found.returncode == 1
    assert names(found.stdout) == {"world-writable-file", "double-close"}
    assert json.loads(found.stdout)["broken"] == []
    for select in ("acme", "ACME1", "acme101", "world-writable-file", "own"):
        only = run(folder, "analyze", "--format", "json", "--rules", GOOD, "--select", select, "t.strace")
        assert names(only.stdout) == {"world-writable-file"}
    without = run(folder, "analyze", "--format", "json", "--rules", GOOD, "--ignore", "ACME", "t.strace")
    assert names(without.stdout) == {"double-close"}
    unknown = run(folder, "analyze", "--rules", GOOD, "--select", "world-writeable-file", "t.strace")
    assert unknown.returncode == 2
    assert "did you mean world-writable-file" in unknown.stderr


def test_the_configuration_names_folders_too(folder: Path) -> None:
    (folder / "tracediag.toml").write_text(f'rules = ["{GOOD}"]\n')
    (folder / "inner").mkdir()
    found = run(folder / "inner", "analyze", "--format", "json", "../t.strace")
    assert names(found.stdout) == {"world-writable-file", "double-close"}
    (folder / "tracediag.toml").write_text('\nrules = ["nowhere"]\n')
    gone = run(folder, "analyze", "t.strace")
    assert gone.returncode == 2
    assert gone.stderr == "tracediag: tracediag.toml:2: nowhere: no such folder of rules\n"
    (folder / "tracediag.toml").write_text("rulez = []")
    wrong = run(folder, "rules")
    assert (wrong.returncode, wrong.stderr) == (
        2, "tracediag: tracediag.toml:1: unknown key rulez; did you mean rules?\n",
    )  # fmt: skip


def test_a_folder_that_is_none_is_a_usage_error(folder: Path) -> None:
    for command in (["analyze", "t.strace"], ["rules"], ["explain", "TD101"], ["run", "--", "true"], ["demo"]):
        done = run(folder, command[0], "--rules", "nowhere", *command[1:])
        assert (done.returncode, done.stderr) == (2, "tracediag: nowhere: no such folder of rules\n")
    done = run(folder, "rules", "--rules", "n" * 5000)
    assert (done.returncode, done.stderr) == (2, f"tracediag: {'n' * 5000}: no such folder of rules\n")
    with pytest.raises(RulesFolderError, match="nowhere"):
        analyze(LINES, rules="nowhere")


def test_broken_pages_cost_no_other(folder: Path) -> None:
    found = run(folder, "analyze", "--format", "json", "--rules", BROKEN, "--rules", GOOD, "t.strace")
    report = json.loads(found.stdout)
    assert found.returncode == 2
    assert {"world-writable-file", "double-close"} <= names(found.stdout)
    broken = {each["rule"]: each for each in report["broken"]}
    assert {"misspelt", "wrong-file", "slow-sleep"} <= broken.keys()
    assert all(each["own"] and each["place"].startswith(os.fspath(BROKEN)) for each in broken.values())
    for each in broken.values():
        assert f"tracediag: {each['place']}: {each['error']}\n" in found.stderr
    full = run(folder, "analyze", "--rules", BROKEN, "t.strace").stdout
    assert "rules of your own that could not be loaded:\n" in full


def test_clashes_are_told_with_both_places(folder: Path) -> None:
    shutil.copytree(GOOD, folder / "copies")
    taken = run(folder, "analyze", "--rules", GOOD, "--rules", "copies", "t.strace")
    assert taken.returncode == 2
    said = f"copies/fixed_sleep.md: the code ACME103 is taken by {GOOD}/fixed_sleep.md\n"
    assert f"tracediag: {said}" in taken.stderr
    same = run(folder, "analyze", "--rules", GOOD, "--rules", f"{GOOD}/../good", "t.strace")
    assert same.returncode == 1, "the same folder twice is one folder"


def test_explain_and_the_list_know_them(folder: Path) -> None:
    page = run(folder, "explain", "--rules", GOOD, "acme101")
    assert page.stdout.startswith("# world-writable-file (ACME101)\n")
    assert "severity:" not in page.stdout
    listed = json.loads(run(folder, "rules", "--rules", GOOD, "--format", "json").stdout)
    own = [rule["code"] for rule in listed if rule["own"]]
    assert own == [rule["code"] for rule in listed][-5:] == ["ACME101", "ACME102", "ACME103", "ACME201", "ACME202"]
    line = run(folder, "explain", "--rules", GOOD, "--format", "json", "t.strace:1")
    assert "ACME101" in {use["code"] for use in json.loads(line.stdout)["findings"]}


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_command_that_is_recorded(folder: Path) -> None:
    made = "import os; os.close(os.open('x', os.O_CREAT | os.O_WRONLY, 0o666))"
    done = run(folder, "run", "--format", "json", "--rules", GOOD, "--select", "own", "--", sys.executable, "-c", made)
    assert (names(done.stdout), done.returncode) == ({"world-writable-file"}, 1)


def test_the_library_takes_folders_classes_and_what_is_loaded() -> None:
    rule = next(rule for rule in load_rules(GOOD).rules if rule.code == "ACME101")
    for rules in (GOOD, os.fspath(GOOD), [GOOD], [rule], rule, load_rules(GOOD)):
        report = analyze(LINES, rules=rules)
        assert {finding.code for finding in report.findings} == {"ACME101", "TD303"}
    assert report.rules["world-writable-file"].family == "own"
    trace = open_trace(LINES, rules=GOOD, select="ACME1")
    assert [finding.code for finding in trace.findings] == ["ACME101"]
    with pytest.raises(TypeError, match="no class of a rule"):
        analyze(LINES, rules=[int])


def test_a_paste_of_several_traces_names_a_broken_page_once(folder: Path) -> None:
    trace = "".join(LINES)
    (folder / "paste.txt").write_text(f"first:\n$ strace -f ./a\n{trace}\nthen:\n$ strace -f ./b\n{trace}")
    report = json.loads(run(folder, "analyze", "--format", "json", "--rules", BROKEN, "paste.txt").stdout)
    assert len(report["parts"]) == 2
    assert len({each["place"] for each in report["broken"]}) == len(report["broken"])


def test_a_page_is_explained_whatever_sections_it_has(folder: Path) -> None:
    text = (GOOD / "fixed_sleep.md").read_text()
    head = text.partition("## ")[0]
    (folder / "fixed_sleep.md").write_text(head)
    bare = run(folder, "explain", "--rules", ".", "fixed-sleep")
    assert bare.returncode == 0
    assert (
        bare.stdout == "# fixed-sleep (ACME103)\n\na service sleeps for a fixed time instead of waiting for an event\n"
    )
    (folder / "fixed_sleep.md").write_text(f"{head}\nOur batch jobs may sleep.\n\n## When it is fine\nAt night.\n")
    short = run(folder, "explain", "--rules", ".", "fixed-sleep")
    assert short.stdout == ("# fixed-sleep (ACME103)\n\nOur batch jobs may sleep.\n\n## When it is fine\nAt night.\n")


def test_a_page_in_place_of_its_folder_is_told(folder: Path) -> None:
    page = shutil.copy(GOOD / "fixed_sleep.md", folder)
    for command in (["rules", "check", page], ["rules", "--rules", page]):
        done = run(folder, *command)
        assert (done.returncode, done.stderr) == (2, f"tracediag: {page}: a file; name the folder that it lies in\n")
