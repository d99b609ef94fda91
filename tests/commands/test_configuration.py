"""The configuration in force: file, --config, options of the command; and what it changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from command_line import tracediag

ROOT = Path(__file__).parents[2]
BUG = ROOT / "samples" / "epipe-still-registered" / "bug.strace"
CERTAIN, NOTED = "epipe-still-registered", "write-after-peer-closed"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a trace that has an error and a note."""
    shutil.copy(BUG, tmp_path / "bug.strace")
    return tmp_path


def analyze(project: Path, *options: str, text: str = ""):
    """Run `analyze` on the trace, with that configuration; return the exit code and the names of the findings."""
    (project / "pyproject.toml").write_text(f"[tool.tracediag]\n{text}")
    done = tracediag("analyze", "-q", "--format", "json", *options, "bug.strace", cwd=project)
    assert done.stdout, done.stderr
    return done.returncode, {finding["name"] for finding in json.loads(done.stdout)["findings"]}


def test_rules_are_selected_and_an_option_wins(project):
    assert analyze(project)[1] >= {CERTAIN, NOTED}
    assert analyze(project, text='select = ["TD101"]')[1] == {CERTAIN}
    assert NOTED in analyze(project, text='select = ["TD101"]\nextend-select = ["TD202"]')[1]
    assert analyze(project, text='ignore = ["epoll", "socket"]') == (0, set())
    assert NOTED not in analyze(project, "--select", "TD101", text='extend-select = ["TD202"]')[1]
    assert NOTED in analyze(project, "--extend-select", "TD202", text='select = ["TD101"]')[1]
    assert analyze(project, "--ignore", "TD202", text='ignore = ["epoll"]')[1] >= {CERTAIN}
    assert analyze(project, "--isolated", text='select = ["descriptor"]')[1] >= {CERTAIN, NOTED}
    assert analyze(project, "--config", "select=TD1, TD2", text='select = ["descriptor"]')[1] >= {CERTAIN, NOTED}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ("error", 1),
        ("error:certain", 1),
        ("error>=2", 0),
        ("note>=2", 1),
        ("note>=3", 0),
        ("error>=2, note:certain >= 2", 1),
        ("never", 0),
    ],
)
def test_limits_mean_the_same_in_file_and_option(project, limits, code):
    assert analyze(project, text=f'fail-on = "{limits}"')[0] == code
    assert analyze(project, "--fail-on", limits, text='fail-on = "note"')[0] == code
    assert analyze(project, "--config", f"fail-on={limits}", text='fail-on = "note"')[0] == code


def test_counts_are_of_all_traces(project):
    shutil.copy(BUG, project / "two.strace")
    assert analyze(project, "--fail-on", "error>=2")[0] == 0
    done = tracediag("analyze", "-q", "--fail-on", "error>=2", "bug.strace", "two.strace", cwd=project)
    assert done.returncode == 1


def test_output_is_relative_to_the_file_and_format_is_the_usual_one(project):
    (project / "tracediag.toml").write_text('format = "concise"\noutput = ["sarif:out.sarif"]\n')
    (project / "below").mkdir()
    done = tracediag("analyze", "-q", "../bug.strace", cwd=project / "below")
    assert done.stdout.startswith("../bug.strace:54: error[TD101]")
    assert json.loads((project / "out.sarif").read_text())["version"] == "2.1.0"
    other = tracediag("analyze", "-q", "-o", "jsonl", "-o", "json:own.json", "../bug.strace", cwd=project / "below")
    assert other.stdout.startswith("{")
    assert (project / "below" / "own.json").exists()


def test_config_says_where_each_value_comes_from(project):
    (project / "pyproject.toml").write_text('[tool.tracediag]\nselect = ["epoll"]\n\nfail-on = "error:likely"\n')
    done = tracediag("config", "--config", "format=concise", cwd=project)
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    said = {row[0]: row[1] for row in rows}
    assert said["select"].split() == ['["epoll"]', "pyproject.toml:2"]
    assert said["fail-on"].split() == ['"error:likely"', "pyproject.toml:4"]
    assert said["format"].split() == ['"concise"', "--config"]
    assert said["ignore"].split() == ["[]", "default"]
    listed = json.loads(tracediag("config", "--format", "json", "--isolated", cwd=project).stdout)
    assert listed["fail-on"] == {"value": "warning", "from": "default"}


def test_an_unknown_rule_of_the_file_names_its_place(project):
    (project / "pyproject.toml").write_text('[tool.tracediag]\n\nignore = ["double-closed"]\n')
    done = tracediag("analyze", "bug.strace", cwd=project)
    assert done.returncode == 2
    assert done.stderr.startswith("tracediag: pyproject.toml:3: ignore: no rule 'double-closed'; did you mean")


def test_the_schema_accepts_what_the_reader_accepts():
    schema = json.loads(tracediag("schema", "config").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    assert judge.is_valid({"fail-on": "warning:certain>=3", "select": ["TD3"], "output": ["sarif:x"]})
    assert judge.is_valid({"fail-on": ["error", "note>=9"], "format": "json"})
    for wrong in ({"speed": 1}, {"fail-on": "bad"}, {"format": "xml"}, {"output": ["sarif"]}, {"select": "TD3"}):
        assert not judge.is_valid(wrong), wrong
