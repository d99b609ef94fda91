"""The JSON Schema of each document that tracediag prints, generated from the structs that are serialised.

The docstring of a field is its description. An edition only gains fields: no schema forbids unknown keys.
"""

from __future__ import annotations

import ast
import inspect
import sys
from itertools import pairwise
from typing import Any

import msgspec

from tracediag.report.abilities import SCHEMA as DOCTOR
from tracediag.report.cause import SCHEMA as CAUSE
from tracediag.report.document import DOCUMENTS
from tracediag.report.explanation import SCHEMA as EXPLANATION
from tracediag.report.files import SCHEMA as FILES
from tracediag.report.following import SCHEMA as LIFE
from tracediag.report.lives import SCHEMA as LIVES
from tracediag.report.peers import SCHEMA as PEERS
from tracediag.report.problems import SCHEMA as CHECK
from tracediag.report.search import GROUPS_SCHEMA as GROUPS
from tracediag.report.search import SCHEMA as SEARCH
from tracediag.report.state import SCHEMA as STATE
from tracediag.report.summary_table import SCHEMA as SUMMARY
from tracediag.report.tree import SCHEMA as TREE
from tracediag.results import (
    abilities,
    cause,
    explanation,
    files,
    findings,
    following,
    here,
    lives,
    many,
    overview,
    peers,
    problems,
    report,
    search,
    state,
    tables,
    tree,
)
from tracediag.trace import stacks

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HOMES = (
    *(findings, overview, here, report, tables, tree, state, explanation, following),
    *(cause, search, files, lives, peers, problems, many, abilities, stacks),
)


def schema(document: str) -> dict[str, Any]:
    """Return the JSON Schema of a document; ValueError if there is no such document."""
    if document not in _STRUCTS:
        raise ValueError(f"no document {document!r}; there are {', '.join(DOCUMENTS)}")
    edition, struct = _STRUCTS[document]
    generated = _generated(struct)
    return _published(edition, _FLATTENED.get(document, _same)(generated))


def _same(generated: dict[str, Any]) -> dict[str, Any]:
    return generated


def _generated(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a struct, its own object at the top level, with the docstrings of its fields."""
    found: dict[str, Any] = msgspec.json.schema(struct)
    definitions: dict[str, Any] = found["$defs"]
    for name, definition in definitions.items():
        home = next((home for home in _HOMES if hasattr(home, name)), None)
        if home is not None and "properties" in definition:
            _describe(definition["properties"], getattr(home, name))
    top: dict[str, Any] = definitions.pop(struct.__name__)
    return {**top, "$defs": definitions}


def _describe(properties: dict[str, Any], struct: type[msgspec.Struct]) -> None:
    described = _docstrings(struct)
    for field in msgspec.structs.fields(struct):
        if field.name in described:
            properties[field.encode_name]["description"] = described[field.name]


def _docstrings(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstrings of the fields of a struct, each on one line; none if the source is not installed."""
    try:
        source = inspect.getsource(sys.modules[struct.__module__])
    except OSError:
        return {}
    classes = {node.name: node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    body = classes[struct.__name__]
    found = {}
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                found[name] = " ".join(said.split())
    return found


def _published(edition: str, generated: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with its dialect, its name and the edition in each document."""
    name, _, number = edition.partition("/")
    generated["properties"] = {"schema": {"description": "The edition of this document.", "const": edition}} | {
        key: value for key, value in generated["properties"].items() if key != "schema"
    }
    required = [key for key in generated.get("required", ()) if key != "schema"]
    return {
        "$schema": _DIALECT,
        "$id": f"urn:{name.replace('-', ':')}:{number}",
        **generated,
        "title": f"{name.replace('-', ' ')}, edition {number}",
        "required": ["schema", *required],
    }


def _summary(generated: dict[str, Any]) -> dict[str, Any]:
    """Merge the times of a row into the row, as in the document."""
    row, times = generated["$defs"]["Row"], generated["$defs"].pop("Times")
    del row["properties"]["times"]
    row["properties"] |= times["properties"]
    row["required"].remove("times")
    return generated


def _tree(generated: dict[str, Any]) -> dict[str, Any]:
    """Describe the processes as the flat list in the document."""
    node = generated["$defs"]["Node"]
    del node["properties"]["children"]
    node["required"] = ["parent", *(key for key in node["required"] if key != "children")]
    node["properties"] = {
        "parent": {
            "description": "The place of its parent in this list, from 0; null for a process at the top.",
            "anyOf": [{"type": "integer"}, {"type": "null"}],
        }
    } | node["properties"]
    del generated["properties"]["roots"]
    generated["properties"]["processes"] = {"type": "array", "items": {"$ref": "#/$defs/Node"}}
    generated["required"] = [key if key != "roots" else "processes" for key in generated["required"]]
    return generated


_STRUCTS: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "report": (report.SCHEMA, report.Report),
    "many": (many.SCHEMA, many.ManyReport),
    "summary": (SUMMARY, tables.Summary),
    "tree": (TREE, tree.Tree),
    "state": (STATE, state.State),
    "explanation": (EXPLANATION, explanation.Explanation),
    "life": (LIFE, following.Life),
    "cause": (CAUSE, cause.Cause),
    "search": (SEARCH, search.Search),
    "groups": (GROUPS, search.Groups),
    "files": (FILES, files.Files),
    "lives": (LIVES, lives.Lives),
    "peers": (PEERS, peers.Peers),
    "check": (CHECK, problems.Check),
    "doctor": (DOCTOR, abilities.Doctor),
}
"""The edition of each document, and the struct that it shows."""
_FLATTENED = {"summary": _summary, "tree": _tree}
"""Documents of another shape than their struct."""
