"""Reads a table that is not there: the traceback names the file, and is itself surrounded by harmless failures."""


def total(path):
    with open(path) as table:
        return sum(int(line) for line in table)


print(total("table.txt"))
