"""New and changed scores of today's models from their public sources, as changes that a person can read first."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pandas as pd

from cape_lib.errors import SurroundingsError
from cape_lib.ingest.readers import is_number
from cape_lib.names import listed
from cape_lib.tables import load
from cape_lib.tables import variants as every_variant
from cape_lib.tables.files import checked, data_dir, read_text
from cape_lib.tables.variants import highest_effort

#: a listing or one file of a source is never larger than this (bytes), and never slower (seconds)
MOST_BYTES = 20_000_000
MOST_SECONDS = 60.0
#: all files of a source together take no longer than this (seconds)
MOST_SECONDS_OF_ALL = 600.0
#: more models than this in one listing is no listing of models
MOST_MODELS = 2_000

#: what the laboratory adds to a name of the index and what tells no two models apart
NO_NAME = frozenset({"preview", "instruct", "nvidia"})
_SIZE = re.compile(r"[ae]?\d+(?:\.\d+)?b")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a source would change in a table: new rows, changed cells, cells that stay as a person corrected them.

    `incomplete` are new models that lack what the table needs.
    """

    table: str
    source: str
    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    protected: list[Row] = field(default_factory=list)
    incomplete: list[Row] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed)


class _SameHost(urllib.request.HTTPRedirectHandler):
    """A redirect to another host, port or scheme is refused: the key and the trust belong to the one that is named."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        here, there = urlsplit(req.full_url), urlsplit(newurl)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise urllib.error.URLError(f"it sends on to another host, {there.netloc or there.scheme}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(source: str, address: str, *, headers: Mapping[str, str] | None = None, seconds: float = MOST_SECONDS) -> Any:
    """The JSON document at an address; SurroundingsError names the source where it is away, slow, too large, no JSON.

    seconds: for the whole reply, a trickle of its header or its body included.  headers: the reader's key, for example.
    """
    request = urllib.request.Request(address, headers={"User-Agent": "cape-book", **(headers or {})})
    replies: queue.SimpleQueue[tuple[bytes, str | None] | Exception] = queue.SimpleQueue()

    def read() -> None:
        try:
            with urllib.request.build_opener(_SameHost).open(request, timeout=seconds) as reply:
                replies.put((reply.read(MOST_BYTES + 1), reply.headers.get("Content-Length")))
        except Exception as problem:
            replies.put(problem)

    # A socket's own limit starts anew with every byte: this thread is waited for no longer than it may take.
    threading.Thread(target=read, daemon=True).start()
    try:
        answer = replies.get(timeout=seconds)
        if isinstance(answer, Exception):
            raise answer
        content, expected = answer
        if len(content) > MOST_BYTES:
            raise _refused(source, address, f"its answer is larger than {MOST_BYTES // 1_000_000} MB")
        if expected is not None and len(content) < int(expected):
            raise http.client.IncompleteRead(content)
        return json.loads(content)
    except (queue.Empty, OSError, http.client.HTTPException, ValueError, RecursionError) as problem:
        away = getattr(problem, "reason", problem)
        reasons = {
            queue.Empty: f"its answer takes longer than {seconds:g} seconds",
            urllib.error.HTTPError: f"it answers {getattr(problem, 'code', '')} {away}",
            OSError: f"it is away ({away})",
            http.client.IncompleteRead: "its answer breaks off",
            http.client.HTTPException: "its answer is no HTTP",
            Exception: "its answer is no JSON",
        }
        why = next(words for kind, words in reasons.items() if isinstance(problem, kind))
        raise _refused(source, address, why) from problem


def _refused(source: str, address: str, why: str) -> SurroundingsError:
    return SurroundingsError(f"{source} ({address}): {why}; nothing was changed, try again later")


def sources() -> pd.DataFrame:
    """The public sources that `cape refresh` reads: source, table, reader, addresses, key, on, terms."""
    return load("refresh")


def openhands(source: Row) -> Iterator[Row]:
    """Rows of the OpenHands index: a model with SWE-bench Verified (percent), agent version, day of submission."""
    listing = _objects(source, fetch(source["source"], source["listing"]), "the listing", ("name",))
    deadline = time.monotonic() + MOST_SECONDS_OF_ALL
    for name in sorted(str(entry["name"]) for entry in listing if entry.get("type", "dir") == "dir"):
        if time.monotonic() > deadline:
            raise _refused(source["source"], source["listing"], f"its files take over {MOST_SECONDS_OF_ALL:g} seconds")
        place = source["address"].replace("{model}", quote(name, safe=""))
        scores = _objects(source, fetch(source["source"], place), f"the scores of {name}")
        if swe := [score for score in scores if score.get("benchmark") == "swe-bench"]:
            about = fetch(source["source"], place.replace("scores.json", "metadata.json"))
            (about,) = _objects(source, [about], f"the metadata of {name}")
            last = max(swe, key=lambda score: str(score.get("submission_time", "")))
            yield {
                "index_name": name,
                "release_date": _text(source, about, "release_date"),
                "swe_bench_verified": _number(source, name, last, "score", most=100.0),
                "swe_agent": f"OpenHands {_text(source, last, 'agent_version')}",
                "swe_submitted": _text(source, last, "submission_time")[:10],
                "swe_source": place,
            }


def artificial_analysis(source: Row) -> Iterator[Row]:
    """Rows of Artificial Analysis' own interface: one a model variant with the scores that the tables hold (percent).

    The reader's key comes from the variable that the table names; the fractions of the interface become percent.
    """
    key = os.environ.get(source["key_variable"], "")
    if not key:
        lacking = f"needs a key of your own in {source['key_variable']} (see {source['terms']})"
        raise SurroundingsError(f"{source['source']}: {lacking}")
    answer = fetch(source["source"], source["listing"], headers={"x-api-key": key})
    models = answer.get("data") if isinstance(answer, dict) else None
    for model in _objects(source, models, "the answer", ("name", "evaluations", "model_creator")):
        name = _text(source, model, "name")
        scores, creator = _objects(source, [model["evaluations"], model["model_creator"]], f"what it says of {name}")
        row: Row = {"model": name, "slug": _text(source, model, "slug"), "lab": _text(source, creator, "name")}
        if model.get("release_date") is not None:
            row["release_date"] = _text(source, model, "release_date")
        for theirs, ours in (("gpqa", "gpqa_diamond"), ("hle", "hle"), ("ifbench", "ifbench")):
            if scores.get(theirs) is not None:
                row[ours] = round(100 * _number(source, name, scores, theirs, most=1.0), 2)
        if "gpqa_diamond" in row:
            yield row | {"source": source["listing"]}


READERS: dict[str, Callable[[Row], Iterator[Row]]] = {
    "openhands": openhands,
    "artificial_analysis": artificial_analysis,
}


def _shape(source: Row, why: str) -> SurroundingsError:
    return SurroundingsError(f"{source['source']}: changed its shape: {why}; nothing was changed")


def _objects(source: Row, value: Any, what: str, names: Collection[str] = ()) -> list[Row]:
    """A list of objects that have `names`, not too many; else an error that says `what` has another shape."""
    if not isinstance(value, list) or not all(isinstance(one, dict) and set(names) <= set(one) for one in value):
        having = f" with {', '.join(names)}" if names else ""
        raise _shape(source, f"{what}: no list of objects{having}")
    if names and len(value) > MOST_MODELS:
        raise _shape(source, f"{what} names {len(value)} models")
    return value


def _text(source: Row, data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
        raise _shape(source, f"{name} is {str(value)[:40]!r}")
    return value.strip()


def _number(source: Row, model: str, data: Mapping[str, Any], name: str, *, most: float) -> float:
    value = data.get(name)
    if not is_number(value) or not 0 <= value <= most:
        raise _shape(source, f"{name} of {model} is {str(value)[:40]!r}, not a number from 0 to {most:g}")
    return float(value)


def read_source(source: Row) -> Changes:
    """What a source (a row of the table `refresh`) would change; SurroundingsError names it if it cannot be read."""
    return compare(load(source["table"]), list(READERS[source["reader"]](source)), source)


def compare(table: pd.DataFrame, rows: list[Row], source: Row) -> Changes:
    """What the rows of a source change in a table; SurroundingsError where models of the table are gone from it.

    table: the rows of this source so far; `key` of the source names the column that holds the source's name of a model.
    A cell that stands in the table `refresh_corrected` stays. A row without a value leaves the table's value as it is;
    a new model without what the table needs is `incomplete`.
    """
    key = source["key"]
    known = {str(row[key]): row for row in table.to_dict("records")}
    gone = sorted(set(known) - {str(row[key]) for row in rows})
    if gone:
        reason = f"shrank: {len(gone)} of {len(known)} models are gone ({listed(gone, 3)})"
        raise SurroundingsError(f"{source['source']}: {reason}; nothing was changed")
    by_hand = load("refresh_corrected").query("table == @source['table']")
    corrected = set(zip(by_hand["model"], by_hand["column"], strict=True))
    changes = Changes(source["table"], source["source"])
    for row in rows:
        before = known.get(str(row[key]))
        if before is None:
            whole = _completed(row, source)
            (changes.incomplete if whole is None else changes.new).append(whole or row)
            continue
        cells = [
            {"model": row[key], "column": column, "old": _plain(before[column]), "new": value}
            for column, value in row.items()
            if column in before and value is not None and not _same(before[column], value)
        ]
        free = [cell for cell in cells if (row[key], cell["column"]) not in corrected]
        changes.protected.extend(cell for cell in cells if cell not in free)
        # An address that alone is another tells of no other value.
        changes.changed.extend(free if any(not cell["column"].endswith("source") for cell in free) else [])
    return changes


def _completed(row: Row, source: Row) -> Row | None:
    """A new row with what its table needs, or None: a model of the index needs the scores of the one laboratory.

    They are those of the variant at the highest effort listed among those that bear its name (`_same_model`); None
    where models of several sizes do, too. The maker is spelled as the table spells it: the laboratory says "Kimi" for
    Moonshot.
    """
    if source["table"] != "frontier_independent":
        return row
    variants = every_variant().dropna(subset=["gpqa_diamond"])
    same = variants[[_same_model(row["index_name"], name) for name in variants["model"]]]
    if same.empty or same["model"].map(lambda name: frozenset(_words(name))).nunique() > 1:
        return None
    best = highest_effort(same)
    known = load("frontier_independent").merge(variants, left_on="aa_model", right_on="model", suffixes=("", "_theirs"))
    spelled = known.loc[known["lab_theirs"] == best["lab"], "lab"]
    return row | {
        "model": str(best["model"]).partition(" (")[0],
        "lab": str(spelled.iloc[0] if len(spelled) else best["lab"]),
        "gpqa_diamond": float(best["gpqa_diamond"]),
        "aa_model": best["model"],
        "hle": _plain(best["hle"]),
        "ifbench": _plain(best["ifbench"]),
        "gpqa_source": best["source"],
    }


def _same_model(index_name: str, variant: str) -> bool:
    """Whether a name of the index ("claude-opus-4-8") is that of a variant ("Claude Opus 4.8 (max)").

    Every word of the first stands in the second; what the second has beyond it says size, preview, tuning or maker.
    """
    ours, theirs = _words(index_name) - {"reasoner"}, _words(variant)
    return ours <= theirs and all(word in NO_NAME or _SIZE.fullmatch(word) for word in theirs - ours)


def _words(name: str) -> set[str]:
    """The words of a name, without what stands in brackets; "4-8" is the number 4.8."""
    plain = re.sub(r"(?<=\d)-(?=\d)", ".", re.sub(r"\s*\(.*\)", "", name.lower()))
    return set(re.findall(r"[a-z0-9.]+", plain))


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value


def _same(old: Any, new: Any) -> bool:
    if isinstance(new, float) and isinstance(old, int | float) and not pd.isna(old):
        return abs(float(old) - new) < 0.0501  # the tables hold one or two decimals
    return not pd.isna(old) and str(old) == str(new)


def updated(changes: list[Changes], folder: Path) -> dict[str, str]:
    """A copy of the tables in `folder` with the changes in it, checked as a whole; returns the changed files as text.

    Raises ScoresError, as for any bad table, where a new value is impossible; nothing of the book is touched.
    """
    shutil.copytree(data_dir(), folder, dirs_exist_ok=True)
    files = {}
    for change in filter(None, changes):
        path = folder / f"{change.table}.csv"
        table = read_text(path)
        key = sources().set_index("source").loc[change.source, "key"]
        for cell in change.changed:
            table.loc[table[key] == cell["model"], cell["column"]] = _written(cell["new"])
        new = pd.DataFrame([{n: _written(v) for n, v in row.items()} for row in change.new], columns=table.columns)
        table = pd.concat([table, new], ignore_index=True)
        checked(change.table, table, file=path)
        files[change.table] = table.to_csv(index=False, lineterminator="\n")
        path.write_text(files[change.table], encoding="utf-8")
    return files


def _written(value: Any) -> str | None:
    return None if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)
