"""At each state of the parser no text can begin with two of its terminals: the basis of the shapes.

interegular supports neither possessive loops nor a lookahead within a group. So a pattern is replaced by one that
matches more: loops become ordinary, and an alternative is cut before a group that looks ahead. If these are disjoint,
the originals are as well.
"""

import re
from itertools import combinations

import pytest
from interegular import parse_pattern

from tracediag.parsing.grammar import REGEX_FLAGS, parser, terminal_patterns

ATOM = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)
LOOP = re.compile(r"(\\.|\[(?:\\.|[^\]\\])*\])|([*+?}])\+", re.DOTALL)
SPECIAL = {("COMMENT", "LEADING_COMMENT")}


def alternatives(pattern):
    found, depth = [""], 0
    for atom in ATOM.findall(pattern):
        depth += (atom == "(") - (atom == ")")
        if atom == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += atom
    return found


def without_looking_groups(alternative):
    depth = start = position = 0
    for atom in ATOM.findall(alternative):
        if atom == "(" and depth == 0:
            start = position
        depth += (atom == "(") - (atom == ")")
        position += len(atom)
        inside = alternative[start + 3 : position]
        if atom == ")" and depth == 0 and ("(?!" in inside or "(?=" in inside):
            return alternative[:start]
    return alternative


def wider(pattern):
    inner = re.fullmatch(r"\(\?\w+:(.*)\)", pattern, re.DOTALL)
    for alternative in alternatives(inner[1] if inner else pattern):
        plain = LOOP.sub(lambda loop: loop[1] or loop[2], without_looking_groups(alternative)).replace("(?>", "(?:")
        yield plain + r"[\s\S]*"


def pairs():
    lexers = parser().parser.lexer.lexers.values()
    return {pair for lexer in lexers for pair in combinations(sorted(one.name for one in lexer.terminals), 2)}


def test_no_two_terminals_begin_alike_at_any_state():
    together = pairs()
    assert len(together) > 500
    patterns = terminal_patterns()
    names = {name for pair in together for name in pair}
    machines = {name: [parse_pattern(text).to_fsm() for text in wider(patterns[name])] for name in names}
    alike = {
        pair
        for pair in together
        if not all(one.isdisjoint(other) for one in machines[pair[0]] for other in machines[pair[1]])
    }
    assert alike == SPECIAL


def test_the_two_comments_differ_only_in_what_must_follow():
    patterns = terminal_patterns()
    alone, leading = (patterns[name] for name in ("COMMENT", "LEADING_COMMENT"))
    following = '[-\\w"@{\\[])'
    assert alone.endswith(f"(?! {following}")
    assert leading.endswith(f" (?={following}")
    assert alone.removesuffix(f"(?! {following}") == leading.removesuffix(f" (?={following}")


def test_the_check_sees_an_overlap():
    first, second = (parse_pattern(next(wider(text))).to_fsm() for text in ("[0-9]++", "[0-9a-f]++"))
    assert not first.isdisjoint(second)


@pytest.mark.parametrize("name", terminal_patterns())
def test_each_loop_is_possessive_or_bounded(name):
    """A loop that may backtrack without bound could be made to take forever."""
    pattern = terminal_patterns()[name]
    for loop in re.finditer(r"(?:\\.|\[(?:\\.|[^\]\\])*\]|\)|\w)([*+])(.?)", pattern, re.DOTALL):
        assert loop[2] == "+", f"{name}: {loop[0]}"


def test_terminals_are_read_as_ascii():
    assert re.ASCII == REGEX_FLAGS
