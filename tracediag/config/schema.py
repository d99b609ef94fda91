"""The keys of the configuration, with their types; what each may hold is told from the types."""

from __future__ import annotations

from typing import Annotated

import msgspec


class Config(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """What is set, in the words of the file; the docstring of a key is its description."""

    rules: Annotated[tuple[str, ...], msgspec.Meta(description="folders of rules of the user's own")] = ()
    """Folders of rules of the user's own, relative to the folder of the file."""


def keys() -> dict[str, msgspec.inspect.Field]:
    """Return the fields by their keys in the file."""
    described = msgspec.inspect.type_info(Config)
    assert isinstance(described, msgspec.inspect.StructType)
    return {field.encode_name: field for field in described.fields}


def valid(kind: msgspec.inspect.Type, *, several: bool = False) -> str:
    """Return in words what a key of a type may hold: "a list of strings", "true or false", "one of a, b"."""
    match kind:
        case msgspec.inspect.Metadata(type=inner):
            return valid(inner, several=several)
        case msgspec.inspect.VarTupleType(item_type=item) | msgspec.inspect.ListType(item_type=item):
            return f"{'lists' if several else 'a list'} of {valid(item, several=True)}"
        case msgspec.inspect.LiteralType(values=values):
            return f"{'any' if several else 'one'} of {', '.join(map(str, values))}"
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
    msgspec.inspect.NoneType: ("nothing", "nothing"),
}
