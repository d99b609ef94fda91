"""Lines that are rows of CSV: the records stand in one column, their quotes are doubled."""

from __future__ import annotations

import csv
from collections import Counter

from tracediag.reading.margins.starts import head_of
from tracediag.reading.margins.undoing import Each

DELIMITERS = ",;\t"


def find_cells(lines: list[str]) -> Each | None:
    """Find the column of the records; at least one must have quotes that are doubled."""
    for delimiter in DELIMITERS:
        columns: Counter[int] = Counter()
        for line in lines:
            if '""' in line and (at := _column(line, delimiter)) is not None:
                columns[at] += 1
        if columns:
            return _cells(delimiter, columns.most_common(1)[0][0])
    return None


def _cells(delimiter: str, column: int) -> Each:
    def change(line: str) -> str:
        cells = _row(line, delimiter)
        return cells[column] if len(cells) > column else line

    return Each(change)


def _column(line: str, delimiter: str) -> int | None:
    for at, cell in enumerate(_row(line, delimiter)[:64]):
        head = head_of(cell) if '"' in cell else None
        if head is not None and head.strong and cell.replace('"', '""') in line and f'"{cell}' not in line:
            return at
    return None


def _row(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader((line,), delimiter=delimiter), [])
    except csv.Error:  # a cell of more than 128 KiB
        return []
