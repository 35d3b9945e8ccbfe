"""Executed notebooks, the book that is built of them, and reports on one's own family."""

from cape_lib.report.publish.build import book, key, report
from cape_lib.report.publish.execution import execute, notebooks_dir

__all__ = ["book", "execute", "key", "notebooks_dir", "report"]
