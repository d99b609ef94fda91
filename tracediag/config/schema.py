"""The keys of the configuration, with their types; what each may hold is told from the types."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec

from tracediag.report import FORMATS
from tracediag.results.grades import Severity
from tracediag.results.limits import PATTERN
from tracediag.trace.quantities import TIME, in_seconds

_Words = Annotated[str, msgspec.Meta(description="names, codes, prefixes of codes, or families of rules")]
_Format = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(FORMATS)})]
_Limits = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": PATTERN})]
_Output = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": f"^({'|'.join(FORMATS)}):."})]


_Reason = Annotated[str, msgspec.Meta(min_length=1, description="why; shown where the entry is reported")]
_Glob = Annotated[str, msgspec.Meta(description="a pattern in which * stands for any characters")]


class Ignore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Findings that are left out: those that fit all that the entry names."""

    reason: _Reason
    rule: _Words | tuple[_Words, ...] = ()
    program: _Glob = ""
    path: _Glob = ""
    peer: _Glob = ""
    until: Annotated[date | None, msgspec.Meta(description="the last day on which the entry holds")] = None

    @property
    def described(self) -> str:
        """What it is about, in one line: "TD202, peer 10.0.0.5"."""
        words = self.rule if isinstance(self.rule, str) else " ".join(self.rule)
        scopes = [f"{name} {held}" for name in SCOPES[1:] if (held := getattr(self, name))]
        return ", ".join(filter(None, (words, *scopes)))


SCOPES = ("rule", "program", "path", "peer")
"""The keys of which an ignore has at least one."""


class Regrade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules whose findings have another severity in this project."""

    rule: _Words | tuple[_Words, ...]
    severity: Severity
    reason: _Reason


_Time = Annotated[str, msgspec.Meta(pattern=TIME)]
_Turns = Annotated[int, msgspec.Meta(ge=2, le=1_000_000)]


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """From when on rules report loops and costs; the defaults are those of the rules."""

    slow_call: Annotated[_Time, msgspec.Meta(description="how long a call takes that slow-call reports")] = "1s"
    unanswered: Annotated[
        _Time, msgspec.Meta(description="how long a request or DNS query that still waits at the end has no answer")
    ] = "2s"
    event_loop_turns: Annotated[
        _Turns, msgspec.Meta(description="turns in which an event loop is woken and gets nothing done")
    ] = 3
    repeated_calls: Annotated[
        _Turns, msgspec.Meta(description="like calls in a row of a loop without a wait, in which each gets nothing")
    ] = 50
    left_open: Annotated[
        _Turns, msgspec.Meta(description="descriptors of one origin that stay open; at least 3 are no leak")
    ] = 3

    @property
    def changed(self) -> dict[str, float]:
        """The thresholds that are not the usual ones, by key: turns, or seconds."""
        usual = Thresholds()
        fields = keys(Thresholds)
        given = {key: getattr(self, field.name) for key, field in fields.items()}
        return {
            key: value if isinstance(value, int) else in_seconds(value)
            for key, value in given.items()
            if value != getattr(usual, fields[key].name)
        }


class Config(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """What is set, in the words of the file; the description of a key is in its schema, too."""

    select: Annotated[tuple[_Words, ...], msgspec.Meta(description="the rules that apply; all, if none is named")] = ()
    extend_select: Annotated[
        tuple[_Words, ...], msgspec.Meta(description="rules that apply besides those of `select`")
    ] = ()
    ignore: Annotated[tuple[_Words, ...], msgspec.Meta(description="rules that do not apply, even if selected")] = ()
    rules: Annotated[
        tuple[str, ...], msgspec.Meta(description="folders of rules of your own, relative to the folder of the file")
    ] = ()
    fail_on: Annotated[
        _Limits | tuple[_Limits, ...],
        msgspec.Meta(description="which findings mean exit code 1: never, or SEVERITY[:CONFIDENCE][>=COUNT]"),
    ] = "warning"
    format: Annotated[_Format, msgspec.Meta(description="the format of the report on standard output")] = FORMATS[0]
    output: Annotated[
        tuple[_Output, ...],
        msgspec.Meta(description="further reports, FORMAT:FILE; files are relative to the folder of the file"),
    ] = ()

    ignores: Annotated[
        tuple[Ignore, ...], msgspec.Meta(description="findings that are left out, each with a reason")
    ] = ()
    severities: Annotated[
        tuple[Regrade, ...], msgspec.Meta(description="other severities of rules, each with a reason")
    ] = ()
    baseline: Annotated[
        str, msgspec.Meta(description="the file of known findings, relative to the folder of the file")
    ] = ""
    baseline_strict: Annotated[
        bool, msgspec.Meta(description="a finding of the baseline that is fixed fails until it is removed from it")
    ] = False

    thresholds: Annotated[Thresholds, msgspec.Meta(description="from when on rules report loops and costs")] = (
        Thresholds()
    )

    @property
    def limits(self) -> str:
        """The limits of `fail-on` as one text, as on the command line."""
        return self.fail_on if isinstance(self.fail_on, str) else ", ".join(self.fail_on)


def keys(table: type[msgspec.Struct] = Config) -> dict[str, msgspec.inspect.Field]:
    """Return the fields of a table by their keys in the file."""
    described = msgspec.inspect.type_info(table)
    assert isinstance(described, msgspec.inspect.StructType)
    return {field.encode_name: field for field in described.fields}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of tracediag.toml, which is also that of the table `tool.tracediag` of pyproject.toml."""
    found: dict[str, Any] = msgspec.json.schema(Config)
    definitions = found["$defs"]
    top = definitions.pop("Config")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:tracediag:config:1",
        **top,
        "title": "tracediag configuration",
        "additionalProperties": False,
        "$defs": definitions,
    }


def valid(kind: msgspec.inspect.Type, *, several: bool = False) -> str:
    """Return in words what a key of a type may hold: "a list of strings", "true or false", "one of a, b"."""
    match kind:
        case msgspec.inspect.Metadata(type=inner):
            return valid(inner, several=several)
        case msgspec.inspect.VarTupleType(item_type=item) | msgspec.inspect.ListType(item_type=item):
            return f"{'lists' if several else 'a list'} of {valid(item, several=True)}"
        case msgspec.inspect.LiteralType(values=values):
            return f"{'any' if several else 'one'} of {', '.join(map(str, values))}"
        case msgspec.inspect.EnumType(cls=members):
            return f"{'any' if several else 'one'} of {', '.join(member.value for member in members)}"
        case msgspec.inspect.UnionType(types=types):
            return " or ".join(valid(each, several=several) for each in types)
        case _:
            one, many = _WORDS.get(type(kind), ("a table", "tables"))
            return many if several else one


_WORDS: dict[type, tuple[str, str]] = {
    msgspec.inspect.StrType: ("a string", "strings"),
    msgspec.inspect.BoolType: ("true or false", "true or false"),
    msgspec.inspect.IntType: ("a whole number", "whole numbers"),
    msgspec.inspect.FloatType: ("a number", "numbers"),
    msgspec.inspect.DateType: ("a date, such as 2026-12-31", "dates"),
    msgspec.inspect.NoneType: ("nothing", "nothing"),
}
