"""`rules check`: all that is wrong with all pages at a time, with line and column; nothing where nothing is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from command_line import tracediag

from tracediag.checking import check_folders
from tracediag.checking.pages import MOST_PROBLEMS
from tracediag.checking.traces import MOST_TRACES
from tracediag.rules.pages import MARK

ROOT = Path(__file__).parents[2]
DATA = Path("tests") / "data" / "own_rules"
METRICS = "metrics_collector_down.md"
GOOD = sorted((ROOT / DATA / "good").glob("*.md"))


def check(*folders: Path, form: str = "full") -> subprocess.CompletedProcess[str]:
    return tracediag("rules", "check", "--format", form, *folders, cwd=ROOT)


def said(folder: Path) -> list[str]:
    """Return the problems of a folder without its name."""
    return [str(problem).removeprefix(f"{folder}/") for problem in check_folders([folder]).problems]


def changed(folder: Path, page: str, *changes: tuple[str, str]) -> Path:
    """Write one good page with changes to a folder."""
    text = (ROOT / DATA / "good" / page).read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / page).write_text(text)
    return folder


def test_exit_code_and_summary() -> None:
    sound, broken = check(DATA / "good"), check(DATA / "good", DATA / "broken")
    assert (sound.returncode, sound.stdout) == (0, "")
    assert sound.stderr == "tracediag: 5 pages, 10 traces analysed: 0 problems\n"
    assert broken.returncode == 1
    assert broken.stderr == "tracediag: 10 pages, 20 traces analysed: 16 problems\n"
    assert {line.partition(":")[0] for line in broken.stdout.splitlines()} == {
        str(path.relative_to(ROOT)) for path in (ROOT / DATA / "broken").glob("*.md")
    }
    document = json.loads(check(DATA / "broken", form="json").stdout)
    assert document["schema"] == "tracediag-check/1"
    first = document["problems"][0]
    assert (first["file"], first["line"], first["column"]) == (str(DATA / "broken" / "contradiction.md"), 5, 27)


@pytest.mark.parametrize("page", GOOD, ids=lambda page: page.stem)
def test_the_good_pages_have_marks_so_that_they_prove_something(page: Path) -> None:
    assert any(MARK.match(line) for line in page.read_text().splitlines())


@pytest.mark.parametrize(
    ("page", "before", "after", "problem"),
    [
        ("fixed_sleep.md", "# fixed-sleep (ACME103)", "# fixed-sleep (TD103)", "11:1: the code TD103: TD stands for"),
        ("fixed_sleep.md", "(ACME103)", "(acme103)", "the code 'acme103' is not capital letters"),
        ("fixed_sleep.md", "# fixed-sleep (", "# crashed (", "the page is of crashed: its file has to be crashed.md"),
        ("fixed_sleep.md", "needs: durations\n", "", "5:8: the query needs durations, which not every recording has"),
        ("fixed_sleep.md", "needs: durations", "needs: luck", "4: needs: luck is none of times, durations"),
        ("fixed_sleep.md", "title: {call}", "titel: {call}", "no field of a head is named titel"),
        ("fixed_sleep.md", "title: {call}", "title {call}", "title {call} sleeps {duration}; write NAME: TEXT"),
        ("fixed_sleep.md", "{duration}", "{3.duration}", "7: {3.duration}: a match has 1 call"),
        ("fixed_sleep.md", "duration >= 50ms", "duration >= 5s", "19: the rule finds nothing in this trace"),
        ("fixed_sleep.md", "duration >= 50ms", "duration >= 1us", "32: not quiet: the rule reports"),
        ("fixed_sleep.md", "primary note certain", "primary error certain", "22: the step here is: #^ ACME103 step 1"),
        ("fixed_sleep.md", "step 1 primary", "step 2 primary", "22: the step here is: #^ ACME103 step 1 primary note"),
        ("fixed_sleep.md", "```trace quiet", "```text", "1: the page has no trace on which the rule is quiet"),
        ("fixed_sleep.md", "```trace\n", "```text\n", "1: the page has no trace that shows the fault"),
        ("fixed_sleep.md", "```trace\n", "``` trace\n", "1: the page has no trace that shows the fault"),
        ("fixed_sleep.md", "```trace\n", "```trace loud\n", "19: this trace is not read"),
        ("fixed_sleep.md", "#^ ACME103 step 1 primary", "#^ ACME103 primary", "22: the step here is: #^ ACME103"),
        ("fixed_sleep.md", "```trace quiet\n", "```trace quiet\n#^ ACME103 step 1\n", "31: a quiet trace has no steps"),
        ("fixed_sleep.md", "durations\n\nmatch", "durations\nmatch", "4: a blank line has to follow: match begins"),
        ("fixed_sleep.md", "timeout\n---\n", "timeout\n\n", "1: the head has no end, a line of three dashes"),
        ("lookup_repeated.md", "#^ ACME202 step 1\n", "", "this step is not marked: #^ ACME202 step 1"),
        ("fixed_sleep.md", "{call} sleeps", "{call}" * 21, "7: a text has at most 1,000 characters and 20 parts"),
        ("fixed_sleep.md", "{call} sleeps", "x" * 1001, "7: a text has at most 1,000 characters and 20 parts"),
        ("fixed_sleep.md", "call in %sleep", "failed or " * 500 + "failed", "6: match: a query of a page has at most"),
        ("lookup_repeated.md", "by path", "by pathe", "no object is named pathe; did you mean path?"),
        ("lookup_repeated.md", "within 1s", "within 1KiB", "within takes a time"),
        ("lookup_repeated.md", "errno == ENOENT", "errno == ENOENT and errno == EIO", "this can never match"),
        ("settings_replaced_unsynced.md", r"new$", r"(\w+)+new$", "can take forever"),
        (METRICS, "when: errno", 'when: path ~ "(a+)+$" and errno', "13:14: this expression can take"),
        (METRICS, "when: errno ==", "when: errno == ENOENT and errno ==", "13:7: this can never match"),
        (METRICS, "when: errno ==", "when: erno ==", "13:7: nothing is named erno; did"),
        (METRICS, "when: ", "when: count by path [failed] >= 2 #", "13: when: a condition of the last call"),
        (METRICS, "severity: warning", "severity: note, error", "14: severity: one of error, warning, note"),
        (METRICS, "severity: warning", "once: peer", "14: no field of a head is named once; here may stand when"),
        (METRICS, "once: peer", "once: peers", "6: once: peers is none of description, descriptor"),
        (METRICS, "{ within {duration}}", "{ within {durat}}", "15: {durat}: nothing is named durat"),
        (METRICS, "{ within {duration}}", "{ within }", "15: { within }: nothing is named within"),
        (METRICS, "the metrics\n", "x | fd.created: x" * 20 + "\n", "7: shows: at most 20 events"),
        (METRICS, "once: peer", "ended: end.faild", "6:8: nothing is named end.faild; did you mean end.failed?"),
        (METRICS, "once: peer", "ended: count by peer [failed] >= 2", "6: ended: a condition of the last call"),
        (METRICS, "when: errno ==", "when: end.failed and errno ==", "13: when: how the process ends is known only in"),
        (METRICS, "fd.created:", "fd.creatd:", "7: shows: no earlier event is named fd.creatd; did"),
        (METRICS, ": the socket for the metrics", "", "7: shows: what fd.created means follows it"),
        (METRICS, ": connection-refused", ": conection-refused", "11: explains: no rule is named conection-"),
        (METRICS, ": connection-refused", ": crashed at end.exti", "11: explains: no event is named end.exti; did you"),
        (METRICS, "severity: warning", "rests_on: clse", "14: rests_on: no call is named clse; did you mean close?"),
        ("fixed_sleep.md", "needs:", "rests_on: luck\nneeds:", "4: rests_on: luck is none of successes, failures"),
        (METRICS, "\nwhen:", "\nwen:", "13: no field of a head is named wen"),
        ("settings_replaced_unsynced.md", r"settings\.new", r"settings.new", "this dot matches any character"),
    ],
)  # fmt: skip
def test_each_mistake_is_told(tmp_path: Path, page: str, before: str, after: str, problem: str) -> None:
    found = said(changed(tmp_path, page, (before, after)))
    assert any(problem in line for line in found), found


def test_mistakes_hide_no_others(tmp_path: Path) -> None:
    changed(
        tmp_path, "fixed_sleep.md",
        ("severity: note", "severity: low"), ("needs: durations", "needs: luck"), ("{call} sleeps", "{cal} sleeps"),
        ("call in %sleep", "call in %slep"), ("duration >=", "durtion >="), ("why: a", "wy: a"),
    )  # fmt: skip
    lines = [line.split(": ")[0] for line in said(tmp_path)]
    assert lines == [f"fixed_sleep.md:{place}" for place in ("2", "4", "6:16", "6:26", "7", "8")]


def test_a_trace_that_is_none_is_told(tmp_path: Path) -> None:
    text = (ROOT / DATA / "good" / "fixed_sleep.md").read_text()
    start, end = text.index("```trace\n") + 9, text.index("```\n\n## A trace that does not")
    (tmp_path / "fixed_sleep.md").write_text(f"{text[:start]}no\ntrace\n{text[end:]}")
    assert any("fixed_sleep.md:19: " in line for line in said(tmp_path))


def test_codes_are_unique_over_all_folders(tmp_path: Path) -> None:
    changed(tmp_path, "fixed_sleep.md")
    problems = check_folders([tmp_path, ROOT / DATA / "good"]).problems
    assert [problem.message for problem in problems] == [f"the code ACME103 is taken by {tmp_path}/fixed_sleep.md"]


def test_a_hidden_page_is_checked_as_a_query_and_is_no_rule(tmp_path: Path) -> None:
    changed(tmp_path, "fixed_sleep.md", ("match: call in %sleep and duration >= 50ms", "match: _long-sleep"))
    (tmp_path / "_long-sleep.md").write_text("---\nmatch: call in %sleep and duration >= 50ms\n---\n")
    assert said(tmp_path) == []
    (tmp_path / "_long-sleep.md").write_text("---\nmatch: call in %slep\n---\n")
    assert [line.split(": ")[0] for line in said(tmp_path)] == ["_long-sleep.md:2:16", "fixed_sleep.md:6"]
    (tmp_path / "_long-sleep.md").write_text('---\nmatch: call in %sleep and path ~ "(a+)+$"\n---\n')
    found = said(tmp_path)
    assert any(
        line.startswith(
            "fixed_sleep.md:6: match: the page _long-sleep, line 2: match: this expression can take forever"
        )
        for line in found
    ), found


def test_a_page_of_many_traces_is_not_analysed_without_end(tmp_path: Path) -> None:
    changed(tmp_path, "fixed_sleep.md")
    with (tmp_path / "fixed_sleep.md").open("a") as page:
        page.write("\n```trace quiet\nclose(3) = 0\n```\n" * (MOST_TRACES + 1))
    found = check_folders([tmp_path])
    assert found.traces == MOST_TRACES
    (problem,) = found.problems
    assert problem.message == f"not analysed: a page has at most {MOST_TRACES} traces"


def test_very_many_problems_are_cut(tmp_path: Path) -> None:
    changed(tmp_path, "fixed_sleep.md")
    with (tmp_path / "fixed_sleep.md").open("a") as page:
        page.write("\n" + "```trace\n" * (MOST_PROBLEMS + 9))
    assert len(check_folders([tmp_path]).problems) == MOST_PROBLEMS


def test_of_a_head_without_a_blank_line_no_field_is_missed(tmp_path: Path) -> None:
    changed(tmp_path, "fixed_sleep.md", ("durations\n\nmatch", "durations\nmatch"))
    assert said(tmp_path) == ["fixed_sleep.md:4: a blank line has to follow: match begins a case"]


def test_pages_that_refer_to_one_another_are_told_in_one_step(tmp_path: Path) -> None:
    text = (ROOT / DATA / "good" / "fixed_sleep.md").read_text()
    for number in range(1, 12):
        to = f"page-{number + 1}" if number < 11 else "page-10"
        page = text.replace("call in %sleep and duration >= 50ms", to).replace("fixed-sleep", f"page-{number}")
        (tmp_path / f"page-{number}.md").write_text(page.replace("ACME103", f"ACME{number}"))
    found = said(tmp_path)
    assert len(found) == 11
    assert all(line.count("match: ") == 2 and "in a circle" in line for line in found), found


def test_a_head_of_another_page_that_is_malformed_is_told_where_it_is(tmp_path: Path) -> None:
    changed(tmp_path, "fixed_sleep.md", ("match: call in %sleep and duration >= 50ms", "match: _long-sleep"))
    (tmp_path / "_long-sleep.md").write_text("---\n\n\n\nno field\n---\n")
    found = [line for line in said(tmp_path) if line.startswith("fixed_sleep.md")]
    (told,) = found
    assert told.startswith(
        "fixed_sleep.md:6: match: the page _long-sleep, line 5: the head of the page: no field: no fi"
    )


@pytest.mark.parametrize(
    "files", [{}, {"README.md": "# Rules\n", "notes.txt": "---\ncode: X1\n---\n"}], ids=["empty", "none"]
)
def test_a_folder_without_a_page_is_told(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = check(tmp_path)
    assert done.returncode == 2
    assert f"tracediag: {tmp_path}: no rule: none of its files is a page, NAME.md with a head" in done.stderr
