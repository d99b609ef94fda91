"""The names that strace printed are found at the top level only, at a linear cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracediag.trace.parameters.labels import labels_of


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ()),
        ('3, "fd=4", 5', ()),
        ("fd=3", ("fd",)),
        ('fd=3, buf="a, b=1", count=6', ("fd", "buf", "count")),
        (r'fd=3, buf="\", b=1"..., count=6', ("fd", "buf", "count")),
        ('fd=3, buf="cut, off=1', ("fd", "buf")),
        ("fd=3</tmp/a, b=c>, cmd=F_GETFD", ("fd", "cmd")),
        ("fd=1</dev/pts/0<char 136:0>>, op=TCGETS, arg={c_iflag=ICRNL, c_line=0}", ("fd", "op", "arg")),
        ("dirfd=AT_FDCWD</srv/a, b=1>, pathname=NULL", ("dirfd", "pathname")),
        ("a=1<<16, b={x=1, y=[2, 3]} => {z=4}, c=0 /* X, d=2 */", ("a", "b", "c")),
        ("c=',', d=QCMD(Q_SYNC, USRQUOTA)", ("c", "d")),
        ("a=1, 2, c=3", ("a", "", "c")),
    ],
)
def test_labels(body, expected):
    assert labels_of(body) == expected


@given(st.text(alphabet="a1=,. \"\\<>-[](){}/*'", max_size=60))
def test_any_text_has_labels_or_none(text):
    assert isinstance(labels_of("fd=" + text), tuple)


@pytest.mark.parametrize("piece", ["<", "3<", '"', "/*", "(", '"\\"', "3<a->", ", a="])
def test_the_cost_is_linear(piece, calls_made):
    def cost(length):
        return calls_made(lambda: labels_of("fd=3, " + piece * (length // len(piece))))

    assert cost(80_000) <= 2 * cost(40_000) + 100
