import json

import jsonschema
import msgspec
import pytest

from tracediag.report import FORMATS, Look, as_document, formatter
from tracediag.report.summary import summary
from tracediag.results.report import Report

TERMINAL = Look(colour=True, width=100)
SCHEMA = msgspec.json.schema(Report)


def render(report, name, look=None):
    return "".join(formatter(name, look).report(report))


@pytest.mark.parametrize("name", FORMATS)
def test_off_a_terminal(report, name, snapshot):
    assert render(report, name) == snapshot


@pytest.mark.parametrize("name", FORMATS)
def test_on_a_terminal(report, name, snapshot):
    assert render(report, name, TERMINAL) == snapshot


@pytest.mark.parametrize("name", FORMATS)
def test_of_nothing_found(empty, name, snapshot):
    assert render(empty, name) == snapshot


def test_full_in_ascii(report, snapshot):
    shown = render(report, "full", Look(ascii_only=True))
    assert shown.isascii()
    assert shown == snapshot


@pytest.mark.parametrize("name", [name for name in FORMATS if as_document(formatter(name)) is None])
def test_a_single_finding_is_a_piece_of_the_report(report, finding, name):
    alone = formatter(name).finding(finding, report.input.path)
    assert alone.strip() in render(report, name)


def test_json_follows_its_schema(report, empty):
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    for each in (report, empty):
        validator.validate(json.loads(render(each, "json")))


def test_json_is_one_line_of_ascii(report):
    shown = render(report, "json")
    assert shown.isascii()
    assert shown.count("\n") == 1


def test_json_holds_what_a_finding_explains(report):
    kept, bare = json.loads(render(report, "json"))["findings"]
    assert kept["explains"] == [{"name": "write-after-peer-closed", "line": 1324}]
    assert bare["explains"] == []


def test_the_schema_refuses_two_primary_steps(report):
    document = json.loads(render(report, "json"))
    for step in document["findings"][0]["steps"]:
        step["primary"] = True
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_summary(report, empty):
    assert summary(report) == "run.strace: 1,374 lines, 1,200 calls (2 lines not understood): 1 error, 1 note"
    assert summary(empty) == "empty run.strace: 3 lines, 3 calls: no findings"


def test_unknown_format():
    with pytest.raises(ValueError, match="no format 'xml'; there are full, concise, json"):
        formatter("xml")


@pytest.mark.parametrize("name", ["full", "concise"])
def test_a_doubt_comes_before_the_first_finding(report, name):
    doubted = msgspec.structs.replace(report, input=msgspec.structs.replace(report.input, doubt="no line shows a call"))
    assert "no line shows a call" in render(doubted, name).splitlines()[0]
    assert render(doubted, name).endswith(render(report, name))


def test_json_holds_the_doubt(report):
    doubted = msgspec.structs.replace(report, input=msgspec.structs.replace(report.input, doubt="no line shows a call"))
    assert json.loads(render(doubted, "json"))["input"]["doubt"] == "no line shows a call"
