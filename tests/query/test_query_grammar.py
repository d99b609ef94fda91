"""The grammar of queries: no state of its parser allows two terminals that begin alike, and no terminal backtracks."""

from __future__ import annotations

import re
from itertools import combinations

from interegular import parse_pattern

from tracediag.query.grammar import parser

KEYWORDS = re.compile(r"\(\?!\(\?>([a-z|]+)\)\\b\)")


def pairs() -> set[tuple[str, str]]:
    lexers = parser().parser.lexer.lexers.values()
    return {pair for lexer in lexers for pair in combinations(sorted(one.name for one in lexer.terminals), 2)}


def plain(pattern: str) -> str:
    """Return the expression without what interegular cannot read; the words that WORD excludes are told apart below."""
    pattern = KEYWORDS.sub("", pattern).replace("(?>", "(?:").replace(r"\b", "")
    pattern = re.sub(r"\(\?!\[[^\]]*\]\)|\(\?!=\)", "", pattern)
    return re.sub(r"(?<=[*+?}])\+", "", pattern)


def test_no_two_terminals_match_the_same_text_at_any_state() -> None:
    together = pairs()
    assert len(together) > 100
    patterns = {terminal.name: terminal.pattern.to_regexp() for terminal in parser().terminals}
    keywords = set(KEYWORDS.search(patterns["WORD"])[1].split("|"))
    machines = {name: parse_pattern(plain(pattern)).to_fsm() for name, pattern in patterns.items()}
    alike = {pair for pair in together if not machines[pair[0]].isdisjoint(machines[pair[1]])}
    told_apart = {("WORD", name) for name in patterns if name[1:].lower() in keywords}
    assert {tuple(sorted(pair)) for pair in alike} <= {tuple(sorted(pair)) for pair in told_apart}


def test_word_excludes_exactly_the_keywords() -> None:
    terminals = {terminal.name: terminal.pattern for terminal in parser().terminals}
    keywords = set(KEYWORDS.search(terminals["WORD"].to_regexp())[1].split("|"))
    written = {name[1:].lower() for name, pattern in terminals.items() if pattern.to_regexp().endswith(r"\b")}
    assert keywords == written - {"antity", "uantity"}
    word = re.compile(terminals["WORD"].to_regexp())
    assert all(word.match(keyword) is None for keyword in keywords)
    assert all(word.fullmatch(f"{keyword}s") for keyword in keywords)
