"""Where the book's sources are, in a checkout or an installed package, and what its pages load without a network."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from cape_lib.errors import SurroundingsError
from cape_lib.output import write_whole
from cape_lib.tables.files import data_dir

PACKAGE = Path(__file__).resolve().parents[2]
VEGA_LITE = "6.4"
BUNDLE = "cape-vega.js"


def _checkout() -> Path | None:
    """The root of the checkout that this package is run from; None where it is installed without one."""
    root = PACKAGE.parent
    return root if (root / "_toc.yml").is_file() and (root / "notebooks").is_dir() else None


def _source(in_checkout: str, installed: str) -> Path:
    root = _checkout()
    path = root / in_checkout if root else PACKAGE / installed
    if not path.exists():
        raise SurroundingsError(f"{path}: not there; install cape_lib again or work in a checkout of the book")
    return path


def notebooks_dir() -> Path:
    """Folder of the story's notebooks; those of the audit are in its folder `audit`."""
    return _source("notebooks", "_notebooks")


def book_dir() -> Path:
    """Folder of the prose pages, with `_static` and `_ext`."""
    return _source("book", "_book")


def static_dir() -> Path:
    """Folder of the style sheet and the chart script."""
    return book_dir() / "_static"


def settings() -> tuple[Path, Path]:
    """The settings and the table of contents of the book."""
    return _source("_config.yml", "_site/_config.yml"), _source("_toc.yml", "_site/_toc.yml")


def book_sources() -> dict[str, Path]:
    """Every file that the builder needs beside the notebooks: path in the book -> file.

    The tables come along to be downloaded, their datasheet and the pages at the root for `include`.
    """
    config, toc = settings()
    pages, tables, folder = _checkout() or PACKAGE / "_site", data_dir(), book_dir()
    files = {"_config.yml": config, "_toc.yml": toc}
    files |= {page.name: page for pattern in ("*.md", "*.cff", "LICENSE") for page in pages.glob(pattern)}
    downloads = [table for table in tables.glob("*") if table.is_file()] + list(tables.glob("*/*.csv"))
    files |= {f"data/{table.relative_to(tables).as_posix()}": table for table in downloads}
    for path in folder.rglob("*"):
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
            files[f"book/{path.relative_to(folder).as_posix()}"] = path
    return files


def vega_bundle(cache: Path | None = None) -> str:
    """Vega, Vega-Lite and Vega-Embed as one classic script, which all pages share; with `cache`, stored there."""
    stored = cache / f"vega-{metadata.version('vl-convert-python')}-{VEGA_LITE}.js" if cache else None
    if stored is not None and stored.is_file():
        return stored.read_text(encoding="utf-8")
    import vl_convert

    # Wrapped: the bundle's short names must not become names of the page.
    bundle = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
    script = "(function () {\n" + bundle.replace("</script", "<\\/script") + "\n})();\n"
    if stored is not None:
        stored.parent.mkdir(parents=True, exist_ok=True)
        write_whole(stored, script)
    return script
