"""Makes the pages of the site that do not lie in docs/: those of the repository's root, and one for each rule.

mkdocs calls `on_files` and `on_nav` as a hook: mkdocs.yml names this file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tracediag.rules import Rule, all_rules
from tracediag.rules.pages import parse_page

ROOT = Path(__file__).parents[2]
FROM_ROOT = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Pages of the site by the files that they are made of."""
FAMILIES = {
    "epoll": "Event loops",
    "socket": "Sockets",
    "descriptor": "Descriptors",
    "file": "Files",
    "process": "Processes and signals",
    "waiting": "Calls that do not return",
    "failure": "Failed calls",
    "outcome": "Wrong results",
}
"""The title of each family, in the order of the index."""
_LINK = re.compile(r"\]\((?P<folder>docs/)?(?P<file>[\w-]+(?:/[\w-]+)?\.\w+)(?P<anchor>#[^)\s]*)?\)")
_FENCED = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?<!\[)`([a-z]+(?:-[a-z]+)+)`")
_QUIET = re.compile(r"^```trace quiet$", re.MULTILINE)


def generated() -> Iterator[tuple[str, str]]:
    """Yield the path in the site and the Markdown of each page that is made."""
    for page, source in FROM_ROOT.items():
        yield page, _LINK.sub(_moved, (ROOT / source).read_text("utf-8"))
    rules = all_rules()
    yield "rules/index.md", index(rules)
    names = {rule.name for rule in rules}
    for rule in rules:
        yield f"rules/{rule.name}.md", page_of(rule, names)


def _moved(link: re.Match[str]) -> str:
    """Return a link of a page in the root as it is in the site."""
    made = {source: page for page, source in FROM_ROOT.items()}
    file = link["file"] if link["folder"] else made.get(link["file"], link["file"])
    return f"]({file}{link['anchor'] or ''})"


def index(rules: tuple[type[Rule], ...]) -> str:
    """Return the list of all rules, by family."""
    of_family: Mapping[str, list[type[Rule]]] = defaultdict(list)
    for rule in rules:
        of_family[rule.family()].append(rule)
    parts = [f"# Rules\n\n{len(rules)} rules. `tracediag explain RULE` prints the page of one, by name or code.\n"]
    for family, title in FAMILIES.items():
        rows = [
            f"| {rule.code} | [{rule.name}]({rule.name}.md) | {rule.severity} | {_cell(rule)} |"
            for rule in of_family[family]
        ]
        parts.append(
            "\n".join([f"## {title}\n", "| code | rule | severity | what it finds |", "|---|---|---|---|", *rows, ""])
        )
    return "\n".join(parts)


def _cell(rule: type[Rule]) -> str:
    return rule.summary.replace("|", "\\|")


def page_of(rule: type[Rule], names: set[str]) -> str:
    """Return the page of a rule, whose text links to the rules that it names."""
    page = parse_page(rule.page()).for_readers(rule.summary)
    title, _, rest = _QUIET.sub("```text", page).partition("\n")
    facts = f"*{FAMILIES[rule.family()]} · {rule.severity} · {rule.maturity}*"
    pieces = _FENCED.split(rest)
    pieces[::2] = [_NAME.sub(lambda found: _linked(found, rule.name, names), piece) for piece in pieces[::2]]
    return f"{title}\n\n{facts}\n{''.join(pieces)}"


def _linked(found: re.Match[str], own: str, names: set[str]) -> str:
    name = found[1]
    return f"[`{name}`]({name}.md)" if name in names and name != own else found[0]


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    from mkdocs.structure.files import File

    for path, text in generated():
        files.append(File.generated(config, path, content=text))
    return files


def on_config(config: Any) -> Any:
    """List the pages of the rules below their index, by family."""
    for section in config.nav:
        if isinstance(section, dict) and "Rules" in section:
            for family, title in FAMILIES.items():
                pages = [f"rules/{rule.name}.md" for rule in all_rules() if rule.family() == family]
                section["Rules"].append({title: pages})
    return config
