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
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text):
    shown = visible(text)
    shown.encode()
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in shown)


@given(st.text(alphabet=st.characters()))
def test_encodable_changes_surrogates_only(text):
    encodable(text).encode()
    assert encodable("\x1b\n…") == "\x1b\n…"
