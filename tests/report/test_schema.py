"""Each document follows its schema, and each schema holds every field of the serialised structs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from sample_reports import TRACES as SAMPLES
from sample_reports import report_of

from tracediag.checking import check_folders
from tracediag.library.lines import explain_line
from tracediag.overviews import VIEWS, summarise
from tracediag.overviews.descent.tree import grow_tree
from tracediag.overviews.files.listing import list_files
from tracediag.overviews.following.life import follow
from tracediag.overviews.lives.folder import fold_lives
from tracediag.overviews.peers.listing import list_peers
from tracediag.overviews.searching.context import Lines
from tracediag.overviews.searching.search import Searching
from tracediag.overviews.state.moment import take_state
from tracediag.overviews.why.cause import find_cause
from tracediag.query import compile_field, compile_query
from tracediag.report import formatter
from tracediag.report.cause import document as cause_document
from tracediag.report.explanation import document as explanation_document
from tracediag.report.files import document as files_document
from tracediag.report.following import document as life_document
from tracediag.report.lives import document as lives_document
from tracediag.report.peers import document as peers_document
from tracediag.report.problems import document as check_document
from tracediag.report.schema import DOCUMENTS, schema
from tracediag.report.search import document as search_document
from tracediag.report.search import groups_document
from tracediag.report.state import document as state_document
from tracediag.report.summary_table import document as summary_document
from tracediag.report.tree import document as tree_document
from tracediag.results import findings, report, tree

STRUCTS = [
    found
    for module in (findings, report)
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, msgspec.Struct) and found.__module__ == module.__name__
]


def checked(document: str, text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(text)
    jsonschema.Draft202012Validator(schema(document)).validate(found)
    return found


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_is_a_schema(document: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(document))


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_the_report_has_every_field(struct: type[msgspec.Struct]) -> None:
    found = schema("report")
    definition = found if struct is report.Report else found["$defs"][struct.__name__]
    assert {field.encode_name for field in msgspec.structs.fields(struct)} <= definition["properties"].keys()


def test_the_docstring_of_a_field_is_its_description() -> None:
    assert schema("report")["$defs"]["Step"]["properties"]["note"]["description"].startswith("One clause")
    assert schema("report")["properties"]["advice"]["description"].startswith("How to record better")


def test_reports_of_all_samples_follow_it_and_hold_every_field(samples: tuple[Path, ...]) -> None:
    validator = jsonschema.Draft202012Validator(schema("report"))
    keys = {field.encode_name for field in msgspec.structs.fields(findings.Finding)}
    steps = {field.encode_name for field in msgspec.structs.fields(findings.Step)}
    for path in samples[::2]:  # a fault is recorded in more than one form
        document = json.loads("".join(formatter("json").report(report_of(path))))
        validator.validate(document)
        for finding in document["findings"]:
            assert finding.keys() == keys
            assert all(step.keys() == steps for step in finding["steps"])
            assert finding["name"] in document["rules"]


@pytest.mark.parametrize("by", VIEWS)
def test_summaries_follow_it(by: str) -> None:
    for path in SAMPLES[:6]:
        found = checked("summary", summary_document(summarise([str(path)], by=by)))
        assert found.keys() == schema("summary")["properties"].keys()


def test_explanations_follow_it() -> None:
    for path, line in ((SAMPLES[0], 30), (SAMPLES[-1], 40)):
        found = checked("explanation", explanation_document(explain_line(str(path), line)))
        assert found.keys() == schema("explanation")["properties"].keys()


def test_lives_follow_it() -> None:
    sample = next(path for path in SAMPLES if path.name == "accept-once.strace")
    for asked in ("peer 127.0.0.1", "pid 13569"):
        found = checked("life", life_document(follow(str(sample), asked, data=True)))
        assert found.keys() == schema("life")["properties"].keys()


def test_causes_follow_it() -> None:
    sample = next(path for path in SAMPLES if path.name == "accept-once.strace")
    found = checked("cause", cause_document(find_cause(str(sample), "Broken pipe")))
    assert found.keys() == schema("cause")["properties"].keys()


def test_files_follow_it() -> None:
    for path in SAMPLES[::9]:
        found = checked("files", "".join(files_document(list_files(str(path)))))
        assert found.keys() == schema("files")["properties"].keys()


def test_shapes_of_lives_follow_it() -> None:
    for path in SAMPLES[::9]:
        found = checked("lives", lives_document(fold_lives(str(path))))
        assert found.keys() == schema("lives")["properties"].keys()


def test_peers_follow_it() -> None:
    for path in SAMPLES[::9]:
        found = checked("peers", "".join(peers_document(list_peers(str(path)))))
        assert found.keys() == schema("peers")["properties"].keys()


def test_checks_of_rules_follow_it() -> None:
    found = checked(
        "check", check_document(check_folders([Path(__file__).parents[1] / "data" / "own_rules" / "broken"]))
    )
    assert found.keys() == schema("check")["properties"].keys()
    assert found["problems"]


def test_states_follow_it() -> None:
    for path in SAMPLES[::14]:
        lines = len(path.read_bytes().splitlines())
        found = checked("state", state_document(take_state(str(path), lines // 2)))
        assert found.keys() == schema("state")["properties"].keys()


def test_searches_follow_it() -> None:
    query = compile_query("failed")
    for path in SAMPLES[:6]:
        search = Searching(str(path), query, surroundings=Lines(2), why=True)
        found = checked("search", "".join(search_document(query.text, search, search.source)))
        assert found.keys() == schema("search")["properties"].keys()
        groups = checked("groups", groups_document(Searching(str(path), query).grouped(compile_field("errno"))))
        assert groups.keys() == schema("groups")["properties"].keys()


def test_trees_follow_it() -> None:
    for path in SAMPLES[:6]:
        found = checked("tree", tree_document(grow_tree(str(path))))
        assert found.keys() == schema("tree")["properties"].keys()
        fields = {field.encode_name for field in msgspec.structs.fields(tree.Node)} - {"children"} | {"parent"}
        assert schema("tree")["$defs"]["Node"]["properties"].keys() == fields


def test_an_unknown_document_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no document 'x'; there are report, .*, cause"):
        schema("x")
