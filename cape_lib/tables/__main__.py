"""`python -m cape_lib.tables`: makes frontier_cells.csv anew, checks every table and notes which files passed."""

from __future__ import annotations

import json
import sys

from cape_lib.errors import CapeError
from cape_lib.tables.files import check, data_dir, digest, load, read_text, table_file, table_names, typed
from cape_lib.tables.frontier import audit


def main() -> None:
    """Rewrite what is made from other tables, check all of them, write `data/checked.json`."""
    rewrite_cells()
    digests = {}
    for name in table_names():
        file = table_file(name)
        check(name, typed(name, read_text(file), file=file), file=file)
        digests[name] = digest(name, file)
    (data_dir() / "checked.json").write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")


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
