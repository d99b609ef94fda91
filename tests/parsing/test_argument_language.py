import argument_lines
import pytest
from argument_lines import LINES, RECORDED

from tracediag.languages.texts import grammar_text
from tracediag.parsing import ArgumentError, parse_arguments, parse_strict, parse_value
from tracediag.trace.values import Structure, Symbol, note_of


@pytest.mark.parametrize(("body", "values"), LINES, ids=[body[:40] for body, _ in LINES])
def test_each_construct_by_the_grammar_and_again_by_its_shape(body, values):
    assert parse_strict(body) == values
    assert [parse_arguments(body) for _ in range(3)] == [values] * 3


def test_recorded_bodies_have_equal_values_both_ways():
    values = {body: parse_strict(body) for body in RECORDED}
    assert [body for body, strict in values.items() if not strict] == []
    again = {body: [parse_arguments(body) for _ in range(3)] for body in RECORDED}
    assert again == {body: [strict] * 3 for body, strict in values.items()}


def test_a_siginfo_is_one_value():
    info = parse_value("{si_signo=SIGPIPE, si_code=SI_USER, si_pid=7, si_uid=0}")
    assert isinstance(info, Structure)
    assert info.get("si_pid") == 7


def test_what_is_not_one_value_is_kept_as_a_name():
    assert parse_value("") == Symbol("")
    assert parse_value("1, 2") == Symbol("1, 2")


@pytest.mark.parametrize(
    ("body", "column"), [("3, ^C", 4), ('1, "cut', 4), ("[1, 2", 6), ("1 2", 2), ('3, "ls: ", 4ls:', 12), ("{a=1", 5)]
)
def test_text_outside_the_language_is_reported_with_its_column(body, column):
    with pytest.raises(ArgumentError) as error:
        parse_strict(body)
    assert (error.value.body, error.value.column) == (body, column)


def test_notes_are_found_after_remarks_and_changes():
    assert [note_of(value) for value in parse_strict("3</x> [lib_t], 4, 2<sh> /* 7 in strace's PID NS */")] == [
        "/x",
        None,
        "sh",
    ]


def test_a_missing_grammar_is_reported():
    with pytest.raises(FileNotFoundError, match=r"absent\.lark"):
        grammar_text("absent.lark")


def test_the_lines_stay_small():
    assert max(len(body) for body, _ in argument_lines.LINES) < 120
