"""The rows of each view, and what is counted in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.overviews import ORDERS, summarise, view_by
from tracediag.overviews.counting import accounts as accounts_module
from tracediag.reading import UnreadableError

RECORDED = Path(__file__).parent / "recorded"
THREAD = "clone(child_stack=0x7ff0, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD, tls=0x1)"


@pytest.fixture
def table(tmp_path):
    """Return the rows of a trace by name, and the summary."""

    def make(by, *lines, **options):
        path = tmp_path / "trace"
        path.write_text("".join(f"{line}\n" for line in lines))
        summary = summarise(str(path), by, **options)
        return {row.name: row for row in summary.rows}, summary

    return make


def test_halves_count_once_with_the_duration_of_the_second(table):
    rows, summary = table("call", "7 read(3 <unfinished ...>", '7 <... read resumed>, "", 8) = 0 <0.250000>')
    assert (rows["read"].calls, rows["read"].times.total, summary.total.calls) == (1, 0.25, 1)


def test_a_call_that_never_returned_has_no_time(table):
    rows, summary = table("call", "7 read(3 <unfinished ...>", "8 read(4) = 0 <0.5>", "7 +++ killed by SIGKILL +++")
    read = rows["read"]
    assert (read.calls, read.never_returned, read.times.total, read.times.mean) == (2, 1, 0.5, 0.5)
    assert summary.timed


def test_without_durations_there_are_no_times(table):
    rows, summary = table("call", "close(3) = 0", "close(9) = -1 EBADF (Bad file descriptor)")
    assert (rows["close"].times, summary.timed) == (None, False)
    assert (rows["close"].errors, rows["close"].parts) == (1, {"EBADF": 1})


def test_exact_and_near(table):
    lines = [f"getpid() = 7 <0.0000{digits:02}>" for digits in range(1, 100)] + ["getpid() = 7 <1.000001>"]
    times = table("call", *lines)[0]["getpid"].times
    assert (times.p50, times.p95, times.p99, times.max) == (0.00005, 0.000095, 0.000099, 1.000001)
    assert times.total == pytest.approx(1.000001 + 0.00495, abs=1e-12)
    assert times.share == 1


def test_by_error(table):
    rows, summary = table(
        "error",
        "7 open(1) = -1 ENOENT (No such file or directory) <0.1>",
        "7 stat(1) = -1 ENOENT (No such file or directory) <0.1>",
        "7 read(1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.2>",
        "7 read(1) = 0 <0.3>",
        "7 read(1 <unfinished ...>",
    )
    assert rows["ENOENT"].parts == {"open": 1, "stat": 1}
    assert (rows["ERESTARTSYS"].calls, rows["ERESTARTSYS"].times.share) == (1, 0.5)
    assert (summary.total.calls, summary.elsewhere) == (3, 2)


def test_by_process_threads_are_folded_and_children_inherit_the_command(table):
    rows, _ = table(
        "process",
        '1 execve("/bin/server", ["server", "-p", "a b"], 0x7ffd /* 3 vars */) = 0',
        f"1 {THREAD} = 2",
        "2 read(3) = 0",
        "1 fork() = 3",
        '1 execve("/bin/other", ["other"], 0x7ffd /* 3 vars */) = 0',
        "3 read(3) = 0",
    )
    assert {name: (row.calls, row.note) for name, row in rows.items()} == {
        "1": (5, "other"),
        "3": (1, "server -p 'a b'"),
    }


def test_a_number_used_again_is_another_process(tmp_path):
    path = tmp_path / "trace"
    path.write_text(
        "1 fork() = 2\n2 getpid() = 2\n2 +++ exited with 0 +++\n1 fork() = 2\n2 getpid() = 2\n2 getpid() = 2\n"
    )
    rows = summarise(str(path), "process").rows
    assert sorted((row.name, row.calls) for row in rows) == [("1", 2), ("2", 1), ("2", 2)]


def test_by_file(table):
    rows, summary = table(
        "file",
        '1 openat(AT_FDCWD</srv>, "lib/a.so", O_RDONLY) = 3</srv/lib/a.so.1>',
        "1 read(3</srv/lib/a.so.1>, 0x1, 1) = 1",
        "1 mmap(NULL, 8, PROT_READ, MAP_PRIVATE, 3</srv/lib/a.so.1>, 0) = 0x7f00",
        '1 openat(AT_FDCWD</srv>, "./no", O_RDONLY) = -1 ENOENT (No such file or directory)',
        '1 newfstatat(3</srv/lib/a.so.1>, "", {}, AT_EMPTY_PATH) = 0',
        "1 read(4<pipe:[17]>, 0x1, 1) = 0",
        "1 getpid() = 1",
        "1 mmap(NULL, 8, PROT_READ, MAP_PRIVATE, -1, 0) = 0x7f00",
    )
    assert {name: row.calls for name, row in rows.items()} == {"/srv/lib/a.so.1": 4, "/srv/no": 1, "pipe:[17]": 1}
    assert rows["/srv/no"].parts == {"openat": 1}
    assert summary.elsewhere == 2


def test_by_file_without_annotations_the_model_knows_the_number(table):
    rows, _ = table(
        "file",
        '1 open("/a", O_RDONLY) = 3',
        "1 dup(3) = 4",
        "1 read(4, 0x1, 1) = 1",
        "1 close(3) = 0",
        '1 open("/b", O_RDONLY) = 3',
        "1 read(3, 0x1, 1) = 1",
        "1 read(8, 0x1, 1) = 1",
    )
    assert {name: row.calls for name, row in rows.items()} == {"/a": 4, "/b": 2, "fd 8": 1}


def test_by_peer(table):
    address = '{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr("10.0.0.%d")}'
    rows, summary = table(
        "peer",
        "1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3",
        f"1 bind(3, {address % (80, 1)}, 16) = 0",
        "1 listen(3, 5) = 0",
        f"1 accept(3, {address % (4001, 2)}, [16]) = 4",
        f"1 accept(3, {address % (4002, 2)}, [16]) = 5",
        "1 read(4, 0x1, 1) = 1",
        "1 write(5, 0x1, 1) = 1",
        "1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 6",
        f"1 connect(6, {address % (53, 3)}, 16) = 0",
        "1 write(6, 0x1, 1) = 1",
        f"1 sendto(7, 0x1, 1, 0, {address % (53, 4)}, 16) = 1",
        "1 read(9<TCP:[10.0.0.1:7->10.0.0.5:9]>, 0x1, 1) = 1",
    )
    assert {name: row.calls for name, row in rows.items()} == {
        "10.0.0.2:*": 4, "10.0.0.3:53": 2, "10.0.0.4:53": 1, "10.0.0.5:9": 1,
    }  # fmt: skip
    assert summary.elsewhere == 4


def test_several_traces_are_added_up():
    paths = [str(RECORDED / name) for name in ("shell.strace", "single.strace")]
    both, first, second = summarise(paths), summarise(paths[0]), summarise(paths[1])
    assert both.total.calls == first.total.calls + second.total.calls
    assert [source.path for source in both.sources] == paths
    names = {row.name for row in summarise(paths, "process").rows}
    assert {"shell.strace:13804", "single.strace"} <= names


def test_a_trace_that_breaks_off_is_counted_up_to_there(tmp_path):
    import gzip

    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"close(3) = 0\n" * 9999)[:-9])
    view = view_by("call")
    view.read(str(path))
    summary = view.summary()
    (source,) = summary.sources
    assert 0 < summary.total.calls == source.calls <= 9999
    assert source.damage == f"the gzip stream ends in the middle; read up to line {source.lines:,}"


def test_a_file_that_is_not_a_trace_is_not_counted(tmp_path):
    path = tmp_path / "prose"
    path.write_text("nothing of strace\n" * 9999)
    view = view_by("call")
    with pytest.raises(UnreadableError):
        view.read(str(path))
    assert view.summary().total.calls == 0


@pytest.mark.parametrize("order", ORDERS)
def test_orders(order):
    rows = summarise(str(RECORDED / "shell.strace"), sort=order).rows
    if order == "name":
        assert [row.name for row in rows] == sorted(row.name for row in rows)
        return
    found = [
        getattr(row, order) if order in ("calls", "errors")
        else -1 if row.times is None
        else row.times.total if order == "time"
        else getattr(row.times, order)
        for row in rows
    ]  # fmt: skip
    assert found == sorted(found, reverse=True)


def test_limit_and_what_it_left_out():
    summary = summarise(str(RECORDED / "shell.strace"), limit=3)
    whole = summarise(str(RECORDED / "shell.strace"))
    assert (len(summary.rows), summary.left_out) == (3, len(whole.rows) - 3)
    assert summary.total == whole.total


def test_more_rows_than_memory_allows_are_counted_together(table, monkeypatch):
    monkeypatch.setattr(accounts_module, "MOST_ACCOUNTS", 3)
    rows, summary = table("file", *(f'1 open("/{number}", O_RDONLY) = -1 ENOENT (x)' for number in range(9)))
    assert (len(rows), rows[accounts_module.OTHERS].calls, summary.total.calls) == (4, 6, 9)


def test_unknown_views_and_orders():
    with pytest.raises(ValueError, match="no view by 'cal'"):
        view_by("cal")
    with pytest.raises(ValueError, match="no order 'size'"):
        summarise(str(RECORDED / "single.strace"), sort="size")
