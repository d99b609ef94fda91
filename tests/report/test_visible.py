import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracediag.report.visible import encodable, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[pid 7] [/tmp/x] [bold]", "[pid 7] [/tmp/x] [bold]"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\rb\nc\td", "a\\rb\\nc\\td"),
        ("\x9b31m\x7f\x00", "\\x9b31m\\x7f\\x00"),
        ("\udcff\udc80", "\\xff\\x80"),
        ("\ud800", "\\ud800"),
        ("a\u202eb\u2028\ufeff", "a\\u202eb\\u2028\\ufeff"),
        ("naïve 漢字 …", "naïve 漢字 …"),
        ("a\u180eb\U000e0041", "a\\u180eb\\U000e0041"),
        ("\u0301x", "\\u0301x"),
        ("= \u0301", "= \\u0301"),
        ("e\u0301\u0323", "e\u0301\u0323"),
        ("e" + "\u0336" * 6, "e" + "\u0336" * 4 + "\\u0336" * 2),
        ("\u3164\u2800\ufe0f\u034f", "\\u3164\\u2800\\ufe0f\\u034f"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text):
    shown = visible(text)
    shown.encode()
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in shown)


@pytest.mark.parametrize(
    "text",
    [
        "Tie\u0302\u0301ng Vie\u0323\u0302t",  # decomposed
        "\u05d1\u05bc\u05b0\u05e8\u05b5\u05d0\u05e9\u05b4\u05c1\u0596\u05d9\u05ea",  # Hebrew with points and accents
        "\u0e17\u0e35\u0e48\u0e19\u0e35\u0e48",  # Thai
        "\u0928\u092e\u0938\u094d\u0924\u0947 \u0b95\u0bca\u0bcd",  # Devanagari, Tamil: marks on spacing marks
        "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f",  # Arabic
        "ελληνικά русский 日本語 한국어 ქართული 😀 →×…\u00a0\u3000",
    ],
)
def test_text_of_any_script_stays_as_it_is(text):
    assert visible(text) == text


def test_every_character_alone_and_after_a_letter():
    """Over all of Unicode: a character left as it is has a visible shape of its own, or follows a letter."""
    unknown = []
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        kind = unicodedata.category(character)
        if kind in {"Cn", "Co"}:  # nine in ten
            unknown.append(character)
            continue
        kept = kind[0] in "LNPS" or kind in {"Mc", "Zs"}
        blank = character in "\u115f\u1160\u2800\u3164\uffa0"
        alone, after = visible(character), visible("a" + character)
        assert (alone == character) == (kept and not blank), hex(code)
        if kind not in {"Mn", "Me"}:
            assert after == "a" + alone, hex(code)
        elif after != "a" + character:
            assert after == "a" + alone
            assert not kept
        assert visible("1" + character) == "1" + alone, hex(code)
    shown = visible("".join(f"a{character}1" for character in unknown))
    assert set(shown).isdisjoint(unknown)
    assert re.fullmatch(r"(?:a\\U?u?[0-9a-f]{4,8}1)+", shown)
    assert shown.count("1a\\") == len(unknown) - 1


@given(st.text(alphabet=st.characters()))
def test_encodable_changes_surrogates_only(text):
    encodable(text).encode()
    assert encodable("\x1b\n…") == "\x1b\n…"
