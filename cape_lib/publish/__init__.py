"""Executed notebooks, the book that is built of them, and reports on one's own family."""

from cape_lib.publish.build import book
from cape_lib.publish.execution import execute
from cape_lib.publish.places import notebooks_dir
from cape_lib.publish.report import report

__all__ = ["book", "execute", "notebooks_dir", "report"]
