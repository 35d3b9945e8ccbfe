"""Colab as it is, simulated: its usual packages, a source notebook alone in an empty folder, the package from git."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import nbformat
import pytest
from kernels import PAGES, ROOT, how_many_inputs, kernel_spec, one_for_all, read_through

CONFIG = (ROOT / "_config.yml").read_text(encoding="utf-8")
LISTED = re.findall(r"^\s*(?:-\s*)?(?:file|root):\s*(\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"), re.M)
#: What a reader finds in Colab before the first cell (torch and two packages of the old notebook are stand-ins).
THERE = ["numpy==2.0.2", "pandas==2.2.2", "scipy==1.16.3", "matplotlib==3.10.0", "altair==5.5.0", "statsmodels==0.14.5"]
THERE += ["ipykernel==6.17.1", "ipython==7.34.0", "setuptools<81", "pip==24.1.2"]
#: Installed without what they ask for: the old notebook server, which no chapter needs, is most of it.
BARE = ["ipywidgets==7.7.1", "ipython-genutils==0.2.0"]
STANDINS = {"torch": "2.9.0+cu126", "widgetsnbextension": "3.6.10", "jupyterlab-widgets": "3.0.16"}
HELD = ("numpy", "pandas", "scipy", "torch", "ipython", "ipykernel", "ipywidgets", "altair", "matplotlib")

#: Colab imports its own package before the first cell.
STARTUP = """
import sys, types
sys.modules["google.colab"] = types.ModuleType("google.colab")
"""
VERSIONS = "from importlib import metadata as m; import json; print(json.dumps({n: m.version(n) for n in %r}))"


def _setting(name: str) -> str:
    """A value of the one setting that names the repository."""
    result = re.search(rf"^repository:\n(?:  .*\n)*?  {name}:\s*(\S+)", CONFIG, re.M)
    assert result, f"_config.yml: no repository.{name}"
    return result[1]


def _first_cell(page: Path) -> nbformat.NotebookNode:
    return next(cell for cell in nbformat.read(page, as_version=4).cells if cell.cell_type == "code")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_first_cell_installs_from_the_repository_of_the_setting(page: Path) -> None:
    cell = _first_cell(page)
    address = f"git+{_setting('url')}@{_setting('branch')}"
    assert set(re.findall(r"git\+[^\s\"')]+", cell.source)) == {address}
    assert "remove-cell" in cell.metadata.tags


def test_first_cells_are_the_same_on_every_page() -> None:
    texts = {re.sub(r"cape_lib\[[\w,]+\]", "cape_lib[]", _first_cell(page).source) for page in PAGES}
    assert len(texts) == 1


@pytest.mark.parametrize("there", [True, False], ids=["installed", "missing"])
def test_first_cell_asks_pip_only_where_the_package_is_missing(there: bool) -> None:
    code = f"""
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.register_magic_function(lambda line: print("pip", line), magic_name="pip")
if not {there}:
    sys.modules["cape_lib"] = None
shell.run_cell({_first_cell(PAGES[0]).source!r}).raise_error()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.startswith("pip install") is not there, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_says_how_long_it_runs_and_on_what(page: Path) -> None:
    prose = " ".join(cell.source for cell in nbformat.read(page, as_version=4).cells if cell.cell_type == "markdown")
    assert re.search(r"runs in about [\w ]+ on two CPU cores", prose)
    assert "GPU" in prose


@pytest.mark.page
@pytest.mark.timeout(600)
def test_launch_button_of_every_page_opens_its_source_in_the_repository_of_the_setting(book_html: Path) -> None:
    owner = _setting("url").removeprefix("https://github.com/")
    launched = 0
    for name in LISTED:
        page = (book_html / f"{name}.html").read_text(encoding="utf-8")
        links = set(re.findall(r'href="(https://colab\.research\.google\.com/[^"]+)"', page))
        if not (ROOT / f"{name}.ipynb").is_file():
            assert links == set(), f"{name}: a page without code has nothing to launch"
            continue
        where = f"https://colab.research.google.com/github/{owner}/blob/{quote(_setting('branch'))}/{name}.ipynb"
        assert links == {where}, name
        launched += 1
    assert launched > 0


@dataclass(frozen=True)
class Colab:
    """A fresh environment with Colab's packages, and the git repository of the package."""

    python: Path
    repository: Path

    def versions(self) -> dict[str, str]:
        """Version of every package that must stay as it is."""
        output = subprocess.run(
            [str(self.python), "-c", VERSIONS % (HELD,)], capture_output=True, text=True, check=True
        )
        return dict(json.loads(output.stdout))


def _stand_in(site: Path, name: str, version: str) -> None:
    """A package that pip takes for installed and that holds nothing."""
    module = name.replace("-", "_")
    (site / module).mkdir()
    (site / module / "__init__.py").write_text(f"__version__ = {version!r}\n", encoding="utf-8")
    about = site / f"{module}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    (about / "INSTALLER").write_text("colab\n", encoding="utf-8")
    (about / "RECORD").write_text("", encoding="utf-8")


def _in_place_of_the_repository(colab: Colab) -> dict[str, str]:
    """Git's own settings that read the local repository wherever the public address is named."""
    settings = {f"url.{colab.repository.as_uri()}.insteadOf": _setting("url"), "protocol.file.allow": "always"}
    pairs = {
        f"GIT_CONFIG_{what}_{i}": text
        for i, pair in enumerate(settings.items())
        for what, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return pairs | {"GIT_CONFIG_COUNT": str(len(settings))}


def _repository(folder: Path) -> Path:
    """The sources of the package, as they are now, in a git repository of their own."""
    unwanted = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "_build", "_data", "_notebooks", "_book")
    for name in ("cape_lib", "data", "notebooks", "book"):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("*.yml"), *ROOT.glob("*.cff"), ROOT / "LICENSE"]:
        shutil.copy(path, folder)
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", "The package"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Colab:
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for words in (THERE, ["--no-deps", *BARE]):
        done = subprocess.run([*pip, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    for name, version in STANDINS.items():
        _stand_in(site, name, version)
    (folder / "repository").mkdir()
    return Colab(python, _repository(folder / "repository"))


@pytest.fixture
def alone(colab: Colab, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A kernel as Colab starts it and an empty folder to work in."""
    (tmp_path / "content").mkdir()
    env = {"PATH": f"{colab.python.parent}{os.pathsep}{os.environ['PATH']}", **_in_place_of_the_repository(colab)}
    with kernel_spec(tmp_path, colab.python, STARTUP, env) as kernel:
        yield kernel, tmp_path / "content"


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_source_notebook_runs_alone_in_colab_and_replaces_nothing(colab: Colab, alone: tuple[str, Path]) -> None:
    name, folder = alone
    before = colab.versions()
    # One kernel for all of them: the book runs each in a kernel of its own, here the packages and the folder are new.
    with one_for_all(name, folder) as kernel:
        for page in PAGES:
            shutil.copy(page, folder)
            run, output = read_through(folder / page.name, kernel=kernel, folder=folder)
            assert "Google Colab" in json.dumps(run.cells), f"{page.stem}: the runtime is not named"
            assert len(output) == how_many_inputs(page), page.stem
            assert not any("application/vnd.vega" in json.dumps(cell) for cell in run.cells), page.stem
            (folder / page.name).unlink()
    assert colab.versions() == before
    where = "import cape_lib, sys; assert cape_lib.__file__.startswith(sys.prefix), cape_lib.__file__"
    subprocess.run([str(colab.python), "-c", where], check=True, cwd=folder)
    assert sys.prefix != str(colab.python.parents[1])
