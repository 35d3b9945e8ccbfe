"""`cape refresh` against a small local server: right replies, and broken, slow, hostile, shrunken, absent ones."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cape_lib import tables
from cape_lib.cli import main
from cape_lib.errors import ScoresError, SurroundingsError
from cape_lib.ingest import refresh


class Server(ThreadingHTTPServer):
    """Replies by path: an object becomes JSON; a function writes its own reply."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, Any] = {}
        self.keys: list[str | None] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.keys.append(self.headers.get("x-api-key"))
        reply = self.server.replies.get(self.path)
        if callable(reply):
            reply(self)
            return
        body = json.dumps(reply).encode()
        self.send_response(404 if reply is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def listed(name: str) -> dict[str, Any]:
    """One entry of GitHub's listing of a folder, with the fields that it has."""
    return {"name": name, "path": f"results/{name}", "sha": "0" * 40, "size": 0, "download_url": None, "type": "dir"}


def entry(benchmark: str, score: float, version: str, day: str) -> dict[str, Any]:
    """One entry of a `scores.json` of the index, with the fields and the kinds of value that the public files have."""
    return {
        "benchmark": benchmark,
        "score": score,
        "metric": "accuracy",
        "cost_per_instance": 1.52,
        "average_runtime": 294.0,
        "full_archive": "https://example.org/results.tar.gz",
        "tags": [benchmark],
        "agent_version": version,
        "submission_time": f"{day}T20:00:30.624153+00:00",
    }


@pytest.fixture
def index(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The OpenHands index as the tables hold it, on the local server, in the shape of its public files (June 2026)."""
    known = tables.load("frontier_independent")
    server.replies["/results"] = [listed(name) for name in [*known["index_name"], "Just-Added"]]
    server.replies["/results"].append(listed("README.md") | {"type": "file", "size": 812})
    server.replies["/results/Just-Added/scores.json"] = []
    for row in known.to_dict("records"):
        place = f"/results/{row['index_name']}"
        version = row["swe_agent"].removeprefix("OpenHands ")
        server.replies[f"{place}/scores.json"] = [
            entry("swe-bench-multimodal", 38.2, version, row["swe_submitted"]) | {"metric": "solveable_accuracy"},
            entry("swe-bench", row["swe_bench_verified"], version, row["swe_submitted"]),
            entry("swt-bench", 7, "v1.8.3", "2026-01-27"),
        ]
        server.replies[f"{place}/metadata.json"] = {
            "agent_name": "OpenHands",
            "agent_version": version,
            "model": row["index_name"],
            "openness": "open_weights",
            "country": "us",
            "tool_usage": "standard",
            "directory_name": row["index_name"],
            "release_date": row["release_date"],
            "parameter_count_b": 685,
            "supports_vision": False,
            "input_price": 0.55,
            "cache_write_price": None,
        }
    source = refresh.sources().set_index("source", drop=False).loc["openhands-index"].to_dict()
    source |= {"listing": f"{server.address}/results", "address": f"{server.address}/results/{{model}}/scores.json"}
    frame = refresh.sources()
    frame.loc[frame["source"] == "openhands-index", ["listing", "address"]] = source["listing"], source["address"]
    frame.loc[frame["source"] == "artificial-analysis", "listing"] = f"{server.address}/models"
    monkeypatch.setattr(refresh, "sources", lambda: frame)
    return server


def changes_of(server: Server) -> refresh.Changes:
    return refresh.read_source(refresh.sources().iloc[0].to_dict())


FIRST = tables.load("frontier_independent").iloc[0]
SCORES = f"/results/{FIRST['index_name']}/scores.json"


@pytest.mark.slow
def test_the_tables_as_they_are_change_nothing(index: Server) -> None:
    assert not changes_of(index)
    assert changes_of(index).protected == []


def test_a_changed_cell_is_shown_with_old_and_new_value_and_nothing_is_written_dry(
    index: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (tables.files.data_dir() / "frontier_independent.csv").read_bytes()
    index.replies[SCORES][1]["score"] = FIRST["swe_bench_verified"] + 2.5
    assert main(["refresh", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert f"{FIRST['index_name']}, swe_bench_verified: {FIRST['swe_bench_verified']} -> " in out
    assert "0 new" in out and "Nothing" not in out
    assert (tables.files.data_dir() / "frontier_independent.csv").read_bytes() == before


@pytest.mark.slow
def test_a_new_model_comes_with_the_laboratory_s_scores_or_is_named_as_to_do(index: Server) -> None:
    taken = {letters for letters in tables.load("frontier_independent")["aa_model"]}
    variants = tables.load("one_lab_2026").dropna(subset=["gpqa_diamond"])
    free = variants[~variants["model"].isin(taken) & ~variants["model"].str.contains(r"\(")].iloc[0]
    for name in (free["model"], "Nobody-Knows-1"):
        index.replies["/results"].append({"name": name, "type": "dir"})
        place = f"/results/{name.replace(' ', '%20')}"
        index.replies[f"{place}/scores.json"] = copy.deepcopy(index.replies[SCORES])
        index.replies[f"{place}/metadata.json"] = {"release_date": "2026-08-01"}
    changes = changes_of(index)
    assert [row["model"] for row in changes.new] == [free["model"]]
    assert changes.new[0]["gpqa_diamond"] >= free["gpqa_diamond"] and changes.new[0]["lab"] == free["lab"]
    assert [row["index_name"] for row in changes.incomplete] == ["Nobody-Knows-1"]


def test_the_laboratory_s_variant_is_known_by_the_name_of_the_index() -> None:
    known = tables.load("frontier_independent")
    rows = [{"index_name": name} for name in known["index_name"]]
    strangers = [{"index_name": name} for name in ("GLM-5.9", "claude-opus-4-9", "Qwen3-Coder-7B", "Codex")]
    changes = refresh.compare(known.iloc[:0], rows + strangers, refresh.sources().iloc[0].to_dict())
    known = known.set_index("index_name")
    for row in changes.new:
        expected = known.loc[row["index_name"]]
        assert (row["aa_model"], row["lab"]) == (expected["aa_model"], expected["lab"])
    # A letter is missing in the one, two sizes bear the name of the other.
    unknown = [row["index_name"] for row in changes.incomplete if row not in strangers]
    assert unknown == ["Minimax-2.7", "Nemotron-3-Nano"]
    assert len(changes.incomplete) == len(unknown) + len(strangers)


@pytest.mark.slow
def test_written_rows_pass_the_checks_and_say_where_they_come_from(index: Server, tmp_path) -> None:  # type: ignore[no-untyped-def]
    index.replies[SCORES][1]["score"] = 12.3
    files = refresh.updated([changes_of(index)], tmp_path)
    with tables.files.tables_in(tmp_path):
        row = tables.load("frontier_independent").set_index("model").loc[FIRST["model"]]
    assert row["swe_bench_verified"] == 12.3
    assert row["swe_source"].startswith(index.address)
    old, new = (tables.files.data_dir() / "frontier_independent.csv").read_text("utf-8"), files["frontier_independent"]
    assert sum(a != b for a, b in zip(old.splitlines(), new.splitlines(), strict=True)) == 1


@pytest.mark.slow
def test_a_corrected_cell_stays_and_is_said(index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    index.replies[SCORES][1]["score"] = 12.3
    real = tables.load
    row = {"table": "frontier_independent", "model": FIRST["index_name"], "column": "swe_bench_verified", "reason": "x"}

    def load(name: str, **options: Any) -> Any:
        frame = real(name, **options)
        return frame.reindex(range(1)).assign(**row) if name == "refresh_corrected" else frame

    monkeypatch.setattr(refresh, "load", load)
    changes = changes_of(index)
    assert [cell["new"] for cell in changes.protected if cell["column"] == "swe_bench_verified"] == [12.3]
    assert not [cell for cell in changes.changed if cell["column"] == "swe_bench_verified"]


def trickle(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.1)


def broken_off(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'[{"name": "x"')


def chunk_broken_off(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b'1000\r\n[{"name": "x"')


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"220 ready\r\n\r\n")


def thousand_headers(handler: Handler) -> None:
    handler.send_response(200)
    for number in range(1000):
        handler.send_header(f"X-{number}", "y")
    handler.end_headers()


def header_trickle(handler: Handler) -> None:
    for _ in range(100):
        try:
            handler.wfile.write(b"HTTP/1.0 200 OK\r\n" if _ == 0 else b"X: y\r\n")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.1)


def huge(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(500):
            handler.wfile.write(b" " * 100_000)
    except OSError:
        pass


def elsewhere(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://localhost:1/results")
    handler.end_headers()


HOSTILE = {
    "absent": (None, "answers 404"),
    "broken off": (broken_off, "breaks off|no JSON"),
    "a chunk broken off": (chunk_broken_off, "breaks off"),
    "another protocol": (no_http, "no HTTP"),
    "a thousand headers": (thousand_headers, "no HTTP"),
    "huge": (huge, "larger than 20 MB"),
    "sent on": (elsewhere, "another host"),
    "deep": ("[" * 100_000, "no JSON|no list"),
    "other shape": ({"message": "API rate limit exceeded"}, "changed its shape"),
    "a list of numbers": ([1, 2], "changed its shape"),
    "thousands": ([{"name": str(i)} for i in range(3000)], "names 3000 models"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_listing_is_refused_by_name(index: Server, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    index.replies["/results"], words = HOSTILE[kind]
    assert main(["refresh", "--dry-run"]) == 6
    err = capsys.readouterr().err
    assert "openhands-index" in err and err.count("\n") == 1
    with pytest.raises(SurroundingsError, match=words):
        changes_of(index)


@pytest.mark.slow
@pytest.mark.parametrize("reply", [trickle, header_trickle])
def test_a_trickle_ends_in_time(index: Server, reply: Any) -> None:
    index.replies["/slow"] = reply
    begun = time.monotonic()
    with pytest.raises(SurroundingsError, match="takes longer than 0.5 seconds|is away"):
        refresh.fetch("a source", f"{index.address}/slow", seconds=0.5)
    assert time.monotonic() - begun < 9  # the server trickles for ten


@pytest.mark.slow
@pytest.mark.parametrize("score", [150, -1, "92", None, True, float("nan")])
def test_an_impossible_score_is_refused(index: Server, score: Any) -> None:
    index.replies[SCORES][1]["score"] = score
    with pytest.raises(SurroundingsError, match="changed its shape.*score"):
        changes_of(index)


def test_a_source_that_lost_models_is_refused(index: Server) -> None:
    del index.replies["/results"][3:]
    with pytest.raises(SurroundingsError, match="shrank"):
        changes_of(index)


def test_a_row_that_fails_the_checks_of_the_table_writes_nothing(index: Server, tmp_path) -> None:  # type: ignore[no-untyped-def]
    index.replies[SCORES][1]["agent_version"] = "of yesterday"
    with pytest.raises(ScoresError):
        refresh.updated([changes_of(index)], tmp_path)


@pytest.mark.slow
def test_the_laboratory_is_off_without_a_key_and_read_with_one(
    index: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ARTIFICIAL_ANALYSIS_API_KEY", raising=False)
    assert main(["refresh", "--only", "artificial-analysis", "--dry-run"]) == 6
    assert "ARTIFICIAL_ANALYSIS_API_KEY" in capsys.readouterr().err
    known = tables.load("one_lab_2026")
    index.replies["/models"] = {
        "data": [
            {
                "name": r["model"],
                "slug": r["slug"],
                "model_creator": {"name": r["lab"]},
                "evaluations": {"gpqa": (r["gpqa_diamond"] if r["gpqa_diamond"] == r["gpqa_diamond"] else 50) / 100},
            }
            for r in known.to_dict("records")
        ]
    }
    index.replies["/models"]["data"][0]["evaluations"]["gpqa"] = 0.9
    monkeypatch.setenv("ARTIFICIAL_ANALYSIS_API_KEY", "mine")
    assert main(["refresh", "--only", "artificial-analysis", "--dry-run"]) == 0
    assert f"{known.model[0]}, gpqa_diamond: {known.gpqa_diamond[0]} -> 90.0" in capsys.readouterr().out
    assert index.keys[-1] == "mine"


def test_an_unknown_source_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refresh", "--only", "openhand-index"]) == 2
    assert "openhands-index" in capsys.readouterr().err


def test_a_source_that_is_slow_file_by_file_ends_too(index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "MOST_SECONDS_OF_ALL", 0.0)
    with pytest.raises(SurroundingsError, match="openhands-index.*its files take over 0 seconds"):
        changes_of(index)


def test_the_weekly_workflow_stops_where_a_source_is_refused() -> None:
    text = (tables.data_dir().parent / ".github" / "workflows" / "refresh.yml").read_text("utf-8")
    step = text.split("cape refresh | tee", 1)[1].splitlines()[1]
    assert step.strip().startswith("shell: bash")  # with pipefail, which the default shell of a step lacks
