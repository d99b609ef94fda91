"""What `--strace` and `@pytest.mark.strace(...)` ask for."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tracediag.errors import TracediagError
from tracediag.ownrules import load_rules
from tracediag.results.limits import parse_limits
from tracediag.rules import find_rules


class Mode(enum.StrEnum):
    """Which tests are traced, and when their findings are told."""

    ALWAYS = "always"
    """Every test; a finding fails it."""
    ON_FAILURE = "on-failure"
    """Every test; the findings are shown with a test that fails anyway."""
    ON_FIRST_RETRY = "on-first-retry"
    """The second run of a test that failed: pytest-rerunfailures."""
    OFF = "off"
    """None, also of those that are marked."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a test is traced for."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    fail_on: str = "warning"
    """Which findings fail the test: what `--fail-on` takes."""


def asked(arguments: tuple[Any, ...], options: Mapping[str, Any], usual: Asked) -> Asked:
    """Return what a marker says, and for the rest what is usual.

    Raises:
        ValueError: if it says anything else.
    """
    known = Asked.__struct_fields__
    if arguments or (wrong := sorted(options.keys() - set(known))):
        what = repr(arguments[0]) if arguments else wrong[0]
        raise ValueError(f"mark.strace takes {', '.join(f'{name}=' for name in known)}, not {what}")
    given = {name: _limits(value) if name == "fail_on" else _words(name, value) for name, value in options.items()}
    found = msgspec.structs.replace(usual, **given)
    _check_rules(found)
    return found


def _limits(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"mark.strace: fail_on= takes a text such as 'error:likely' or 'never', not {value!r}")  # noqa: TRY004
    try:
        parse_limits(value)
    except ValueError as error:
        raise ValueError(f"mark.strace: fail_on=: {error}") from None
    return value


def _words(name: str, value: object) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str | os.PathLike) else value
    if isinstance(words, Iterable):
        words = tuple(os.fspath(word) if isinstance(word, os.PathLike) else word for word in words)
        if all(isinstance(word, str) for word in words):
            return words
    what = "folders with rules" if name == "rules" else "names of rules"
    raise ValueError(f"mark.strace: {name}= takes {what}: a text or a list of texts, not {value!r}")


def _check_rules(wanted: Asked) -> None:
    try:
        known = load_rules(wanted.rules).rules
        for names in (wanted.select, wanted.ignore):
            find_rules(names, known)
    except TracediagError as error:
        raise ValueError(f"mark.strace: {error}") from None
