"""Imports that cost less: a package may be left out where what it adds is never used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: jsonschema builds 38 parsers from it, for two seconds, to check the format "iri", which no chart and no notebook has.
IRI = "rfc3987_syntax"


@contextmanager
def without(module: str) -> Iterator[None]:
    """Within the block `module` counts as not installed, unless it is loaded already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
