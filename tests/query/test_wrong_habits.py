"""What people write who know other languages and tools: each wrong query is answered at its column, with the remedy."""

from __future__ import annotations

import pytest

from tracediag.query import QueryError, compile_query

WRONG = [
    ("signals == SIGSEGV", "column 1: nothing is named signals; did you mean signal?"),
    ("signal SIGSEGV", "column 8: unexpected 'SIGSEGV': a comparison has to follow signal: ==, !=, in"),
    ("signal == sigsegv", "column 11: signal is never sigsegv; did you mean SIGSEGV?"),
    (
        'signal == "SIGSEGV"',
        'column 11: signal is compared with a word, such as SIGABRT, not with the string "SIGSEGV"',
    ),
    ('signal ~ "SEGV"', "column 1: signal is a word, which has no ~; it has ==, !=, in"),
    ("signal in SIGSEGV", "column 11: unexpected 'SIGSEGV'; expected a class such as %file or ("),
    ("signal in (SIGSEGV SIGBUS)", "column 20: unexpected 'SIGBUS'; expected ) or ,"),
    ("si_code == MAPERR", "column 12: si_code is never MAPERR; did you mean SEGV_MAPERR?"),
    ("si_pid == nginx", "column 11: si_pid is compared with a number, not with the word nginx"),
    ("si_status == SIGKILL", "column 14: si_status is compared with a number, not with the word SIGKILL"),
    ("exit status == 1", "column 6: unexpected 'status'; expected `and`, `or` or the end"),
    ("exit.code == 1", "column 1: nothing is named exit.code; did you mean exit.status?"),
    (
        "killed by SIGKILL",
        (
            "column 8: unexpected 'by'; expected a comparison (==, !=, <, <=, >, >=, ~, in, has, under), `and`, `or` or"
            " the end"
        ),
    ),
    ("exit and status != 0", "column 10: nothing is named status; did you mean exit.status?"),
    ("[exit]", "column 1: unexpected '['; expected a condition, such as errno == EPIPE"),
    ("call == flock and unfinished", "column 19: nothing is named unfinished; did you mean not returned?"),
    ("sequence by process [exit] [signal]", "column 29: signal is no condition; compare it: signal == or != ..."),
    ("sequence by process [signal == SIGTERM], [exit]", "column 40: unexpected ','; expected [ or unless"),
    ("sequence by process (signal == SIGTERM) [exit]", "column 21: unexpected '('; expected ["),
    ("sequence by process [failed] [exit] unless", "column 43: the query ends too early; expected ["),
    (
        "sequence by process [failed] [exit] unles [failed]",
        "column 37: unexpected 'unles'; expected [, unless, until, within or the end; did you mean unless?",
    ),
    ("sequence by process [failed] unless [exit] within 10s", "column 44: unexpected 'within'; expected the end"),
    (
        "sequence by process [failed] [exit] unless [exit] until [exit]",
        "column 51: unexpected 'until'; expected within or the end",
    ),
    ("sequence by processes [failed] [exit]", "column 13: no object is named processes; did you mean process?"),
    ("count by path >= 3", "column 15: unexpected '>='; expected ["),
    ("count by process [exit] >= 3.5", "column 28: count takes a number from 1 to 100,000, not 3.5"),
    ("count by process [exit] >= 1KiB", "column 28: unexpected '1KiB'; expected a number"),
    ("count by process [] >= 3", "column 19: unexpected ']'; expected a condition, such as errno == EPIPE"),
    ("absent [failed] after [exit] by process", "column 17: unexpected 'after'; expected between"),
    ("absent [failed] between [exit] and [exit]", "column 42: the query ends too early; expected by"),
    ("thread.last.call == opne", "column 21: no call is named opne; did you mean open?"),
    ("thread.lst.call == open", "column 1: nothing is named thread.lst.call; did you mean thread.last?"),
    ("process.strict == 1", "column 1: process.strict is yes or no; write process.strict or not process.strict alone"),
    ("path under etc", "column 12: unexpected 'etc'; expected a string in quotes"),
    ("duration > 1 s", "column 14: unexpected 's': write 1s, without a blank"),
    (
        "duration > 1sec",
        "column 12: unexpected '1sec': no unit is named sec; there are ns, us, \xb5s, ms, s, min, h, KiB, MiB, GiB",
    ),
    (
        "bytes > 64KB",
        "column 9: unexpected '64KB': no unit is named KB; there are ns, us, \xb5s, ms, s, min, h, KiB, MiB, GiB",
    ),
    ("result == -EPIPE", "column 11: unexpected '-EPIPE': write errno == EPIPE"),
    ("call is open", "column 6: unexpected 'is': a comparison has to follow call: ==, !=, in"),
    ("call in {open, close}", "column 9: unexpected '{open'; expected a class such as %file or ("),
    ("let x = x; x", "column 9: nothing is named x; `tracediag grep --names` lists them"),
    ("fd == 3", "column 1: nothing is named fd; did you mean fd.number?"),
    ('pathname == "/etc"', "column 1: nothing is named pathname; did you mean path?"),
    ("\u0451rrno == EPIPE", "column 1: unexpected '\u0451rrno'; expected a condition, such as errno == EPIPE"),
    ("errno == EPIP\u0415", "column 10: no error is named EPIP\u0415; did you mean EPIPE?"),
    ("failed and \U0001f642 == 3", "column 12: unexpected '\U0001f642'; expected a condition, such as errno == EPIPE"),
    ("sum path by process [failed] >= 1", "column 5: path is no number or time, so that it has no sum"),
    ("sum byte by process [failed] >= 1", "column 5: nothing is named byte; did you mean bytes?"),
    ("sum by process [failed] >= 1", "column 5: 'by' is a word of the language; expected a name or arg"),
    ("sum bytes by process [failed] > 1", "column 31: unexpected '>'; expected >="),
    (
        "sum bytes by process [failed] >= 1ms",
        "column 34: bytes is compared with a number, not with the quantity 1ms",
    ),
]


@pytest.mark.parametrize(("query", "message"), WRONG)
def test_a_habit_is_answered_at_its_column(query: str, message: str) -> None:
    with pytest.raises(QueryError) as raised:
        compile_query(query)
    assert str(raised.value) == message
