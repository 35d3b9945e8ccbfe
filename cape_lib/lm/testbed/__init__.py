"""The testbed: two synthetic worlds with popular myths, and ladders of tiny language models trained on them.

World "D" makes a dip: truth falls, then rises with width.  "K" is D with fewer believers.  World "R" makes models
that infer whether their author is truthful, which is what a steering tool wants to move.  All of it is constructed:
it shows that a corpus *can* make a dip, not where the dip of any published family comes from.
"""
