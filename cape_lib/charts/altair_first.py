"""Altair, loaded in a third of its time; this module comes before every other that imports it."""

from cape_lib.imports import IRI, without

with without(IRI):
    import altair as altair

#: It offers nothing; importing it is what it is for.
__all__: list[str] = []
