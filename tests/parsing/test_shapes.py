"""The learned shapes and the grammar give equal values for any text."""

import functools
import re

import hypothesis
import pytest
from argument_lines import LINES, RECORDED
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark

from tracediag.languages.texts import grammar_text
from tracediag.parsing import calls, parser_for
from tracediag.parsing.calls import Book
from tracediag.parsing.grammar import build
from tracediag.parsing.strict import ArgumentError, parse_strict, template_of
from tracediag.parsing.tolerant import parse_tolerant

BODIES = [body for body, _ in LINES] + RECORDED[::3]
TERMINALS = {
    "STRING": ['"a"', '""', '"x\\"y"...', '@"s"', '") = 3"', '"<unfinished ...>"', '"\\\\"', '"+++"'],
    "CHAR": ["'('", "'\\''", "'\\\\'"],
    "DECIMAL": ["0", "-1", "7", "4096"],
    "OCTAL": ["00", "0644", "00000010"],
    "HEX": ["0x0", "-0xff", "0x7ffe"],
    "BARE_HEX": ["985f4f0", "0000008f"],
    "DIGITS": ["0101..."],
    "DATE": ["2026/11/23-02:35:38", "2026-11-23T02:35:38+0000.5"],
    "NAMES": ["A", "A|B", "A|B|0x20", "NULL", "VALID-13", "S|0644", "ffffffff", "a1", "or", "in"],
    "WORD": ["&a", "-opost", "!A", "*", "00:00:5e", "01234567-89ab-cdef-fedc-ba9876543210"],
    "NOTE": ["</a>", "</a->", "</d<char 1:3>>", "<TCP:[a:1->1:2]>", "</x>(deleted)", '<U:[1->2, "/>"]>', "</a) = 3>"],
    "CONTEXT": [" [lib_t]", " [a!!b]"],
    "COMMENT": ["/* x */", "/* a /* b */ c */"],
    "LEADING_COMMENT": ["/* x */ "],
    "SPACED_COMMENT": [" /* x */", "/* 1, 2 */"],
    "LABEL": ["in ", "left ", "flags "],
    "CALL": ["f(", "_IOC("],
    "KEY": ["a=", "bc=", "m.x=", "c[V]="],
    "COUNTED_KEY": ["iov(1)="],
    "COLON_KEY": ["entry:"],
    "PACKET_ADDRESS": ["addr(0)={0, ", "addr(2)={1, 0af3"],
    "SIZEOF": ["sizeof(struct x)"],
    "ABSTRACT": ["@/x"],
    "UNREAD": ["[?] 0x2c"],
    "RESUMING": ["<... resuming interrupted poll ...>"],
    "_BLANK": [" "],
    "_COMMA": [", ", ",", " , "],
    "_ARROW": [" => ", "->"],
    "_LEADING_ARROW": ["=> ", " => "],
    "_INDEX_END": ["]=", "] = "],
    "_PIPE": ["|", " | "],
    "_ELISION": ["...", "???", "?"],
}
GENERATED = from_lark(
    build(grammar_text("strace.lark"), tables=False),
    start="arguments",
    explicit={name: st.sampled_from(texts) for name, texts in TERMINALS.items()},
)
PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\W', re.DOTALL)
FRAGMENTS = sorted({text for texts in TERMINALS.values() for text in texts} | set("[]{}(), =|<>\"'\\-:~*/"))


@st.composite
def mutated(draw, bodies):
    """A body with some of its pieces replaced, doubled or left out."""
    pieces = PIECE.findall(draw(bodies))
    for _ in range(draw(st.integers(0, 3))):
        if pieces:
            place = draw(st.integers(0, len(pieces) - 1))
            pieces[place] = draw(st.sampled_from([*FRAGMENTS, "", pieces[place] * 2]))
    return "".join(pieces)


@functools.cache
def by_the_grammar(body):
    try:
        return parse_strict(body)
    except ArgumentError:
        return parse_tolerant(body)


def taught(*bodies):
    parse = Book().parser_for("call")
    for body in bodies * 2:
        parse(body)
    return parse


@given(st.lists(GENERATED, min_size=1, max_size=4))
@settings(deadline=None, max_examples=30, suppress_health_check=list(hypothesis.HealthCheck))
def test_bodies_of_the_grammar(bodies):
    parse = taught(*bodies)
    for body in bodies:
        assert parse(body) == by_the_grammar(body)


@given(st.data())
@settings(deadline=None, max_examples=200, suppress_health_check=list(hypothesis.HealthCheck))
def test_mutated_bodies(data):
    body = data.draw(st.sampled_from(BODIES) | GENERATED)
    parse = taught(body)
    for other in data.draw(st.lists(mutated(st.just(body)), min_size=1, max_size=6)):
        assert parse(other) == by_the_grammar(other)


@given(st.lists(mutated(st.sampled_from(BODIES)), min_size=3, max_size=3))
@settings(deadline=None, max_examples=200, suppress_health_check=list(hypothesis.HealthCheck))
def test_bodies_of_other_calls(bodies):
    parse = taught(*BODIES[:40])
    for body in bodies:
        assert parse(body) == by_the_grammar(body)


def test_each_pair_of_a_shape_and_a_body():
    for shape in BODIES:
        parse = taught(shape)
        for body in BODIES:
            assert parse(body) == by_the_grammar(body), (shape, body)


def test_the_second_body_of_a_shape_teaches_it():
    book = Book()
    parse = book.parser_for("read")
    for number in range(4):
        parse(f'{number}, "x", 1')
    assert book.shapes == 1


@pytest.mark.parametrize(("limit", "most"), [("MAX_SHAPES", 8), ("MAX_SHAPES_OF_A_CALL", 3)])
def test_shapes_are_bounded(monkeypatch, limit, most):
    monkeypatch.setattr(calls, limit, most)
    book = Book()
    for name in ("a", "b"):
        for length in [*range(12), *range(12)]:
            body = ", ".join(["1"] * length)
            assert book.parser_for(name)(body) == (1,) * length
    assert book.shapes == sum(len(shapes) for shapes in book.lists)
    assert book.shapes <= most * (2 if limit == "MAX_SHAPES_OF_A_CALL" else 1)


def test_what_was_seen_once_is_bounded(monkeypatch):
    monkeypatch.setattr(calls, "MAX_KEYS", 5)
    book = Book()
    for length in range(20):
        book.parser_for("a")(", ".join(["1"] * length))
    assert len(book.seen) <= 5


def test_calls_are_bounded(monkeypatch):
    monkeypatch.setattr(calls, "MAX_CALLS", 3)
    book = Book()
    for number in range(10):
        assert book.parser_for(f"syscall_{number}")("1") == (1,)
    assert len(book.parsers) <= 4


def test_one_call_has_one_parser():
    assert parser_for("openat") is parser_for("openat")


STRUCTURES = [
    "{fd=3, events=POLLIN}",
    "{fd=-1}",
    "{fd=4</a>, events=POLLIN|POLLOUT}",
    '{fd=5<U:[1->2, "/>"]>, events=0x1}',
    '{iov_base="}, {\\"]"..., iov_len=20}',
    "{events=EPOLLIN, data={u32=5, u64=5}}",
    "{msg_hdr={msg_name=NULL, msg_iov=[{iov_base='(', iov_len=1}], ...}, msg_len=3} ",
    "{a=1 /* } */}",
    "{B38400 opost}",
    "{}",
    "{addr(0)={0, 0af3}",
    "{sin_port=htons(80), x=1<<3}",
]
LISTS = st.builds(
    "{}[{}{}]{}".format,
    st.sampled_from(["", "3, ", "3</a>, x=NULL, ", "fds=", '"s", ', "{a=1}, ", "f(", "[1], "]),
    st.lists(st.sampled_from(STRUCTURES), min_size=1, max_size=60).map(", ".join),
    st.sampled_from(["", ", ...", " => {a=1}", " {b=2}", ", 7", ",", " /* x */", "}"]),
    st.sampled_from(["", ", 100, 0", " => [{a=2}], 1", "</a>, [{b=1}]", ")", ", {"]),
)


@given(st.data())
@settings(deadline=None, max_examples=200, suppress_health_check=list(hypothesis.HealthCheck))
def test_long_lists(data):
    body = data.draw(LISTS)
    parse = taught(body)
    for other in [body, *data.draw(st.lists(LISTS | mutated(st.just(body)), max_size=3))]:
        assert parse(other) == by_the_grammar(other)


def poll(*numbers):
    return f"[{', '.join(f'{{fd={number}, events=POLLIN}}' for number in numbers)}], {len(numbers)}, 0"


def test_long_lists_of_any_length_need_no_shape_of_their_own(monkeypatch):
    book = Book()
    parse = book.parser_for("poll")
    parse(poll(1, 2))
    parse(poll(*range(100)))
    parse(poll(*range(200)))
    read = []
    monkeypatch.setattr(calls, "template_of", lambda body: read.append(body) or template_of(body))
    for length in range(50, 150):
        body = poll(*range(length, 2 * length))
        assert parse(body) == parse_strict(body)
    assert read == []


def test_long_arrays_are_read_without_a_shape():
    book = Book()
    body = f"[{', '.join(['0x7f'] * 500)}]"
    for _ in range(3):
        assert book.parser_for("mincore")(body) == parse_strict(body)
    assert book.shapes == 0
