"""The question that a program asked on its terminal before it waits for input."""

from pathlib import Path

import pytest

from tracediag import analyze

RECORDED = Path(__file__).parent / "recorded"
START = '7 execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = 0'
TTY = '7 openat(AT_FDCWD, "/dev/tty", O_RDWR|O_CLOEXEC) = 3'
ASKED = '7 write(3, "Password: ", 10) = 10'
IS_TERMINAL = "7 ioctl(0, TCGETS, {c_iflag=ICRNL|IXON}) = 0"


def reasons(source):
    return [each.reason for each in analyze(source).waiting]


def waiting(*lines):
    return reasons([f"{line}\n" for line in (START, *lines)])[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("whole", 'it waits for an answer on the terminal to "Overwrite x.conf? [y/N] " (line 31)'),
        ("pipe", 'it waits for an answer on the terminal to "Overwrite x.conf? [y/N] " (line 39)'),
        ("bash", 'it waits for an answer on the terminal to "First? " (line 9)'),
        ("late", "it waits for input on the terminal"),
    ],
)
def test_recorded(name, said):
    assert reasons(str(RECORDED / f"question.{name}.strace"))[-1] == said


def test_a_question_that_is_answered_is_over():
    answered = '7 read(3, "x\\n", 64) = 2'
    assert waiting(TTY, ASKED, answered, "7 read(3, ") == "it waits for input on the terminal"
    again = waiting(TTY, ASKED, answered, '7 write(3, "\\nRetype: ", 9) = 9', "7 read(3, ")
    assert again == 'it waits for an answer on the terminal to "Retype: " (line 5)'


def test_a_wait_for_input_is_one_for_the_answer():
    prompt = '7 write(3, "\\33[?2004h\\33[1mReal name: \\33[0m", 27) = 27'
    assert waiting(TTY, prompt, "7 pselect6(4, [3], NULL, NULL, NULL, NULL") == (
        'it waits for an answer on the terminal to "Real name: " (line 3)'
    )
    timed = waiting(TTY, ASKED, "7 poll([{fd=3, events=POLLIN}], 1, 3000")
    assert timed.endswith('to "Password: " (line 3), for at most 3 s')
    assert waiting(TTY, ASKED, "7 poll([{fd=3, events=POLLOUT}], 1, -1") == "it waits until fd 3 is ready"


@pytest.mark.parametrize(
    "written",
    [
        '7 write(1, "hello\\n", 6) = 6',  # output, and no question
        '7 write(1, "Loading...", 10) = 10',
        '7 write(1, "a long line of the output of a p"..., 80) = 80',
        '7 write(1, "l", 1) = 1',  # an editor of lines shows what is typed
        '7 write(1, "\\33[?1049h\\33[1;1Ha.txt: ", 22) = 22',
        '7 write(1, "\\33[24;1Ha.txt: ", 14) = 14',
    ],
)
def test_other_words_are_no_question(written):
    assert waiting(IS_TERMINAL, written, "7 read(0, ") == "it waits for input on the terminal"


def test_what_cat_repeats_is_no_question():
    assert waiting(IS_TERMINAL, '7 read(0, "why?\\n", 64) = 5', '7 write(1, "why?\\n", 5) = 5', "7 read(0, ") == (
        "it waits for input on the terminal"
    )


def test_the_pieces_of_a_question_are_joined():
    pieces = ('7 write(2, "rm: ", 4) = 4', '7 write(2, "remove a?", 9) = 9', '7 write(2, " ", 1) = 1')
    assert waiting(IS_TERMINAL, '7 write(2, "note\\n", 5) = 5', *pieces, "7 read(0, ") == (
        'it waits for an answer on the terminal to "rm: remove a? " (line 6)'
    )


def test_of_an_unknown_input_no_terminal_is_claimed():
    asked = '7 write(2, "cp: overwrite b? ", 17) = 17'
    assert waiting(asked, "7 read(0, ") == 'it waits for an answer to "cp: overwrite b? " (line 2)'
    assert waiting(asked, "7 read(5, ") == "it waits until fd 5 has something to read"
    assert "pipe" in waiting(asked, "7 read(0<pipe:[9]>, ")


def test_words_on_another_terminal_or_in_a_file_are_no_question():
    ask = '7 write(1</dev/pts/{}>, "Go on? ", 7) = 7'
    assert "Go on? " in waiting(ask.format(4), "7 read(0</dev/pts/4>, ")
    assert waiting(ask.format(5), "7 read(0</dev/pts/4>, ") == "it waits for input on the terminal"
    assert waiting('7 write(1</srv/log>, "Go on? ", 7) = 7', "7 read(0</dev/pts/4>, ").endswith("on the terminal")
