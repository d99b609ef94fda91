"""What is wrong with a text that is not of the language: what stands at the place, and what may stand there."""

from __future__ import annotations

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from tracediag.query.errors import QueryError, nearest
from tracediag.query.types import OPERATORS
from tracediag.trace.patterns import lazy_pattern

_READABLE = {
    "WORD": "a name",
    "CLASS": "a class such as %file",
    "STRING": "a string in quotes",
    "NUMBER": "a number",
    "QUANTITY": "a time such as 100ms",
    "COMPARISON": "a comparison",
    "_AT_LEAST": ">=",
    "MATCHING": "~",
    "_ASSIGN": "=",
    "_LSQB": "[",
    "_RSQB": "]",
    "_LPAR": "(",
    "_RPAR": ")",
    "_COMMA": ",",
    "_SEMICOLON": "",
    "_LET": "",
    "$END": "the end",
}
_KEYWORDS = (
    *(
        "let",
        "sequence",
        "count",
        "sum",
        "absent",
        "by",
        "until",
        "unless",
        "between",
        "within",
        "and",
        "or",
        "not",
        "in",
        "has",
    ),
    *("under", "reports", "it", "arg"),
)
_WORD = lazy_pattern(r"\S[\w.]*+")
_SHOWN = 40
"""Characters of what stands at the place that a message shows."""
_UNIT = lazy_pattern(r"[0-9.]++([A-Za-zµ]++)")
_UNITS = ("ns", "us", "µs", "ms", "s", "min", "h", "KiB", "MiB", "GiB")
_BARE = lazy_pattern(r"(?<![\w.])[0-9.]{1,30}\s*\Z")
_NEGATIVE = lazy_pattern(r"-E[A-Z]")
_NAME = lazy_pattern(r"(?:\A|[\[(;]|\band|\bor|\bnot)\s*([A-Za-z_][\w.]*)\s*\Z")
_HABITS = {
    "=": "write == to compare",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
    '"': "this string does not end",
    "'": "this string does not end",
    "/": "write a path or a regular expression in double quotes",
}
"""What people write who know other languages."""


def explained(text: str, error: UnexpectedInput) -> QueryError:
    """Return the error in words: what stands at the place, and what may stand there."""
    ends = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    place = len(text.rstrip()) if ends else error.pos_in_stream or 0
    expected: set[str] = set(getattr(error, "accepts", None) or getattr(error, "allowed", None) or ())
    wanted = "the end" if expected == {"$END"} and text[:place].rstrip().endswith("]") else _wanted(expected)
    if ends:
        return QueryError(text, place, f"the query ends too early; expected {wanted}")
    found = _WORD.match(text, place)
    word = text[place : place + 1] if found is None else found[0]
    if isinstance(error, UnexpectedToken):
        word = f"{error.token}"[:_SHOWN]
    habit = _HABITS.get(text[place : place + 1])
    if habit is not None and (isinstance(error, UnexpectedCharacters) or text[place] not in "\"'"):
        return QueryError(text, place, f"unexpected {word!r}: {habit}")
    if (why := _of_number(text, place, word)) or (why := _of_comparison(text, place, wanted)):
        return QueryError(text, place, f"unexpected {word!r}: {why}")
    keywords = [name[1:].lower() for name in expected if name[:1] == "_" and name[1:].lower() in _KEYWORDS]
    if word in _KEYWORDS and "WORD" in expected:
        return QueryError(text, place, f"{word!r} is a word of the language; expected {wanted}")
    return QueryError(text, place, f"unexpected {word!r}; expected {wanted}{nearest(word, keywords)}")


def _of_number(text: str, place: int, word: str) -> str:
    """Return what is wrong with a unit; "" if that is not what is wrong."""
    wrong = _UNIT.match(text, place)
    if wrong is not None and wrong[1] not in _UNITS and not wrong[1].startswith("x"):
        return f"no unit is named {wrong[1]}; there are {', '.join(_UNITS)}"
    if _NEGATIVE.match(text, place) is not None:
        return f"write errno == {word[1:]}"
    before = _BARE.search(text[:place])
    return f"write {before[0].strip()}{word}, without a blank" if before is not None and word in _UNITS else ""


def _of_comparison(text: str, place: int, wanted: str) -> str:
    """Return what has to follow a name that is no condition; "" if none stands before the place."""
    from tracediag.query.history import known  # noqa: PLC0415  # for what is wrong alone

    before = _NAME.search(text[:place])
    name = None if before is None else known(before[1])
    if name is None or "" in OPERATORS[name.type] or "`or`" not in wanted:
        return ""
    return f"a comparison has to follow {name.name}: {', '.join(OPERATORS[name.type])}"


def _wanted(expected: set[str]) -> str:
    """Return in words what may stand at a place."""
    if {"WORD", "_NOT", "_LPAR"} <= expected:
        return "a condition, such as errno == EPIPE"
    if {"COMPARISON", "_HAS"} <= expected:
        return "a comparison (==, !=, <, <=, >, >=, ~, in, has, under), `and`, `or` or the end"
    if expected == {"$END"}:
        return "`and`, `or` or the end"
    words = [_READABLE.get(name, name.removeprefix("_").lower()) for name in sorted(expected, key=_order)]
    words = [word for word in words if word]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "something else"


def _order(name: str) -> tuple[int, str]:
    return (list(_READABLE).index(name) if name in _READABLE and name != "$END" else 50 + (name == "$END"), name)
