import json
import re

import pytest
from command_line import tracediag

from tracediag.commands import NAMES
from tracediag.rules import all_rules
from tracediag.rules.pages import parse_page


def test_rules_as_a_table():
    done = tracediag("rules")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [[rule.code, rule.name, rule.severity] for rule in all_rules()]


def test_rules_as_json():
    listed = json.loads(tracediag("rules", "--format", "json").stdout)
    assert [(rule["code"], rule["name"]) for rule in listed] == [(rule.code, rule.name) for rule in all_rules()]
    assert set(listed[0]) == {"code", "name", "severity", "maturity", "summary", "needs", "own"}


def test_a_page_by_name_and_by_code():
    rule = all_rules()[0]
    by_name, by_code = tracediag("explain", rule.name), tracediag("explain", rule.code)
    assert by_name.returncode == by_code.returncode == 0
    assert by_name.stdout == by_code.stdout
    assert by_name.stdout.startswith(f"# {rule.name} ({rule.code})\n")


def test_a_page_answers_first_what_is_asked_first():
    page = tracediag("explain", "double-close").stdout
    assert page.splitlines()[2] == "A number is closed that was closed before."
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == [
        "Why it is a bug",
        "How to fix it",
        "When it is fine",
        "What it finds",
        "What to record",
        "See also",
        "A trace that shows it",
        "A trace that does not",
    ]
    assert "```trace\n" in page
    assert "#^" not in page


def test_every_page_begins_with_a_sentence():
    sentences = {rule.name: parse_page(rule.page()).first_sentence for rule in all_rules()}
    assert {name: text for name, text in sentences.items() if not text.endswith(".") or "\n" in text} == {}
    assert {name: text for name, text in sentences.items() if re.search(r"[a-z]{3}[.] [A-Z]", text)} == {}, "several"


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(shell):
    done = tracediag("completion", shell)
    assert done.returncode == 0
    assert "analyze" in done.stdout
    assert "edge-triggered-accept-once" in done.stdout
    assert "descriptor" in done.stdout, "a family, for --select"
    assert "fd.peer.port" in done.stdout, "a name, for grep --by"


def test_version():
    done = tracediag("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("tracediag 0.")


@pytest.mark.parametrize(
    "command",
    [
        *("analyze", "run", "summary", "files", "lives", "peers", "tree", "state", "follow", "explain", "why"),
        "rules",
        "demo",
        "serve",
        "completion",
    ],
)
def test_help(command):
    done = tracediag(command, "--help")
    assert done.returncode == 0
    assert "--color" in done.stdout


@pytest.mark.parametrize("command", [(), *[(name,) for name in NAMES], ("rules", "new")])
def test_help_fits_the_usual_terminal(command):
    """Where nothing is known of the device, it is taken to have 80 columns; a command to copy may be longer."""
    lines = tracediag(*command, "--help").stdout.splitlines()
    assert [line for line in lines if len(line) > 80 and not line.startswith("    tracediag ")] == []


def test_help_keeps_commands_as_they_are():
    assert "\n    strace -f ./server 2>&1 | tracediag analyze\n" in tracediag("analyze", "--help").stdout


def test_help_keeps_brackets():
    assert "[errno == ENOENT] >= 100" in tracediag("grep", "--help").stdout
