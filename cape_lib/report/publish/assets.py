"""What the pages load, made without a network: the one shared chart bundle, and MathJax with its fonts."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path

from cape_lib.errors import SurroundingsError
from cape_lib.output import write_whole

VEGA_LITE = "6.4"
BUNDLE = "cape-vega.js"
#: Of MathJax's 6 MB: the one script of TeX to HTML, its fonts, and the extensions that it loads when a formula asks.
MATHJAX = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2/*.woff", "input/tex/extensions/*.js")


def vega_bundle(cache: Path | None = None) -> str:
    """Vega, Vega-Lite and Vega-Embed as one classic script; with `cache`, made once and kept there."""
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


def mathjax_files() -> dict[str, Path]:
    """Path below `_static/mathjax/` -> file, from the Python package that carries MathJax 3."""
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise SurroundingsError("sphinx-mathjax-offline is not installed: pip install '.[book]' in the repository")
    folder = Path(spec.origin).parent / "static" / "mathjax"
    return {path.relative_to(folder).as_posix(): path for pattern in MATHJAX for path in sorted(folder.glob(pattern))}
