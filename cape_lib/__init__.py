"""CAPE: Capability Coupling Analysis of Phase Emergence, the library behind the book."""

from cape_lib.errors import (
    CapeError,
    MissingError,
    MixedProtocolError,
    ScoresError,
    SurroundingsError,
    UsageError,
)

__version__ = "0.1.0"
__all__ = [
    "CapeError",
    "MissingError",
    "MixedProtocolError",
    "ScoresError",
    "SurroundingsError",
    "UsageError",
    "__version__",
]
