"""What the release workflow runs: checks the tag, builds the packages, and lists what they are made of.

release.py version v1.2.0    fails unless pyproject.toml has this version, and CHANGELOG.md a section for it
release.py build FOLDER      FOLDER/packages has the sdist and the wheel made of it, FOLDER/tracediag.cdx.json the
                             packages that the wheel installs (CycloneDX)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

_TOP = Path(__file__).resolve().parents[1]


def check_version(tag: str) -> None:
    """Exit with a message unless the tag is the version that is about to be released."""
    project = tomllib.loads((_TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    if tag != f"v{version}":
        sys.exit(f"release: the tag is {tag}, but pyproject.toml has the version {version}")
    if f"\n## {version}" not in (_TOP / "CHANGELOG.md").read_text(encoding="utf-8"):
        sys.exit(f"release: CHANGELOG.md has no section {version}")


def build(folder: Path) -> None:
    """Build the packages and the list of parts."""
    packages = folder / "packages"
    packages.mkdir(parents=True)
    changed = _output("git", "-C", str(_TOP), "log", "-1", "--format=%ct").strip()
    with tempfile.TemporaryDirectory() as work:
        tools, clean = Path(work, "tools"), Path(work, "clean")
        for place in (tools, clean):
            venv.create(place, with_pip=True)
        _pip(tools, "build>=1.2", "cyclonedx-bom>=7,<8")
        _run(f"{tools}/bin/python", "-m", "build", "--outdir", str(packages), str(_TOP), SOURCE_DATE_EPOCH=changed)
        (wheel,) = packages.glob("*.whl")
        _pip(clean, str(wheel))
        _run(f"{clean}/bin/python", "-m", "pip", "--quiet", "uninstall", "--yes", "pip", "setuptools")
        parts = str(folder / "tracediag.cdx.json")
        described = ("--output-reproducible", "--pyproject", str(_TOP / "pyproject.toml"), "--output-file", parts)
        _run(f"{tools}/bin/cyclonedx-py", "environment", *described, f"{clean}/bin/python")


def _pip(place: Path, *what: str) -> None:
    _run(f"{place}/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *what)


def _run(*command: str, **variables: str) -> None:
    subprocess.run(command, check=True, env=os.environ | variables)


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["version", tag]:
            check_version(tag)
        case ["build", folder]:
            build(Path(folder))
        case _:
            sys.exit(__doc__)
