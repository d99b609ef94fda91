"""Makes the tables of a grammar, with lark."""

from __future__ import annotations

import lark.lexer
from lark import Lark
from lark.grammar import NonTerminal, Rule
from lark.parsers.lalr_analysis import Shift

from tracediag.languages.tables import Production, Tables


def make_tables(grammar: str, start: str) -> Tables:
    """Return the tables of a grammar in lark's notation, without priorities: no two terminals may begin alike.

    Args:
        grammar: the text of the grammar.
        start: the symbol that a complete text of the language is.
    """
    made = lark_parser(grammar, start)
    numbers = {rule: number for number, rule in enumerate(made.rules)}
    found = made.parser.parser._parse_table  # noqa: SLF001  # lark has no other access to them
    states = [
        {str(name): arg if action is Shift else ~numbers[arg] for name, (action, arg) in found.states[number].items()}
        for number in range(len(found.states))
    ]
    return Tables(
        grammar=grammar,
        terminals={str(terminal.name): terminal.pattern.to_regexp() for terminal in made.terminals},
        ignored=tuple(map(str, made.ignore_tokens)),
        productions=tuple(map(_production, made.rules)),
        states=tuple(states),
        start=found.start_states[start],
        end=found.end_states[start],
    )


def lark_parser(grammar: str, start: str) -> Lark:
    """Return lark's own parser of a grammar.

    Lark compares all pairs of terminals, which takes a second, if interegular is installed, as for development; our
    tests prove more, and only once.
    """
    checks: bool = lark.lexer.has_interegular
    lark.lexer.has_interegular = False
    try:
        return Lark(grammar, parser="lalr", start=start, maybe_placeholders=False, propagate_positions=True)
    finally:
        lark.lexer.has_interegular = checks


def _production(rule: Rule) -> Production:
    kept = [place for place, symbol in enumerate(rule.expansion) if not getattr(symbol, "filter_out", False)]
    return Production(
        origin=str(rule.origin.name),
        length=len(rule.expansion),
        kept=tuple(kept),
        spliced=tuple(place for place in kept if _is_part(rule.expansion[place])),
        make="" if _is_part(rule.origin) else str(rule.alias or rule.origin.name),
        is_transparent=bool(rule.options.expand1 and not rule.alias),
    )


def _is_part(symbol: object) -> bool:
    """Whether a rule is only a part of others: lark gives the parts of a repetition such names, too."""
    return isinstance(symbol, NonTerminal) and symbol.name.startswith("_")
