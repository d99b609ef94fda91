"""The formats for CI: each is read by a second reader or checked against its rules, whatever text a trace holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import msgspec
import pytest
from junitparser import JUnitXml

from tracediag import analyze
from tracediag.report import as_document, formatter, github, markdown, sarif
from tracediag.results.findings import Severity, Step
from tracediag.results.here import Here, Look
from tracediag.results.report import BrokenRule, CommandEnd, Input, Report

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
TRACES = [str(path) for path in sorted(SAMPLES.glob("*/bug.strace"))]
HOSTILE = (
    "%0A::error::owned",
    "a\n::error file=x::y\r\n",
    "]]> <!-- </failure> &amp; \x00\ufffe",
    "``` </details> | <script>alert(1)</script> @all #1 http://x.example www.x.example",
    "\udc80\udcff",
    "a,b:c%",
    "A" * 300_000,
)


def rendered(name, *reports):
    form = formatter(name)
    whole = as_document(form)
    pieces = form.report(reports[0]) if whole is None else whole.document(reports)
    text = "".join(pieces)
    text.encode()
    return text


@pytest.fixture(scope="module")
def reports():
    return [analyze(trace) for trace in TRACES[:12]]


def hostile(finding, text):
    step = Step(line=1, text=f'read(3, "{text}", 9) = -1 EIO (Input/output error)', note=text, primary=True)
    bad = msgspec.structs.replace(finding, title=text, object=text, steps=(step,), why=text, fix=text)
    command = CommandEnd(argv=("sh", "-c", text), status=3)
    return Report(
        input=Input(path=text, lines=1, damage=text, doubt=text),
        findings=(bad,),
        command=command,
        broken=(BrokenRule(rule="double-close", line=3, error=text),),
    )


def test_sarif_is_one_run_with_a_rule_for_each_result(reports):
    (run,) = json.loads(rendered("sarif", *reports))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == sum(len(report.findings) for report in reports)
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["shortDescription"]["text"]
        assert "How to fix it" in rule["help"]["markdown"]
        steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
        assert [step["importance"] for step in steps].count("essential") == 1
        assert len(result["relatedLocations"]) == len(steps) - 1
        assert re.fullmatch(r"[0-9a-f]{16}", result["partialFingerprints"]["tracediag/v1"])
        place = result["locations"][0]["physicalLocation"]
        scheme, path = place["artifactLocation"]["uri"].split("://")  # an absolute path is no relative reference
        assert scheme == "file"
        assert unquote(path) in TRACES
        text = place["region"]["snippet"]["text"]
        line = Path(unquote(path)).read_text(errors="replace").splitlines()
        assert text.partition("(")[0] in line[place["region"]["startLine"] - 1]


def test_sarif_tells_of_the_command_and_of_what_was_not_read(finding):
    (run,) = json.loads(rendered("sarif", hostile(finding, "x y")))["runs"]
    (ran,) = run["invocations"]
    assert (ran["commandLine"], ran["exitCode"], ran["executionSuccessful"]) == ("sh -c 'x y'", 3, False)
    assert [note["level"] for note in ran["toolExecutionNotifications"]] == ["error", "warning", "warning"]


@pytest.mark.parametrize(
    ("end", "said"), [({"status": 3}, "exited with status 3"), ({"signal": "SIGSEGV"}, "was killed by SIGSEGV")]
)
def test_a_command_that_fails_is_told_apart_from_the_findings(finding, end, said):
    trace, argv = Input(path="t.strace", lines=7), ("make", "a b")
    failed = Report(input=trace, findings=(finding,), command=CommandEnd(argv=argv, **end))
    fine = msgspec.structs.replace(failed, command=CommandEnd(argv=argv, status=0))
    told = f"the command make 'a b' {said}"
    assert rendered("concise", failed) == f"{rendered('concise', fine)}t.strace: failed: {told}\n"
    assert rendered("markdown", failed).splitlines()[2] == f"**Failed**: {told}"
    assert (
        rendered("github", failed).splitlines()[0] == f"::error file=t.strace,line=7,title=the command failed::{told}"
    )
    (suite,) = JUnitXml.fromstring(rendered("junit", failed).encode())
    assert (suite.errors, suite.failures) == (1, 1)
    assert next(iter(suite)).result[0].message == told
    first, *others = json.loads(rendered("gitlab", failed))
    assert (first["check_name"], first["description"], first["severity"]) == ("command-failed", told, "blocker")
    assert others == json.loads(rendered("gitlab", fine))
    assert all("failed" not in rendered(name, fine) for name in ("concise", "markdown", "github"))


def test_sarif_keeps_the_worst_of_too_many(finding):
    note = msgspec.structs.replace(finding, severity=Severity.NOTE)
    error = msgspec.structs.replace(finding, severity=Severity.ERROR)
    report = Report(input=Input(path="t"), findings=(*[note] * sarif.MOST_RESULTS, error))
    (run,) = json.loads(rendered("sarif", report))["runs"]
    assert len(run["results"]) == sarif.MOST_RESULTS
    assert run["results"][0]["level"] == "error"
    assert "5,001 findings" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_junit_is_read_back_with_the_same_counts(reports):
    suites = list(JUnitXml.fromstring(rendered("junit", *reports).encode()))
    assert [suite.name for suite in suites] == [report.input.path for report in reports]
    for suite, report in zip(suites, reports, strict=True):
        cases = list(suite)
        failed = [cause for cause in report.causes if cause.severity is not Severity.NOTE]
        assert suite.failures == len(failed)
        assert suite.tests == len(cases) == max(1, len(report.causes))
        assert [case.result[0].message for case in cases if case.result] == [cause.title for cause in report.causes]


def test_junit_without_findings_has_a_test_that_passes():
    (suite,) = JUnitXml.fromstring(rendered("junit", Report(input=Input(path="t"))).encode())
    assert [(case.name, case.is_passed) for case in suite] == [("no findings", True)]


def test_gitlab_has_what_its_report_needs_and_each_fingerprint_once(reports):
    entries = json.loads(rendered("gitlab", *reports))
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["lines"]["begin"] >= 1
        assert not entry["location"]["path"].startswith("./")
    prints = [entry["fingerprint"] for entry in entries]
    assert len(set(prints)) == len(prints)
    assert {entry["check_name"] for entry in entries} == {each.name for report in reports for each in report.causes}


def test_github_shows_the_worst_and_counts_the_rest(finding):
    error = msgspec.structs.replace(finding, severity=Severity.ERROR)
    lines = rendered("github", Report(input=Input(path="a,b"), findings=(error,) * 25)).splitlines()
    assert len(lines) == github.MOST
    assert lines[0].startswith("::error file=a%2Cb,line=")
    assert lines[-1].endswith("::16 further findings of this severity are not shown")
    lines = rendered("github", Report(input=Input(path="a"), findings=(error,) * github.MOST)).splitlines()
    assert len(lines) == github.MOST
    assert "further" not in lines[-1]
    command = CommandEnd(argv=("false",), status=1)
    lines = rendered(
        "github", Report(input=Input(path="a"), findings=(error,) * github.MOST, command=command)
    ).splitlines()
    assert len(lines) == github.MOST
    assert lines[-1].endswith("::2 further findings of this severity are not shown")


def test_a_summary_in_markdown_stays_below_the_limit(finding):
    step = Step(line=1, text="close(3) = 0", note="x" * 2000, primary=True)
    large = msgspec.structs.replace(finding, steps=(step,) * 1, why="y" * 2000, fix="z" * 2000)
    text = rendered("markdown", Report(input=Input(path="t"), findings=(large,) * 400))
    assert len(text.encode()) < markdown.MOST_BYTES
    left = int(re.search(r"(\d+) further findings do not fit", text)[1])
    assert text.count("<details>") + left == 400
    assert text.count("<details>") == text.count("</details>") > 100


def test_markdown_ends_the_code_only_where_the_chain_ends(finding):
    step = Step(line=1, text='write(1, "````", 4) = 4', note="n", primary=True)
    text = rendered(
        "markdown", Report(input=Input(path="t"), findings=(msgspec.structs.replace(finding, steps=(step,)),))
    )
    assert text.count("`````text\n") == 1


def test_markdown_shows_the_living_host_after_the_findings(finding):
    look = Look(
        finding="f", line=1108, call="openat", errno="ENOENT", object="/a*b", facts=("/a*b | <b> does not exist",)
    )
    here = Here(host="web1", time="2026-11-28T13:00:00Z", looks=(look,))
    report = Report(input=Input(path="t"), findings=(finding,))
    plain, text = rendered("markdown", report), rendered("markdown", msgspec.structs.replace(report, here=here))
    assert text.startswith(plain)
    added = text.removeprefix(plain)
    assert added.startswith("**now, on this host (web1, 2026-11-28 13:00:00 UTC)**: no part of the evidence\n\n")
    assert r"- line 1,108: openat /a\*b (ENOENT)" in added
    assert r"    - /a\*b \| \<b\> does not exist" in added


def test_jsonl_has_each_finding_and_the_rest_of_the_report(reports):
    report = max(reports, key=lambda one: len(one.findings))
    *found, last = [json.loads(line) for line in rendered("jsonl", report).splitlines()]
    assert [line["finding"]["fingerprint"] for line in found] == [each.fingerprint for each in report.findings]
    assert [each["fingerprint"] for each in last["report"]["ranking"]] == [each.fingerprint for each in report.findings]
    assert {*last["report"]} - {"ranking"} == {*json.loads(rendered("json", report))} - {"findings"}


def test_jsonl_follows_the_schema_of_the_report(reports):
    schema = msgspec.json.schema(Report)
    for report in reports:
        *found, last = [json.loads(line) for line in rendered("jsonl", report).splitlines()]
        whole = {key: value for key, value in last["report"].items() if key != "ranking"}
        whole["findings"] = [line["finding"] for line in found]
        jsonschema.Draft202012Validator(schema).validate(whole)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", ["sarif", "gitlab", "jsonl"])
def test_hostile_text_leaves_json_what_it_is(finding, name, text):
    for line in rendered(name, hostile(finding, text)).splitlines():
        json.loads(line)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_leaves_xml_what_it_is(finding, text):
    (suite,) = JUnitXml.fromstring(rendered("junit", hostile(finding, text)).encode())
    assert (suite.tests, suite.errors) == (5, 4)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_makes_no_further_annotation(finding, text):
    lines = rendered("github", hostile(finding, text)).split("\n")
    assert lines.pop() == ""
    assert len(lines) == 5
    command = re.compile(r"::(?:error|warning|notice) file=[^:,]*,line=\d+,title=[^:,]*::[^\r\n]*\Z")
    assert all(command.match(line) for line in lines)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_makes_no_markup(finding, text):
    shown = rendered("markdown", hostile(finding, text))
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", shown, flags=re.MULTILINE | re.DOTALL)
    assert outside.count("<details>") == outside.count("</details>") == 1
    assert not re.search(r"(?<!\\)<(?!/?details>|/?summary>)", outside)
    assert not re.search(r"(?<!\\)@all|(?<!\\)#1|[^\\]://", outside.partition("<summary>")[0])
