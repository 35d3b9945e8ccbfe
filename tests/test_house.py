"""The house itself: what an import costs, which way the arrows point, the form of functions, files and notebooks."""

from __future__ import annotations

import ast
import json
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "cape_lib").rglob("*.py"))
NOTEBOOKS = sorted([*(ROOT / "notebooks").rglob("[!.]*.ipynb"), *(ROOT / "book").glob("*.ipynb")])
CHAPTERS = [path for path in NOTEBOOKS if "notebooks" in path.relative_to(ROOT).parts]
HEAVY = {
    "torch",
    "altair",
    "pysindy",
    "transformers",
    "statsmodels",
    "sklearn",
    "matplotlib",
    "papermill",
    "IPython",
    "dask",
}
FORBIDDEN_NAMES = {"utils", "helpers", "misc", "common", "util", "helper"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def modules_after(statement: str) -> set[str]:
    """Names of the top-level packages that a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_importing_the_library_loads_nothing_heavy() -> None:
    assert modules_after("import cape_lib") & HEAVY == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["tables", "stats", "base.coupling", "base.boundary", "frontier", "ingest", "claims", "cli"]
)
def test_importing_an_instrument_loads_nothing_heavy(module: str) -> None:
    assert modules_after(f"import cape_lib.{module}") & HEAVY == set()


def test_importing_the_library_loads_little_beside_pandas_and_scipy() -> None:
    besides = modules_after("import cape_lib") - modules_after("import pandas, scipy.stats")
    assert besides <= {"cape_lib", "typing_extensions"}


@pytest.mark.slow
def test_an_arrow_only_ever_points_down() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_nothing_outside_lm_and_its_commands_imports_torch() -> None:
    result = []
    for path in SOURCES:
        inside = path.relative_to(ROOT / "cape_lib").parts
        if inside[0] in ("lm", "cli"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            result += [(name(path), module) for module in names if module.split(".")[0] in ("torch", "transformers")]
    assert result == []


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_file_says_what_it_holds(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.stem not in FORBIDDEN_NAMES
    assert ast.get_docstring(ast.parse(text)), "a file begins with one sentence on what it holds"


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def lines(cell: dict[str, Any]) -> list[str]:
    return [line for line in "".join(cell["source"]).splitlines() if line.strip()]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_notebook_in_git_has_no_output(path: Path) -> None:
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code_cells(path))


@pytest.mark.slow
def test_nbstripout_finds_nothing_to_strip() -> None:
    command = [str(Path(sys.executable).with_name("nbstripout")), "--verify", "--keep-id", *map(str, NOTEBOOKS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_table_or_figure_that_a_cell_makes_is_shown(path: Path) -> None:
    """Jupyter shows the last expression of a cell alone: what stands before it shows itself, or goes to `display`."""
    shows = {"say", "sure", "answer", "remember", "display", "setup", "errors.insert"}
    for cell in code_cells(path):
        source = "\n".join(line for line in lines(cell) if not line.lstrip().startswith("%"))
        if "%pip" not in "".join(cell["source"]):
            calls = [one.value for one in ast.parse(source).body[:-1] if isinstance(one, ast.Expr)]
            assert {ast.unparse(call.func) for call in calls if isinstance(call, ast.Call)} <= shows


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_code_cells_are_short(path: Path) -> None:
    counts = [len(lines(cell)) for cell in code_cells(path)]
    assert max(counts) <= 20
    assert statistics.median(counts) <= 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_text_cells_are_at_least_as_many_as_code_cells(path: Path) -> None:
    cells = read(path)["cells"]
    plumbing = {"remove-cell", "parameters"}
    shown = [cell for cell in code_cells(path) if not plumbing & set(cell["metadata"].get("tags", []))]
    assert sum(cell["cell_type"] == "markdown" for cell in cells) >= len(shown)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_notebook_begins_with_its_title_and_its_cells_have_unique_identifiers(path: Path) -> None:
    cells = read(path)["cells"]
    assert "".join(cells[0]["source"]).startswith("# ")
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert read(path)["metadata"]["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_parameters_are_typed_and_explained(path: Path) -> None:
    cells = [cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(cells) <= 1
    for cell in cells:
        for line in (line for line in lines(cell) if not line.startswith(("#", " ", "]", ")"))):
            assert re.match(r"\w+: [^=]+ = .+  # \S", line), f"not `name: type = value  # what it is`: {line}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_code_that_only_draws_is_folded(path: Path) -> None:
    for cell in code_cells(path):
        source = "".join(cell["source"])
        if len(lines(cell)) > 8:
            tags = set(cell["metadata"].get("tags", []))
            assert tags & {"hide-input", "hide-cell", "remove-input", "remove-cell"}, source[:80]


def test_every_page_of_the_table_of_contents_is_there() -> None:
    listed = re.findall(r"(?:file|root):\s*(\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert [page for page in listed if not any((ROOT / f"{page}{kind}").is_file() for kind in (".md", ".ipynb"))] == []
    assert len(set(listed)) == len(listed)


def test_the_environment_is_pinned() -> None:
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    loose = [line for line in wanted if line and not line.startswith("#") and "==" not in line]
    assert loose == []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")
def test_make_alone_lists_what_there_is() -> None:
    output = subprocess.run(["make"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert all(f"make {target} " in output for target in ("book", "test", "check", "lab", "clean", "help"))


@pytest.mark.slow
def test_make_check_reads_every_python_file_of_the_house() -> None:
    scope = re.search(r"ruff check (.+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert scope
    here = {path for folder in scope[1].split() for path in (ROOT / folder).rglob("*.py")}
    ours = {
        path
        for path in ROOT.rglob("*.py")
        if path.relative_to(ROOT).parts[0] in ("cape_lib", "tests", "benchmarks", "experiments", "book", "examples")
    }
    assert ours <= here


@pytest.mark.slow
def test_figures_are_loaded_without_the_parsers_that_no_chart_needs() -> None:
    assert "rfc3987_syntax" not in modules_after("import cape_lib.charts, cape_lib.report.publish")


def test_a_package_is_left_out_only_within_the_block() -> None:
    from cape_lib.imports import without

    sys.modules.pop("colorsys", None)
    with without("colorsys"), pytest.raises(ModuleNotFoundError):
        import colorsys
    import colorsys

    with without("colorsys"):
        assert sys.modules["colorsys"] is colorsys, "what is loaded already stays"
