"""Where a call is known, its 32-bit, `64` and `_time64` twins are: on another machine the same program makes those."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import tracediag
from tracediag.kernel.handlers import BEGINNERS, HANDLERS
from tracediag.rules.base import Rule
from tracediag.trace.calls import SYSCALLS

WIDER = re.compile(r"(?:_time64|64|32)$")
FORMS = {
    "accept": "accept4",
    "dup2": "dup3",
    "epoll_create": "epoll_create1",
    "epoll_wait": "epoll_pwait epoll_pwait2",
    "eventfd": "eventfd2",
    "execve": "execveat",
    "inotify_init": "inotify_init1",
    "open": "openat openat2 creat",
    "pipe": "pipe2",
    "poll": "ppoll ppoll_time64",
    "pread64": "preadv preadv2",
    "pwrite64": "pwritev pwritev2",
    "read": "readv",
    "recvmsg": "recvmmsg recvmmsg_time64",
    "select": "_newselect pselect6 pselect6_time64",
    "sendmsg": "sendmmsg",
    "signalfd": "signalfd4",
    "wait4": "waitid waitpid",
    "write": "writev",
}
"""Calls that do the same with a vector, a directory, flags or a finer timeout."""
SEARCHED = ("kernel", "evidence", "rules", "overviews", "reading")


def modules(room: str) -> list[str]:
    folder = f"{tracediag.__path__[0]}/{room}"
    return [module.name for module in pkgutil.walk_packages([folder], f"tracediag.{room}.")]


def twins(name: str) -> set[str]:
    return {other for other in SYSCALLS - {name} if WIDER.sub("", other) == name or WIDER.sub("", name) == other}


def lacking(names: set[str]) -> set[tuple[str, str]]:
    return {(name, twin) for name in names for twin in twins(name) if twin not in names}


def calls_in(value: object, depth: int = 3) -> Iterator[str]:
    """Yield the calls that a constant names: its items, its keys, or those of nested ones."""
    if isinstance(value, str):
        yield from {value} & SYSCALLS
    elif isinstance(value, (dict, set, frozenset, tuple, list)) and depth:
        for item in value:
            yield from calls_in(item, depth - 1)


@pytest.mark.parametrize("registry", [HANDLERS, BEGINNERS], ids=["complete", "begun"])
def test_the_model_knows_the_twins(registry: dict[str, object]) -> None:
    assert lacking(set(registry)) == set()


def test_the_model_knows_the_other_forms() -> None:
    assert {form for call, forms in FORMS.items() for form in (call, *forms.split())} - set(HANDLERS) == set()


@pytest.mark.parametrize("room", SEARCHED)
def test_the_constants_of_a_room_know_the_twins(room: str) -> None:
    found = {
        f"{module}.{name}": lacking(set(calls_in(value)))
        for module in modules(room)
        for name, value in vars(importlib.import_module(module)).items()
        if isinstance(value, (dict, set, frozenset)) and not name.startswith("__")
    }
    assert found
    assert {name: pairs for name, pairs in found.items() if pairs} == {}


def test_what_a_rule_subscribes_to_knows_the_twins() -> None:
    methods = {
        f"{module}.{rule.__name__}.{name}": getattr(method, "subscriptions", ())
        for module in modules("rules")
        for rule in vars(importlib.import_module(module)).values()
        if isinstance(rule, type) and issubclass(rule, Rule) and rule.__module__ == module
        for name, method in vars(rule).items()
    }
    assert any(methods.values())
    found = {
        name: lacking({word for subscription in subscriptions for word in subscription if word in SYSCALLS})
        for name, subscriptions in methods.items()
    }
    assert {name: pairs for name, pairs in found.items() if pairs} == {}
