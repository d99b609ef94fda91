"""What the queries of pages consist of, kept in the user's cache folder: the same as parsed, and never trusted."""

import subprocess
import sys

import msgspec
import pytest

from tracediag.query import QueryError, compile_query, kept
from tracediag.query.grammar import parse
from tracediag.rules import all_rules
from tracediag.rules.late_pages import LatePage

TRACE = ["fcntl(3, F_SETFD, O_RDONLY|O_NONBLOCK) = 0\n"]
"""A line that the page of setfl-setfd-confused is asked about."""
EVERY_FORM = (
    'let a = flags has O_CREAT; a and not (path ~ "x|y" or path under "/etc") and bytes >= 64KiB and call in %file',
    "sequence by file [failed] [call in %wait and reports it] until [errno != EPIPE] within 10s",
    'count by path [arg("cmd") == F_SETFL] >= 100 within 10ms',
    'absent [call in (fsync, fdatasync)] between [call not in %write] and [path !~ "a"] by file',
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept.kept_queries.cache_clear()
    yield tmp_path / "tracediag"
    kept.kept_queries.cache_clear()


@pytest.fixture
def unparsed(monkeypatch):
    """The texts that are parsed although they were kept."""
    texts = []
    monkeypatch.setattr("tracediag.query.grammar.parse", lambda text: texts.append(text) or parse(text))
    return texts


def again(text):
    """Return what a later run reads."""
    kept.kept_queries.cache_clear()
    return kept.parsed(text)


def queries_of_pages():
    for rule in all_rules():
        if issubclass(rule, LatePage):
            yield from rule.queries


@pytest.mark.parametrize("text", [*EVERY_FORM, *queries_of_pages()])
@pytest.mark.usefixtures("cache")
def test_what_is_kept_is_what_was_parsed(unparsed, text):
    assert kept.parsed(text) == parse(text)
    unparsed.clear()
    assert again(text) == parse(text)
    assert not unparsed


def test_one_file_holds_all(cache, unparsed):
    for text in EVERY_FORM:
        again(text)
    assert len([path for path in cache.iterdir() if path.suffix == ".msgpack"]) == 1
    unparsed.clear()
    assert [again(text) for text in EVERY_FORM] == [parse(text) for text in EVERY_FORM]
    assert not unparsed


@pytest.mark.usefixtures("cache")
def test_a_wrong_query_is_not_kept():
    for _ in range(2):
        with pytest.raises(QueryError, match="the query ends too early"):
            compile_query("errno ==", keep=True)
    assert not kept.kept_queries()


@pytest.mark.usefixtures("cache")
def test_a_query_that_a_user_types_is_not_kept():
    compile_query("errno == EPIPE")
    assert not kept.kept_queries()


@pytest.mark.parametrize("damage", [b"", b"no msgpack", msgspec.msgpack.encode({EVERY_FORM[0]: {"lets": 1}}), None])
def test_a_damaged_file_is_written_again(cache, unparsed, damage):
    kept.parsed(EVERY_FORM[0])
    (path,) = cache.glob("queries-*")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] if damage is None else damage)
    assert again(EVERY_FORM[0]) == parse(EVERY_FORM[0])
    assert path.read_bytes() == whole
    unparsed.clear()
    again(EVERY_FORM[0])
    assert not unparsed


@pytest.mark.parametrize("what", ["folder", "file", "symlink"])
def test_what_others_can_write_is_not_read(cache, what):
    kept.parsed(EVERY_FORM[0])
    (path,) = cache.glob("queries-*")
    other = msgspec.msgpack.encode(parse("errno == EPIPE"))
    path.write_bytes(msgspec.msgpack.encode({EVERY_FORM[0]: msgspec.Raw(other)}))
    assert again(EVERY_FORM[0]) == parse("errno == EPIPE")  # it is believed where only the user can have written it
    if what == "symlink":
        path.rename(cache.parent / "elsewhere")
        path.symlink_to(cache.parent / "elsewhere")
    else:
        (cache if what == "folder" else path).chmod(0o777)
    assert again(EVERY_FORM[0]) == parse(EVERY_FORM[0])


@pytest.mark.usefixtures("cache")
def test_no_more_are_kept_than_pages_can_have(monkeypatch):
    monkeypatch.setattr(kept, "MOST_KEPT", 3)
    for text in (f"result == {number}" for number in range(6)):
        kept.parsed(text)
    kept.kept_queries.cache_clear()
    assert len(kept.kept_queries()) == 3


def test_without_a_folder_a_query_is_parsed(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    kept.kept_queries.cache_clear()
    assert kept.parsed(EVERY_FORM[0]) == parse(EVERY_FORM[0])
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    kept.kept_queries.cache_clear()


@pytest.mark.usefixtures("cache")
def test_a_second_analysis_with_a_page_imports_no_parser_of_queries():
    program = (
        "import sys; from tracediag import analyze;"
        f"assert [found.code for found in analyze({TRACE!r}).findings] == ['TD302'];"
        "print('tracediag.query.grammar' in sys.modules)"
    )
    said = [subprocess.check_output([sys.executable, "-c", program], text=True).strip() for _ in range(2)]
    assert said == ["True", "False"]
