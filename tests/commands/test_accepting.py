"""What a project accepts: ignores with a reason, changed severities, the baseline; as a job of the project sees it."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from command_line import needs_strace, tracediag

from tracediag.accepting import Acceptance
from tracediag.config import Config, Settings
from tracediag.config.schema import Ignore
from tracediag.results.report import Input, Report

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
BUG = SAMPLES / "epipe-still-registered" / "bug.strace"
FINE = SAMPLES / "failures" / "file-exists.fine.strace"
EXISTS = SAMPLES / "failures" / "file-exists.strace"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a trace of a program that has a bug: an error and a note."""
    shutil.copy(BUG, tmp_path / "bug.strace")
    return tmp_path


def configure(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(f"[project]\nname = 'x'\n{text}")


def concise(project: Path, *arguments: str):
    """Run a command; return its exit code, the places and codes of its findings, and standard error."""
    done = tracediag(*arguments, cwd=project)
    assert "Traceback" not in done.stderr
    return done.returncode, [line.split(" ", 2)[:2] for line in done.stdout.splitlines()], done.stderr


def judged(project: Path, *arguments: str):
    return concise(project, "analyze", "--format", "concise", *(arguments or ("bug.strace",)))


def ignoring(scope: str, more: str = "") -> str:
    return f"[[tool.tracediag.ignores]]\n{scope}\nreason = 'known, and harmless here'\n{more}\n"


@pytest.mark.parametrize(
    "scope",
    [
        "rule = 'TD101'",
        "rule = ['descriptor', 'epoll']",
        "peer = '127.0.0.1'",
        "peer = '127.0.0.1:59198'",
        "peer = '127.0.0.*'\nrule = 'epipe-still-registered'",
        "program = 'bu?'",
        "program = '*/bug'\npeer = '127.*'",
    ],
)
def test_an_ignore_leaves_out_what_fits_all_that_it_names(project, scope):
    configure(project, ignoring(scope))
    code, found, said = judged(project)
    assert "error[TD101]" not in [severity for _, severity in found]
    assert "the configuration ignores" in said
    assert code == 0 or "TD901" not in said


@pytest.mark.parametrize(
    "scope",
    ["rule = 'TD303'", "peer = '10.0.0.1'", "rule = 'TD101'\npeer = '10.*'", "program = 'nginx'", "path = '/etc/*'"],
)
def test_an_ignore_that_fits_nothing_is_a_finding_at_its_line(project, scope):
    configure(project, ignoring("rule = 'TD202'") + "\n" + ignoring(scope))
    code, found, _ = judged(project)
    assert code == 1
    text = (project / "pyproject.toml").read_text().splitlines()
    line = [number for number, held in enumerate(text, start=1) if held == "[[tool.tracediag.ignores]]"][1]
    assert [f"pyproject.toml:{line}:", "warning[TD901]"] in found
    assert ["bug.strace:54:", "error[TD101]"] in found


def test_a_path_is_one_that_the_finding_names(tmp_path):
    shutil.copy(EXISTS, tmp_path / "t.strace")
    assert judged(tmp_path, "t.strace")[0] == 1
    configure(tmp_path, ignoring("path = '*service.conf'"))
    assert judged(tmp_path, "t.strace")[:2] == (0, [])


def test_an_ignore_about_a_rule_that_does_not_apply_is_not_called_unused(project):
    configure(project, ignoring("rule = 'TD303'"))
    assert judged(project, "--ignore", "TD303,epoll", "bug.strace")[0] == 0
    assert judged(project, "--select", "TD202", "bug.strace")[0] == 0


def test_an_expired_ignore_fails_and_hides_nothing(project):
    configure(project, ignoring("rule = 'epoll'", "until = 2020-01-31"))
    code, found, _ = judged(project, "--fail-on", "error", "bug.strace")
    assert code == 1
    assert ["pyproject.toml:3:", "error[TD902]"] in found
    assert ["bug.strace:54:", "error[TD101]"] in found
    configure(project, ignoring("rule = 'epoll'", "until = 2999-01-31"))
    assert judged(project, "--fail-on", "error", "bug.strace")[0] == 0


def test_a_severity_is_changed_with_a_reason(project):
    changed = "[[tool.tracediag.severities]]\nrule = 'epoll'\nseverity = 'note'\nreason = 'a test server'\n"
    configure(project, changed)
    code, found, _ = judged(project)
    assert code == 0
    assert ["bug.strace:54:", "note[TD101]"] in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ignoring("rul = 'x'"), "pyproject.toml:3: ignores: unknown key rul; did you mean rule?"),
        (ignoring(""), "pyproject.toml:3: ignores: an entry names a rule, program, path or peer"),
        ("[[tool.tracediag.ignores]]\nrule = 'TD1'\n", "pyproject.toml:3: ignores: reason is missing"),
        ("[[tool.tracediag.ignores]]\nrule = 'TD1'\nreason = ' '\n", "pyproject.toml:3: ignores: reason is missing"),
        (ignoring("rule = 'TD1'", "until = 3"), "pyproject.toml:3: ignores: until takes a date, such as 2026-12-31"),
        (ignoring("rule = 'TD101'") + ignoring("rule = 'TD1O1'"), "pyproject.toml:7: ignores: no rule 'TD1O1'"),
        ("[tool.tracediag]\nignores = 3\n", "pyproject.toml:4: ignores takes a list of tables"),
        ("[tool.tracediag]\nignores = ['x']\n", "pyproject.toml:4: ignores takes tables, written [[ignores]]"),
        (
            "[[tool.tracediag.severities]]\nrule = 'x'\nseverity = 'bad'\nreason = 'y'\n",
            "pyproject.toml:3: severities: severity takes one of error, warning, note",
        ),
        ("[tool.tracediag]\nbaseline = 'gone.json'\n", "gone.json: No such file or directory"),
    ],
)
def test_errors_name_the_entry(project, text, said):
    configure(project, text)
    code, _, error = judged(project)
    assert code == 2
    assert error.startswith(f"tracediag: {said}")
    assert error.count("\n") == 1


def test_a_project_over_time(project):
    """A bug fails; in the baseline it does not; a new one does; a fixed one is told, and with strict fails."""
    traces = ("bug.strace", "new.strace")
    shutil.copy(FINE, project / "new.strace")
    assert judged(project, *traces)[0] == 1
    assert concise(project, "baseline", *traces, "--write", "known.json")[0] == 0
    configure(project, "[tool.tracediag]\nbaseline = 'known.json'\n")
    code, found, said = judged(project, *traces)
    assert (code, found) == (0, [])
    assert "known.json: 2 known findings left out" in said or "known findings left out" in said

    shutil.copy(EXISTS, project / "new.strace")
    code, found, _ = judged(project, *traces)
    assert code == 1
    assert [place for place, _ in found] == ["new.strace:1:"]

    shutil.copy(FINE, project / "new.strace")
    shutil.copy(FINE, project / "bug.strace")
    code, found, said = judged(project, *traces)
    assert (code, found) == (0, [])
    assert "known.json: fixed: epipe-still-registered of bug.strace:54: " in said
    code, found, _ = judged(project, "--baseline-strict", *traces)
    assert code == 1
    line = next(
        number
        for number, text in enumerate((project / "known.json").read_text().splitlines(), start=1)
        if "epipe-still-registered" in text
    )
    assert [f"known.json:{line}:", "error[TD903]"] in found


def test_a_strict_baseline_only_shrinks(project):
    shutil.copy(EXISTS, project / "new.strace")
    write = ("baseline", "--write", "known.json")
    assert concise(project, *write, "bug.strace")[0] == 0
    before = json.loads((project / "known.json").read_text())
    code, _, said = concise(project, *write, "--baseline-strict", "bug.strace", "new.strace")
    assert code == 1
    assert "not added: file-exists of new.strace:1" in said
    assert json.loads((project / "known.json").read_text()) == before
    assert concise(project, *write, "--baseline-strict", "new.strace")[0] == 1
    assert json.loads((project / "known.json").read_text())["findings"] == []


def test_a_baseline_is_not_fixed_by_what_was_not_looked_at(project):
    concise(project, "baseline", "--write", "known.json", "bug.strace")
    shutil.copy(FINE, project / "fine.strace")
    with_file = ("--baseline", "known.json", "--baseline-strict")
    assert judged(project, *with_file, "--select", "file", "fine.strace")[:2] == (0, [])
    code, found, said = judged(project, *with_file, "fine.strace", "gone.strace")
    assert code == 3
    assert found == []
    assert "fixed" not in said


def test_what_is_no_baseline_is_not_replaced(project):
    (project / "known.json").write_text("{}")
    code, _, said = concise(project, "baseline", "--write", "known.json", "bug.strace")
    assert code == 2
    assert "not a baseline" in said
    assert (project / "known.json").read_text() == "{}"
    assert concise(project, "baseline", "--write", "bug.strace", "bug.strace")[0] == 2
    assert (project / "bug.strace").read_bytes() == BUG.read_bytes()


def test_every_format_holds_the_findings_about_entries(project):
    configure(project, ignoring("rule = 'TD303'"))
    for form in ("full", "json", "jsonl", "markdown", "sarif", "junit", "github", "gitlab"):
        shown = tracediag("analyze", "--format", form, "bug.strace", cwd=project).stdout
        assert "unused-ignore" in shown or "TD901" in shown, form
        assert "pyproject.toml" in shown, form
    reports = tracediag("analyze", "--format", "json", "bug.strace", cwd=project).stdout.splitlines()
    schema = json.loads(tracediag("schema").stdout)
    for report in reports:
        jsonschema.validate(json.loads(report), schema)
    for word in ("TD901", "unused-ignore"):
        assert "an entry of `ignores` fits no finding" in tracediag("explain", word).stdout


@needs_strace
def test_run_has_them_too(project):
    run = ("run", "--format", "concise", "--fail-on", "note")
    configure(project, ignoring("rule = 'TD101'"))
    code, found, _ = concise(project, *run, "--", "true")
    assert code == 1
    assert [severity for _, severity in found] == ["warning[TD901]"]


def test_the_last_day_is_part_of_the_time():
    entry = Ignore(reason="x", rule="TD101", until=date(2026, 3, 31))
    settings = Settings(Config(ignores=(entry,)))
    report = Report(input=Input(path="x"))
    for today, told in ((date(2026, 3, 31), "unused-ignore"), (date(2026, 4, 1), "expired-ignore")):
        acceptance = Acceptance(settings, lambda _: ["epipe-still-registered"], ["epipe-still-registered"], today=today)
        (found,) = acceptance.reports([report], complete=True, strict=False)
        assert [finding.name for finding in found.findings] == [told]
        unread = acceptance.reports([report], complete=False, strict=False)
        assert len(list(unread)) == (told == "expired-ignore")
