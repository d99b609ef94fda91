"""A tree of inherited numbers behaves like a dictionary and shares its nodes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.inheritance import Inheritance, Inherited
from tracediag.kernel.table import DescriptorTable

NUMBERS = st.one_of(st.integers(0, 70), st.integers(1000, 1100), st.integers(0, 2**70))
CHANGES = st.lists(st.dictionaries(NUMBERS, st.booleans(), max_size=8), max_size=12)


def entry() -> Inherited:
    file = OpenFile()
    return file, None, Descriptor(0, file, DescriptorTable())


@given(CHANGES)
def test_it_holds_what_a_dictionary_does(rounds: list[dict[int, bool]]) -> None:
    tree, told, before = Inheritance(), dict[int, Inherited](), []
    for chosen in rounds:
        changes = {number: entry() if there else None for number, there in chosen.items()}
        before.append((tree, dict(told)))
        tree = tree.updated(changes)
        for number, made in changes.items():
            if made is None:
                told.pop(number, None)
            else:
                told[number] = made
        before.append((tree, dict(told)))
    for found, expected in before:
        assert dict(found.items()) == expected
        assert (len(found), bool(found), set(found)) == (len(expected), bool(expected), set(expected))
        assert all(found.get(number) is made for number, made in expected.items())


@given(CHANGES)
def test_a_description_knows_which_tables_hold_it(rounds: list[dict[int, bool]]) -> None:
    tree, tables = Inheritance(), list[tuple[DescriptorTable, Inheritance]]()
    for chosen in rounds:
        tree = tree.updated({number: entry() if there else None for number, there in chosen.items()})
        table = DescriptorTable(inherited=tree)
        tree.hold(table, followed=True)
        tables.append((table, tree))
    files = {item[0] for _, held in tables for _, item in held.items()}
    for file in files:
        expected = {table for table, held in tables if any(item[0] is file for _, item in held.items())}
        assert set(file.heir_tables) == expected
    for table, held in tables:
        held.let_go(table, followed=True)
    assert not any(file.heirs for file in files)
