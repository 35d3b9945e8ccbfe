"""Where a value comes from: `repository:path` pointers to public addresses."""

from __future__ import annotations

import pandas as pd

from cape_lib.tables.files import load


def source_url(source: str | None) -> str | None:
    """Public address of a `repository:path` pointer, or the address itself; None where there is none.

    Several pointers joined by ";" give the address of the first. `cape-scaling:data/x.json` becomes the file at the
    commit that the tables were read from.
    """
    if source is None or pd.isna(source):
        return None
    first = str(source).split(";")[0].strip()
    if first.startswith(("https://", "http://")):
        return first
    name, _, path = first.partition(":")
    known = load("sources").set_index("source")
    if name not in known.index or not path:
        return None
    row = known.loc[name]
    return f"{row['repository']}/blob/{row['commit']}/{path}"
