"""What CI systems run of ours: the action, GitLab's component, the hooks and the workflows, line for line."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import environment, needs_strace

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
WORKFLOWS = [ROOT / "action.yml", *sorted(ROOT.glob(".github/workflows/*.yml"))]
EXPRESSION = re.compile(r"\$\{\{ (inputs\.[a-z-]+) \}\}")


class Job:
    """A project, and the folders of a runner: each `run` is the step of the action that records, as it stands."""

    def __init__(self, place: Path) -> None:
        self.project, self.runner = place / "project", place / "runner"
        self.project.mkdir()
        (self.runner / "tracediag/bin").mkdir(parents=True)
        (self.runner / "tracediag/bin/tracediag").symlink_to(Path(sys.executable).with_name("tracediag"))
        self.write("work.sh", "cat settings.conf; echo done\n")
        self.write("settings.conf", "")
        self.write("tracediag.toml", 'fail-on = "note"\n')

    def write(self, name: str, text: str) -> None:
        self.project.joinpath(name).write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        path = self.runner / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def run(self, command: str = "sh work.sh", **inputs: str) -> subprocess.CompletedProcess[str]:
        (step,) = [one for one in ACTION["runs"]["steps"] if one.get("id") == "record"]
        given = {f"inputs.{name}": str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        given |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        given["inputs.command"] = command
        held = {name: EXPRESSION.sub(lambda match: given[match[1]], text) for name, text in step["env"].items()}
        files = {f"GITHUB_{name}": str(self.runner / name.lower()) for name in ("STEP_SUMMARY", "OUTPUT")}
        for file in files.values():
            Path(file).unlink(missing_ok=True)
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],  # as GitHub starts bash
            cwd=self.project / EXPRESSION.sub(lambda match: given[match[1]], step["working-directory"]),
            env=environment(RUNNER_TEMP=str(self.runner), **held, **files),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


@needs_strace
def test_a_bug_fails_the_job_with_its_chain_until_it_is_fixed_or_accepted(job):
    assert job.run().returncode == 0

    job.project.joinpath("settings.conf").unlink()
    failed = job.run(sarif="true", keep_trace="true")
    assert failed.returncode == 1
    assert "\n::notice file=" in failed.stdout
    assert "└─ (1) openat of settings.conf fails with ENOENT" in failed.stdout
    assert "| note | TD732 missing-file: " in job.read("step_summary")
    outputs = dict(line.split("=", 1) for line in job.read("output").splitlines())
    (run,) = json.loads(Path(outputs["sarif"]).read_text())["runs"]
    assert [each["ruleId"] for each in run["results"]] == ["TD732"]

    known = ("baseline", outputs["trace"], "--write", "known.json")
    subprocess.run([job.runner / "tracediag/bin/tracediag", *known], cwd=job.project, check=True, env=environment())
    job.write("tracediag.toml", 'fail-on = "note"\nbaseline = "known.json"\n')
    assert job.run().returncode == 0

    job.write("settings.conf", "")
    fixed = job.run()
    assert fixed.returncode == 0
    assert "fixed: " in fixed.stderr

    job.write("work.sh", "cat settings.conf other.conf; echo done\n")
    assert job.run().returncode == 1  # the baseline holds another finding


@needs_strace
def test_an_ignore_holds_to_its_last_day(job):
    job.project.joinpath("settings.conf").unlink()
    ignore = 'fail-on = "error"\n[[ignores]]\nrule = "missing-file"\nreason = "made at the first start"\nuntil = {}\n'
    job.write("tracediag.toml", ignore.format(dt.datetime.now(tz=dt.UTC).date().replace(year=2999)))
    assert job.run().returncode == 0
    job.write("tracediag.toml", ignore.format("2020-01-31"))
    expired = job.run()
    assert expired.returncode == 1
    assert "expired-ignore: the ignore of missing-file expired on 2020-01-31: made at the first start" in expired.stdout


@needs_strace
def test_a_command_that_fails_is_no_finding(job):
    failed = job.run("sh work.sh; exit 7")
    assert failed.returncode == 7
    assert "title=the command failed::" in failed.stdout
    assert "no findings" in job.read("step_summary")
    assert "**Failed**: the command bash -eo pipefail -c 'sh work.sh; exit 7' exited with status 7" in job.read(
        "step_summary"
    )


@needs_strace
def test_only_on_failure_leaves_no_report(job):
    job.project.joinpath("settings.conf").unlink()
    assert job.run(only_on_failure="true", sarif="true", keep_trace="true").returncode == 0
    assert (job.read("step_summary"), job.read("output")) == ("", "")


@needs_strace
def test_a_command_is_data_and_no_code_of_the_step(job):
    done = job.run("""echo "$HOME" '$(touch owned)' "`echo a b`" > said; printf '%s' "\\"x" """)
    assert done.returncode == 0, done.stderr
    assert job.project.joinpath("said").read_text() == f"{os.environ['HOME']} $(touch owned) a b\n"
    assert not job.project.joinpath("owned").exists()


def steps_of(path: Path) -> list[dict[str, Any]]:
    held = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = [held["runs"]] if "runs" in held else held["jobs"].values()
    return [step for one in jobs for step in one["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_others_code_is_pinned_and_no_input_is_code(path):
    text = path.read_text(encoding="utf-8")
    for step in steps_of(path):
        assert "uses" not in step or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
        assert "${{" not in step.get("run", "")
        assert "uses" not in step or f"{step['uses']} # v" in text


def test_the_release_is_built_without_a_right_to_publish():
    held = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    assert held["permissions"] == {}
    rights = {name: set(job["permissions"]) for name, job in held["jobs"].items()}
    assert rights == {"build": {"contents"}, "attest": {"attestations", "id-token"}, "publish": {"id-token"}}


def test_the_tag_of_a_release_is_its_version():
    done = subprocess.run(
        [sys.executable, ROOT / ".ci/release.py", "version", "v9.9.9"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("release: the tag is v9.9.9, but pyproject.toml has the version ")


@needs_strace
def test_gitlabs_component_writes_both_reports(job):
    inputs, component = yaml.safe_load_all((ROOT / "templates/tracediag/template.yml").read_text(encoding="utf-8"))
    held = component["tracediag"]
    asked = set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", json.dumps(held)))
    assert asked == set(inputs["spec"]["inputs"])
    (script,) = held["script"]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script.replace("/opt/tracediag", str(job.runner / "tracediag"))],
        cwd=job.project,
        env=environment(TRACEDIAG_COMMAND="rm settings.conf; sh work.sh"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert [each["check_name"] for each in json.loads((job.project / "gl-code-quality-report.json").read_text())] == [
        "missing-file"
    ]
    assert set(held["artifacts"]["reports"].values()) <= {path.name for path in job.project.iterdir()}


def test_the_hooks_name_commands_that_exist(tmp_path):
    trace = tmp_path / "a.strace"
    trace.write_text('open("/x", O_RDONLY) = 3\n')
    rules = ROOT / "tests" / "data" / "own_rules" / "good"
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")):
        program, *words = hook["entry"].split()
        given = [str(rules)] if not hook.get("pass_filenames", True) else [str(trace)]
        done = subprocess.run(
            [sys.executable, "-m", program, *words, *given], env=environment(), capture_output=True, check=False
        )
        assert done.returncode == 0, (hook["id"], done.stderr)
        assert bool(re.search(hook["files"], "a/b.strace.zst")) == (hook["id"] == "tracediag")
