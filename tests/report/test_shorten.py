import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracediag.report.shorten import shorten

ADDRESS = '{sa_family=AF_INET, sin_port=htons(43836), sin_addr=inet_addr("127.0.0.1")}'


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("close(5) = 0", 60, "close(5) = 0"),
        (f"accept4(3, {ADDRESS}, [16], SOCK_CLOEXEC) = 5", 60,
         "accept4(3, {…127.0.0.1:43836}, [16], SOCK_CLOEXEC) = 5"),
        (
            'connect(3, {sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = 0',
            60,
            "connect(3, {…[::1]:80}, 28) = 0",
        ),
        (
            "epoll_wait(4, [{events=EPOLLIN|EPOLLHUP, data={u32=5, u64=9}}, {events=EPOLLIN, data={u64=6}}]) = 1",
            80,
            "epoll_wait(4, [{events=EPOLLIN|EPOLLHUP, data={u32=5, …}}, …]) = 1",
        ),
        # A string may hold any text that ends a call.
        ('write(1, ") = 3, <unfinished ...> +++' + "x" * 90 + '"..., 4096) = -1 EPIPE (Broken pipe)', 76,
         'write(1, ") = 3, <unfinished ...> +++xxxxx…", 4096) = -1 EPIPE (Broken pipe)'),
        # So may a -y annotation.
        ('read(3</tmp/a) = 3>, "' + "y" * 90 + '", 90) = 90', 76, f'read(3</tmp/a) = 3>, "{"y" * 32}…", 90) = 90'),
        ("--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_status=0} ---", 60,
         "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, …} ---"),
    ],
)  # fmt: skip
def test_shorten(text, width, expected):
    assert shorten(text, width) == expected


def test_a_long_result_keeps_its_errno():
    shown = shorten(f"open({'[' * 50}) = -1 ENOENT (No such file) {'z' * 100_000}", 80)
    assert shown.startswith("open(")
    assert " = -1 ENOENT (No such file) " in shown
    assert len(shown) < 1000


@given(st.text(alphabet='ab"\\<>[]{}(),=- /*1\n\udc80', max_size=300), st.integers(10, 120))
def test_the_result_survives_any_buffer(buffer, width):
    quoted = buffer.replace("\\", "\\\\").replace('"', '\\"')
    shown = shorten(f'write(5, "{quoted}", 10) = -1 EPIPE (Broken pipe)', width)
    assert shown.startswith("write(5, ")
    assert shown.endswith(", 10) = -1 EPIPE (Broken pipe)")


@pytest.mark.parametrize("piece", ["[", '"\\', "a<b-", "a<", "/*", "{(", '"', ")", ",", "a<->", "a<b<c>"])
def test_a_megabyte_costs_no_more_than_what_is_kept(piece, calls_made):
    shown = []

    def cost(length):
        text = "read(3, " + piece * (length // len(piece)) + ") = -1 EIO"
        return calls_made(lambda: shown.append(shorten(text, 80)))

    assert cost(1_000_000) <= cost(100_000) + 100
    assert len(shown[0]) < 1000
