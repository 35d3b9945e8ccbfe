"""The project as a place: one version, one address, a citation, a licence, workflows that call what is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import cape_lib

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_stands_in_the_library_and_everything_follows_it() -> None:
    assert yaml.safe_load(read("CITATION.cff"))["version"] == cape_lib.__version__
    newest = re.search(r"^## (\S+)", read("CHANGELOG.md"), re.M)
    assert newest and newest[1] == cape_lib.__version__
    assert 'dynamic = ["version"]' in read("pyproject.toml")
    pages = [*ROOT.glob("*.md"), *(ROOT / "book").glob("*.md")]
    typed = [path.name for path in pages if cape_lib.__version__ in path.read_text(encoding="utf-8")]
    assert typed == ["CHANGELOG.md"], "say @VERSION@"


def test_the_address_of_the_repository_is_the_setting_of_the_book() -> None:
    address = yaml.safe_load(read("_config.yml"))["repository"]["url"]
    assert yaml.safe_load(read("CITATION.cff"))["repository-code"] == address


def test_the_citation_has_what_the_format_asks_for_and_both_licences() -> None:
    text = yaml.safe_load(read("CITATION.cff"))
    assert text["cff-version"] == "1.2.0"
    assert all(text[key] for key in ("message", "title", "authors"))
    assert text["license"] == ["MIT", "CC-BY-4.0"]
    licence = read("LICENSE")
    assert licence.startswith("MIT License") and "CC BY 4.0" in licence
    cited = {work["url"] for work in text["references"]}
    assert cited <= set(re.findall(r"url = \{(\S+)\}", read("book/references.bib")))


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_only_what_is_there(path: Path) -> None:
    from benchmarks.__main__ import chosen

    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.M))
    lines = [line for step in steps(path) if "run" in step for line in step["run"].splitlines()]
    for line in lines:
        words = line.split()
        if words[0] == "make":
            assert set(words[1:]) <= targets, line
        for word in words:
            if word.endswith(".py"):
                assert (ROOT / word).is_file(), line
        if "benchmarks" in words:
            assert chosen(words[words.index("benchmarks") + 1 :]), line
    assert lines


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_names_the_version_of_each_action_and_keeps_what_a_failure_left(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action) for action in used)
    rest = [step for step in steps(path) if "upload-artifact" in step.get("uses", "")]
    assert rest
    assert all(step["if"] == "failure()" and "_build/*.log" in step["with"]["path"] for step in rest)


def test_the_tests_run_on_every_version_that_the_library_admits() -> None:
    matrix = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert matrix == ["3.11", "3.12", "3.13"]
    assert f'requires-python = ">={matrix[0]}"' in read("pyproject.toml")


def test_the_newest_versions_stay_in_the_ranges_of_the_package(tmp_path: Path) -> None:
    copy = tmp_path / "requirements.txt"
    shutil.copy(ROOT / "requirements.txt", copy)
    subprocess.run([sys.executable, ROOT / ".ci" / "newest.py", copy], check=True)
    lines = copy.read_text(encoding="utf-8").splitlines()
    assert not any("==" in line for line in lines)
    assert {"jupyter-book>=1.0.4,<2", "sphinx-book-theme>=1.2,<1.3", "sphinx"} <= set(lines)
    assert len(lines) == len(read("requirements.txt").splitlines())
