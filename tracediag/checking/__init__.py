"""Checks rules that users write for themselves: `tracediag rules check DIR`.

pages       a page: its name and code, its head, its queries, its traces
queries     a query: all its errors, what its conditions compare, its regular expressions
conditions  conditions that are always true or can never match
heads       the fields of a head
agreement   whether some comparisons can hold of one call
domains     the values that a comparison leaves to a name
facts       which calls have an argument, take a constant, can fail
traces      the traces on a page show what the page says
"""

from tracediag.checking.pages import check_folders

__all__ = ["check_folders"]
