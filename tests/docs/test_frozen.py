"""docs/schemas/: an edition of a document, and the library, lose nothing that a program relies on."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import schemas

FROZEN = json.loads((schemas.FOLDER / "tracediag-report-2.json").read_text("utf-8"))
STEP = FROZEN["$defs"]["Step"]


def test_nothing_is_lost() -> None:
    assert not (gone := schemas.changes()), "\n".join([*gone, schemas.ADVICE])


def test_every_document_of_today_is_frozen() -> None:
    missing = [name for name in schemas.schemas() if not (schemas.FOLDER / name).is_file()]
    assert not missing, "make schemas"


def _changed(act: Any) -> list[str]:
    new = copy.deepcopy(FROZEN)
    act(new["$defs"]["Step"], new)
    return list(schemas.lost(FROZEN, new))


def test_what_is_told() -> None:
    assert not _changed(lambda _step, _new: None)
    assert _changed(lambda step, _: step["properties"].pop("note"))[0].endswith(".note is gone")
    assert _changed(lambda step, _: step["required"].remove("note"))[0].endswith(".note is no longer required")
    assert _changed(lambda step, _: step["properties"]["line"].update(type="string"))
    assert _changed(lambda step, _: step["properties"].update(line={"anyOf": [{"type": "integer"}, {"type": "null"}]}))
    assert _changed(lambda step, _: step["properties"]["pid"]["anyOf"].append({"type": "string"}))
    assert _changed(lambda _, new: new["$defs"]["Severity"]["enum"].remove("note"))
    assert _changed(lambda _, new: new["properties"].pop("findings")) == [".findings is gone"]


def test_what_is_a_gain() -> None:
    assert not _changed(lambda step, _: step["properties"].update(invented={"type": "string"}))
    assert not _changed(lambda step, _: step["required"].append("invented"))
    assert not _changed(lambda _, new: new["$defs"]["Severity"]["enum"].append("hint"))
    assert not _changed(lambda step, _: step["properties"]["note"].update(description="other words"))


def test_a_definition_may_have_another_name() -> None:
    text = json.dumps(FROZEN).replace('"#/$defs/Step"', '"#/$defs/Proof"').replace('"Step": {', '"Proof": {')
    assert not list(schemas.lost(FROZEN, json.loads(text)))


@pytest.mark.parametrize(("required", "told"), [([], []), (["select"], [".select is now required"])])
def test_a_file_of_the_user_may_not_need_more(required: list[str], told: list[str]) -> None:
    old = {"properties": {"select": {"type": "string"}}, "required": []}
    assert list(schemas.lost(old, old | {"required": required}, is_input=True)) == told


def test_the_library_may_only_gain() -> None:
    old = {"open_trace": ["source!", "select"], "Trace": ["calls", "files"]}
    assert not list(schemas.missing(old, old | {"open_trace": ["source!", "select", "rules"], "Calls": []}))
    new = {"open_trace": ["source!", "select!", "limit!"], "Trace": ["calls"]}
    assert len(list(schemas.missing(old, new))) == 4
    assert list(schemas.missing(old, {"Trace": ["calls", "files"]})) == ["open_trace is gone"]
