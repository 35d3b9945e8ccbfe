"""`python -m cape_lib.tables` writes data/frontier_cells.csv anew from panel and statements; it keeps the reasons."""

from __future__ import annotations

from cape_lib.tables.cells import audit
from cape_lib.tables.files import data_dir, load, read_text


def main() -> None:
    """Rewrite the audit of the cells; only the words in column `reason` are carried over."""
    path = data_dir() / "frontier_cells.csv"
    reasons: dict[tuple[str, str], str] = {}
    if path.is_file():
        written = read_text(path).dropna(subset=["reason"])
        reasons = {(row["model"], row["benchmark"]): row["reason"] for row in written.to_dict("records")}
    audit(load("frontier_panel"), load("frontier_scores"), reasons).to_csv(path, index=False)


if __name__ == "__main__":
    main()
