"""Executed notebooks, the book that is built of them, and reports on one's own family."""

from cape_lib.errors import SurroundingsError
from cape_lib.imports import IRI, without

try:
    with without(IRI):
        import nbformat as _nbformat
    from cape_lib.report.publish.build import book
    from cape_lib.report.publish.execution import execute
    from cape_lib.report.publish.places import notebooks_dir
    from cape_lib.report.publish.report import key, report
except ModuleNotFoundError as missing:  # a light installation computes, it does not publish
    if (missing.name or "").startswith("cape_lib"):
        raise
    raise SurroundingsError(f"{missing.name} is not installed; pip install '.[book]' in the repository") from None

__all__ = ["book", "execute", "key", "notebooks_dir", "report"]
