"""The table of names follows its own rules."""

import re
from pathlib import Path

from tracediag.trace import parameters
from tracediag.trace.parameters import calls, names, position
from tracediag.trace.parameters.table import table

OLD = {"recv", "send", "waitpid", "stat64", "fcntl64", "_llseek", "mmap2", "ugetrlimit", "sigaction", "pread", "umount"}


def test_the_table_covers_what_strace_prints():
    assert len(calls()) >= 469
    assert calls().issuperset(OLD)


def test_names_are_unique_within_a_call_and_none_is_empty():
    for row, own in table().rows.items():
        spellings = [one for parameter in own for one in parameter]
        assert len(set(spellings)) == len(spellings), row
        assert all(re.fullmatch("[a-z_][a-z0-9_]*", one) for one in spellings), row
        assert len(own) <= 6, row


def test_every_row_is_unique():
    rows = [line.split()[0] for line in _lines() if line[0] != "="]
    assert len(rows) == len(set(rows)) == len(table().rows)


def test_every_everyday_name_is_of_use():
    spelled = {one for row in table().rows.values() for parameter in row for one in parameter}
    for everyday in table().everyday:
        assert set(everyday.stands_for) <= spelled | {one.name for one in table().everyday}


def test_a_constant_leaves_parameters_out_and_adds_none():
    for row in table().rows:
        call, _, constant = row.partition(":")
        if constant:
            assert set(names(call, constant)) < set(names(call))


def test_the_manual_s_names_in_order():
    assert names("openat") == ("dirfd", "pathname", "flags", "mode")
    assert names("getpid") == ()
    assert names("syscall_0x3e7") is None
    assert names("futex", "0x1, FUTEX_WAKE_BITSET, 1, 2")[-1] == "val3"


def test_each_name_is_found_where_it_stands():
    for call in calls():
        own = names(call)
        assert [position(call, "", len(own), name) for name in own] == [*range(len(own))], call


def _lines():
    text = Path(parameters.__file__).with_name("calls.txt").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]
