"""Families, panels and releases whose truth is known: how often each interval is right and each verdict wrong.

Every part plants a truth, draws scores with the noise of their questions, asks the book's own functions and counts.
`python -m experiments.coverage` writes `data/coverage.csv`; the trust page shows it.
"""
