"""Execution with a cache, the book, the report about one family and the sweep over many."""
