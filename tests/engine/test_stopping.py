"""A signal that ends the program is told apart from what a rule raises, whichever way it arrives."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tracediag.stopping import Interrupted, Terminated, is_stop


def raised() -> None:
    raise KeyboardInterrupt


def raised_in_a_call() -> None:
    sorted([2, 1], key=lambda _: raised())


def in_a_loop() -> None:
    signal.raise_signal(signal.SIGINT)
    while True:
        pass


def in_a_call() -> None:
    sorted([2, 1], key=lambda _: signal.raise_signal(signal.SIGINT))


def in_an_expression() -> None:
    re.sub("a", lambda _: str(signal.raise_signal(signal.SIGINT)), "aaa")


def while_it_sleeps() -> None:
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    time.sleep(30)


def passed_on() -> None:
    try:
        in_a_loop()
    finally:
        list(range(3))


def after_cleaning_up() -> None:
    with contextlib.ExitStack() as stack:
        stack.callback(list)
        in_a_call()


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "work", [in_a_loop, in_a_call, in_an_expression, while_it_sleeps, passed_on, after_cleaning_up]
)
def test_ctrl_c_is_a_stop(work: Callable[[], None]) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert is_stop(caught.value)


@pytest.mark.parametrize("work", [raised, raised_in_a_call])
def test_a_statement_is_none(work: Callable[[], None]) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert not is_stop(caught.value)


@pytest.mark.parametrize("error", [Interrupted(), Terminated(143)], ids=["SIGINT", "SIGTERM"])
def test_what_our_handlers_raise_is_one(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        raise error
    assert is_stop(caught.value)


@pytest.mark.parametrize("error", [SystemExit(1), ValueError()], ids=["SystemExit", "ValueError"])
def test_other_errors_are_none(error: BaseException) -> None:
    assert not is_stop(error)
