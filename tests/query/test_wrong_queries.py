"""Wrong queries and their messages: the column, what is wrong, what was expected, the nearest name."""

from __future__ import annotations

import contextlib

import pytest

from tracediag.query import QueryError, compile_query
from tracediag.query.conditions import DEEPEST

WRONG = [
    ("", "column 1: the query is empty; write for example: errno == EPIPE and fd.kind == socket"),
    ("errno =", "column 7: unexpected '=': write == to compare"),
    ("errno = EPIPE", "column 7: unexpected '=': write == to compare"),
    (
        "errno == ",
        "column 9: the query ends too early; expected a name, a string in quotes, a number or a time such as 100ms",
    ),
    ("errno == EPIP", "column 10: no error is named EPIP; did you mean EPIPE?"),
    ("errno == 32", "column 10: errno is compared with an error, such as ENOENT, not with the number 32"),
    ('errno == "EPIPE"', 'column 10: errno is compared with an error, such as ENOENT, not with the string "EPIPE"'),
    ("errno > EPIPE", "column 1: errno is an error, which has no >; it has ==, !=, in"),
    ("call == opne", "column 9: no call is named opne; did you mean open?"),
    (
        'call == "open"',
        'column 9: call is compared with the name of a call, such as openat, not with the string "open"',
    ),
    (
        "call == %file",
        "column 9: unexpected '%file'; expected a name, a string in quotes, a number or a time such as 100ms",
    ),
    ("call in rename", "column 9: unexpected 'rename'; expected a class such as %file or ("),
    ("call in %fiel", "column 9: no class of calls is named %fiel; did you mean %file?"),
    ("errno in %file", "column 10: %file is a class of calls; write call in %file"),
    ("call", "column 1: call is no condition; compare it: call == or != ..."),
    ("foo", "column 1: nothing is named foo; `tracediag grep --names` lists them"),
    ("fd.pear.port == 1", "column 1: nothing is named fd.pear.port; did you mean fd.peer.port?"),
    ("fd.peer", "column 1: fd.peer is no condition; compare it: fd.peer == or != ..."),
    ("fd.created == 1", "column 1: fd.created is an earlier event; write fd.created or not fd.created alone"),
    ("fd.created.fd.kind == file", "column 1: nothing is named fd.created.fd.kind; did you mean fd.created?"),
    ("fd.last_wirte", "column 1: nothing is named fd.last_wirte; did you mean fd.last_write?"),
    ("let fd.created = failed; failed", "column 5: fd.created is taken; another name is needed for this part"),
    ("failed == 1", "column 1: failed is yes or no; write failed or not failed alone"),
    ("failed == yes", "column 1: failed is yes or no; write failed or not failed alone"),
    (
        "duration > 100",
        "column 12: duration is compared with a time with its unit, such as 100ms or 2s, not with the number 100",
    ),
    (
        'duration > "1s"',
        'column 12: duration is compared with a time with its unit, such as 100ms or 2s, not with the string "1s"',
    ),
    (
        "duration > 10KiB",
        "column 12: duration is compared with a time with its unit, such as 100ms or 2s, not with the quantity 10KiB",
    ),
    ("result < EPIPE", "column 10: result is compared with a number, not with the word EPIPE"),
    ("result < 100ms", "column 10: result is compared with a number, not with the quantity 100ms"),
    ("fd.kind == sokcet", "column 12: fd.kind is never sokcet; did you mean socket?"),
    (
        "fd.kind == tcp",
        (
            "column 12: fd.kind is never tcp; it is one of device, epoll, eventfd, fanotify, file, inotify, "
            "io_uring, memfd, other, pidfd, pipe, signalfd, socket, timerfd, unknown"
        ),
    ),
    ("path == etc", "column 9: path is compared with a string in quotes, not with the word etc"),
    ("path ~ /etc/", "column 8: unexpected '/etc': write a path or a regular expression in double quotes"),
    ('path ~ "("', "column 9: this is no regular expression: missing ), unterminated subpattern"),
    ('path ~ "a{99999999999}"', "column 8: this regular expression is too large"),
    ('path < "a"', "column 1: path is a text, which has no <; it has ==, !=, in, ~, under"),
    ('path == "/etc', "column 9: unexpected '\"': this string does not end"),
    ("flags == O_CREAT", "column 1: flags is a set of flags, which has no ==; it has has"),
    ('flags has "O_CREAT"', "column 11: unexpected '\"O_CREAT\"'; expected a name"),
    ("flags", "column 1: flags is no condition; compare it: flags has ..."),
    ('arg("fdd") == 1', "column 1: no call has an argument 'fdd'; did you mean fd?"),
    ("arg(fd) == 1", "column 5: unexpected 'fd'; expected a string in quotes"),
    ('arg("fd")', 'column 1: arg("fd") is no condition; compare it: arg("fd") == or != ...'),
    ("call == open && failed", "column 14: unexpected '&': write `and`"),
    ("call == open | failed", "column 14: unexpected '|': write `or`"),
    ("!failed", "column 1: unexpected '!failed': write `not`"),
    ("not", "column 4: the query ends too early; expected a condition, such as errno == EPIPE"),
    ("failed and", "column 11: the query ends too early; expected a condition, such as errno == EPIPE"),
    ("(failed", "column 8: the query ends too early; expected )"),
    ("failed)", "column 7: unexpected ')'; expected `and`, `or` or the end"),
    ("failed failed", "column 8: unexpected 'failed'; expected `and`, `or` or the end"),
    ("reports it", "column 1: `reports it` needs a sequence: there is no object that `it` means"),
    ("let errno = failed errno", "column 5: errno is taken; another name is needed for this part"),
    ("let a = failed", "column 15: the query ends too early; expected a condition, such as errno == EPIPE"),
    ("sequence by description [failed]", "column 33: the query ends too early; expected [ or unless"),
    (
        "sequence by socket [failed] [failed]",
        "column 13: no object is named socket; by takes description, descriptor, file, path, peer, process, thread",
    ),
    ("sequence by file [failed] until [failed]", "column 27: unexpected 'until'; expected [ or unless"),
    ("sequence by file [failed] unless failed", "column 34: unexpected 'failed'; expected ["),
    ("signal == SIGPIP", "column 11: signal is never SIGPIP; did you mean SIGPIPE?"),
    ("signal == PIPE", "column 11: signal is never PIPE; did you mean SIGPIPE?"),
    ("signal == X", "column 11: signal is never X; it is one of those that strace prints, in capitals"),
    ("signal == 13", "column 11: signal is compared with a word, such as SIGABRT, not with the number 13"),
    ("si_code == SEGV_MAPER", "column 12: si_code is never SEGV_MAPER; did you mean SEGV_MAPERR?"),
    ("exit == 1", "column 1: exit is yes or no; write exit or not exit alone"),
    ("signal.code == SI_USER", "column 1: nothing is named signal.code; did you mean si_code?"),
    (
        "signal == SIGSEGV and failed",
        "column 23: this is about calls, and what stands before it is about signals",
    ),
    (
        "process.pid == 1 and (exit or failed) and not signal == SIGCHLD",
        "column 47: this is about signals, and what stands before it is about calls or ends of threads",
    ),
    (
        "sequence by file [failed] [signal == SIGSEGV]",
        "column 28: signals belong to no file; write by process or by thread",
    ),
    ("count by path [not exit] >= 3", "column 20: ends of threads belong to no path; write by process or by thread"),
    ("sequence description [failed] [failed]", "column 10: unexpected 'description'; expected by"),
    ("count by path [failed] > 3", "column 24: unexpected '>'; expected >="),
    ("count by path [failed] >= 0", "column 27: count takes a number from 1 to 100,000, not 0"),
    ("count by path [failed] >= 3 within 10", "column 36: unexpected '10'; expected a time such as 100ms"),
    ("count by path [failed] >= 3 within 10KiB", "column 36: within takes a time, such as 10s, not 10KiB"),
    ("absent [failed] between [failed] by file", "column 34: unexpected 'by'; expected and"),
    ("sequence by file [failed] [failed] until failed", "column 42: unexpected 'failed'; expected ["),
    ("in == 3", "column 1: 'in' is a word of the language; expected a condition, such as errno == EPIPE"),
    ("line in ()", "column 10: unexpected ')'; expected a name, a string in quotes, a number or a time such as 100ms"),
    ("failed or\nerrno == EPIP", "line 2, column 10: no error is named EPIP; did you mean EPIPE?"),
    ("errno == EPIPE $", "column 16: unexpected '$'; expected a condition, such as errno == EPIPE"),
    (
        r'failed and path ~ "\d+\d+x"',
        (
            "column 19: this expression can take very long: 2 repeats can match the same text; begin it with ^, or let"
            " each take other characters, such as [^/]* in place of .*"
        ),
    ),
    (
        'path ~ "(a|a)*b"',
        (
            "column 8: this expression can take forever: a repeat in it, or around it, can match the same text in many"
            " ways; write a+ in place of (a+)+, and let the branches of (a|b)+ begin with different characters"
        ),
    ),
    (
        'path !~ "(?:(?!.*x)a)*y"',
        "column 9: this expression can take very long: a repeat looks ahead or behind over a text of any length",
    ),
]


@pytest.mark.parametrize(("query", "message"), WRONG)
def test_a_wrong_query_says_where_and_why(query: str, message: str) -> None:
    with pytest.raises(QueryError) as raised:
        compile_query(query)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "query",
    [
        "(" * 5000 + "failed" + ")" * 5000,
        "not " * 5000 + "failed",
        "x" * (1 << 17),
        "line == " + "9" * 5000,
        "duration > " + "9" * 400 + "s",
        "failed \x00",
        "failed \udcff",
        'path ~ "' + "(" * 500 + ")" * 500 + '"',
    ],
)
def test_nothing_else_is_raised_for_absurd_queries(query: str) -> None:
    with contextlib.suppress(QueryError):
        compile_query(query)


def test_depth_up_to_the_limit_is_read() -> None:
    assert compile_query("not " * (DEEPEST - 1) + "failed").condition is not None


def test_named_parts_do_not_double_forever():
    def doubled(times: int) -> str:
        parts = "; ".join(f"let a{number} = a{number - 1} or a{number - 1}" for number in range(1, times + 1))
        return f"let a0 = failed; {parts}; a{times}"

    assert compile_query(doubled(13)).is_condition
    for times in (14, 64):
        with pytest.raises(QueryError, match=r"more than 10,000 comparisons$"):
            compile_query(doubled(times))
