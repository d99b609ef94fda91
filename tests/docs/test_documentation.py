"""README.md and docs/: every link leads somewhere, the site has every page, the picture shows today's report."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import picture
import pytest
import site_pages

from tracediag.rules import all_rules

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_PLAIN_MENTION = re.compile(r"(?<![\[(/`\w])docs/[\w-]+\.md(?!\])")
_TEXT = re.compile(r'<text class="report-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')


def _prose(text: str) -> str:
    """Return a page without code, which may hold what looks like a link."""
    return re.sub(r"(?s:^```.*?^```$)|^    .*$", "", text, flags=re.MULTILINE)


@cache
def _anchors(path: Path) -> set[str]:
    headings = _HEADING.findall(_prose(path.read_text("utf-8")))
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip()) for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = _prose(page.read_text("utf-8"))
    for file, anchor in _LINK.findall(text):
        target = (page.parent / file).resolve() if file else page
        assert target.is_file(), file
        assert not anchor or anchor in _anchors(target), (file, anchor)
    assert not _PLAIN_MENTION.findall(text), "write a link: [ci.md](ci.md)"


def test_the_site_has_every_page() -> None:
    named = re.findall(r"^ *- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    made = [path for path, _ in site_pages.generated() if path.count("/") == 0]
    written = [path.name for path in (ROOT / "docs").glob("*.md")]
    assert sorted(named) == sorted([*made, *written, "rules/index.md"])


def test_the_site_has_a_page_for_each_rule_and_its_links_exist() -> None:
    pages = dict(site_pages.generated())
    for rule in all_rules():
        assert f"| {rule.code} | [{rule.name}]({rule.name}.md) |" in pages["rules/index.md"]
        assert pages[f"rules/{rule.name}.md"].startswith(f"# {rule.name} ({rule.code})\n")
    for path, text in pages.items():
        for file, _ in _LINK.findall(_prose(text)):
            target = str(Path(path).parent / file)
            assert not file or target in pages or (ROOT / "docs" / target).is_file(), (path, file)
        assert "```trace quiet" not in text
        assert not re.search(r"^#\^ TD", text, re.MULTILINE)


def test_the_picture_shows_the_report_of_today() -> None:
    drawn: dict[float, str] = defaultdict(str)
    for x, y, text in _TEXT.findall(picture.PICTURE.read_text("utf-8")):
        before = drawn[float(y)]
        drawn[float(y)] = before.ljust(round(float(x) / picture.COLUMN)) + html.unescape(text).replace("\xa0", " ")
    shown = [line.rstrip() for _, line in sorted(drawn.items())]
    assert shown == [line for line in picture.report_lines() if line], "draw it again: make pictures"
