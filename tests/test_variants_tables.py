"""Models of today: what the rule reads from their names, the corrections, and the panel of others than the makers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cape_lib import tables
from cape_lib.errors import ScoresError, UsageError
from cape_lib.tables.variants import DOMAINS, corrected, derive, highest_effort

# A checkout of the project's own has the collated figures beside it; another clone has not.
FACTS = Path(__file__).resolve().parents[2] / "shared" / "facts" / "frontier_independent.csv"


def named(*models: str, tokens: float = 0.0) -> pd.DataFrame:
    frame = pd.DataFrame({"model": models, "lab": "Maker", "slug": [m.casefold() for m in models]})
    blank = {"params_b_total": float("nan"), "params_b_active": float("nan"), "gpqa_reasoning_tokens": float("nan")}
    return derive(frame.assign(**blank, omniscience_reasoning_tokens=tokens))


@pytest.mark.parametrize(
    ("model", "generation", "family", "mode", "effort", "total", "active"),
    [
        ("Qwen3 235B A22B 2507 (Reasoning)", "Qwen3 2507", "Qwen", "reasoning", None, 235, 22),
        ("Qwen3 235B A22B 2507 Instruct", "Qwen3 2507", "Qwen", "none", None, 235, 22),
        ("GPT-5.6 Luna (xhigh)", "GPT-5.6 Luna", "GPT", "none", "xhigh", None, None),
        (
            "Claude Opus 4.6 (Adaptive Reasoning, Max Effort)",
            "Claude Opus 4.6",
            "Claude",
            "reasoning",
            "max",
            None,
            None,
        ),
        ("Claude Opus 4.6 (Non-reasoning, High Effort)", "Claude Opus 4.6", "Claude", "none", "high", None, None),
        ("GPT-5.5 Instant (May 2026)", "GPT-5.5 Instant (May 2026)", "GPT", "none", None, None, None),
        ("Gemma 4 E2B (Reasoning)", "Gemma 4", "Gemma", "reasoning", None, None, None),
        ("LFM2.5-8B-A1B", "LFM2.5", "LFM", "none", None, 8, 1),
        ("gpt-oss-120b (low)", "gpt-oss", "gpt", "none", "low", None, None),
        ("Olmo 3 7B Think", "Olmo 3", "Olmo", "reasoning", None, 7, None),
    ],
)
def test_the_rule_reads_a_name(model, generation, family, mode, effort, total, active) -> None:
    row = named(model).iloc[0]
    assert (row["generation"], row["family"], row["mode"]) == (generation, family, mode)
    assert pd.isna(row["effort"]) if effort is None else row["effort"] == effort
    for size, column in ((total, "params_b_total"), (active, "params_b_active")):
        assert pd.isna(row[column]) if size is None else row[column] == size


def test_counted_reasoning_tokens_make_a_variant_a_reasoning_one_unless_its_name_says_otherwise() -> None:
    rows = named("GPT-5.6 Luna (low)", "Nova (Non-reasoning)", tokens=500.0)
    assert list(rows["mode"]) == ["reasoning", "none"]


def test_modes_of_one_model_share_their_weights_and_two_checkpoints_do_not() -> None:
    rows = named("Kimi K2.6", "Kimi K2.6 (Non-reasoning)", "Qwen3 VL 8B Instruct", "Qwen3 VL 8B (Reasoning)")
    keys = list(rows["weights"])
    assert keys[0] == keys[1] and keys[2] != keys[3]


def test_a_person_can_correct_the_rule_and_a_slip_is_named() -> None:
    rows = named("Granite Micro")
    row = {"slug": "granite micro", "column": "params_b_total", "value": "3", "reason": "its card"}
    assert corrected(rows, pd.DataFrame([row]))["params_b_total"].iloc[0] == 3.0
    with pytest.raises(ScoresError, match="row 2, column slug: no variant is named 'granite'"):
        corrected(rows, pd.DataFrame([row | {"slug": "granite"}]))


def test_the_index_is_right_minus_wrong_in_every_row() -> None:
    rows = tables.variants().dropna(subset=["omniscience_index"])
    a, q = rows["omniscience_accuracy"], rows["omniscience_non_hallucination"]
    wrong = (1 - q / 100) * (1 - a / 100) * 100
    assert len(rows) == 440 and (rows["omniscience_index"] - (a - wrong)).abs().max() <= 0.015
    by_domain = rows[[f"accuracy_{name}" for name in DOMAINS]].mean(axis=1)
    assert (by_domain - a).abs().max() <= 0.011  # the domains are equally large


def test_every_variant_has_family_generation_mode_and_weights() -> None:
    rows = tables.variants()
    assert len(rows) == 570 and rows[["family", "generation", "mode", "weights"]].notna().all(axis=None)
    both = rows.dropna(subset=["gpqa_diamond", "omniscience_accuracy"])
    ladder = both[(both["mode"] == "reasoning") & both["effort"].notna()].groupby("weights")["effort"].nunique()
    assert (ladder >= 2).sum() == 22 and ladder[ladder >= 2].index.str.startswith("OpenAI").sum() == 13
    sizes = both[(both["generation"] == "Qwen3.5") & (both["mode"] == "reasoning")]["params_b_total"]
    assert len(sizes) == 8 and sizes.is_unique


def test_the_independent_panel_has_one_harness_a_column_and_the_makers_dates() -> None:
    rows = tables.frontier("independent")
    assert len(rows) == 33 and rows[["swe_bench_verified", "gpqa_diamond"]].notna().all(axis=None)
    assert rows["swe_bench_verified"].corr(rows["gpqa_diamond"]) == pytest.approx(0.677, abs=2e-3)
    assert rows["gpqa_diamond_source"].str.startswith("https://").all()
    assert set(rows["swe_bench_verified_claimed_by"]) == {"independent"}
    date = rows.set_index("model")["release_date"]
    assert date["Gemini 3.1 Pro"] == "2026-02-19"  # the index says 2026-01-15
    with pytest.raises(UsageError, match="not by claimant"):
        tables.frontier("independent", claimed_by="lab")


def test_the_independent_panel_has_the_highest_effort_listed_as_its_sheet_says() -> None:
    rows, variants = tables.load("frontier_independent"), tables.variants().dropna(subset=["gpqa_diamond"])
    weights = variants.set_index("model")["weights"]
    for row in rows.to_dict("records"):
        best = highest_effort(variants[variants["weights"] == weights[row["aa_model"]]])
        assert (row["aa_model"], row["gpqa_diamond"]) == (best["model"], round(best["gpqa_diamond"], 1)), row["model"]
    pro = variants[variants["model"].str.startswith("DeepSeek V4 Pro (")].sample(frac=1, random_state=1)
    assert highest_effort(pro)["model"].endswith("Max Effort)")
    assert highest_effort(pro[pro["effort"] != "max"])["model"].endswith("High Effort)")


@pytest.mark.skipif(not FACTS.is_file(), reason="the collated figures do not lie beside this clone")
def test_the_independent_panel_holds_the_collated_figures_but_for_the_effort_of_one() -> None:
    ours = tables.load("frontier_independent").set_index("index_name")
    theirs = pd.read_csv(FACTS).set_index("model").loc[ours.index]
    columns = ["swe_bench_verified", "swe_agent", "swe_submitted", "gpqa_diamond", "hle", "ifbench", "aa_model"]
    same = (ours[columns].astype(str) == theirs[columns].astype(str)).all(axis=1)
    assert list(ours.index[~same]) == ["DeepSeek-V4-Pro"]  # its figures there are those of a lower effort
