"""What `--strace` and `@pytest.mark.strace(...)` ask for."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import msgspec

from tracediag.results.limits import parse_limits


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
    given = {name: value if name == "fail_on" else _words(value) for name, value in options.items()}
    found = msgspec.structs.replace(usual, **given)
    parse_limits(found.fail_on)
    return found


def _words(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(map(str, value))  # type: ignore[call-overload]
