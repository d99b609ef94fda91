import json

import pytest
from command_line import tracediag

from tracediag.rules import all_rules


def test_rules_as_a_table():
    done = tracediag("rules")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [[rule.code, rule.name, rule.severity] for rule in all_rules()]


def test_rules_as_json():
    listed = json.loads(tracediag("rules", "--format", "json").stdout)
    assert [(rule["code"], rule["name"]) for rule in listed] == [(rule.code, rule.name) for rule in all_rules()]
    assert set(listed[0]) == {"code", "name", "severity", "maturity", "summary", "needs"}


def test_a_page_by_name_and_by_code():
    rule = all_rules()[0]
    by_name, by_code = tracediag("explain", rule.name), tracediag("explain", rule.code)
    assert by_name.returncode == by_code.returncode == 0
    assert by_name.stdout == by_code.stdout == f"{rule.page().rstrip()}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(shell):
    done = tracediag("completion", shell)
    assert done.returncode == 0
    assert "analyze" in done.stdout
    assert "edge-triggered-accept-once" in done.stdout


def test_version():
    done = tracediag("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("tracediag 0.")


@pytest.mark.parametrize("command", ["analyze", "run", "explain", "rules", "demo", "serve", "completion"])
def test_help(command):
    done = tracediag(command, "--help")
    assert done.returncode == 0
    assert "--color" in done.stdout


def test_help_imports_nothing_heavy():
    done = tracediag("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"lark", "rich.markdown", "rich.progress", "shtab", "tracediag.rules", "tracediag.kernel"}
