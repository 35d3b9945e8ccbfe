"""`python -m cape_lib.tables`: makes frontier_cells.csv anew and checks every table."""

from __future__ import annotations

import sys

from cape_lib.errors import CapeError
from cape_lib.tables.files import data_dir, load, read_text, table_names
from cape_lib.tables.frontier import audit


def main() -> None:
    """Rewrite what is made from other tables, check all of them."""
    rewrite_cells()
    for name in table_names():
        load(name)


def rewrite_cells() -> None:
    """Write the audit of the cells by the rule; only the words in column `reason` are carried over."""
    path = data_dir() / "frontier_cells.csv"
    reasons: dict[tuple[str, str], str] = {}
    if path.is_file():
        written = read_text(path).dropna(subset=["reason"])
        reasons = {(row["model"], row["benchmark"]): row["reason"] for row in written.to_dict("records")}
    audit(load("frontier_panel"), load("frontier_scores"), reasons).to_csv(path, index=False)


if __name__ == "__main__":
    try:
        main()
    except CapeError as error:
        sys.exit(f"{error}")
