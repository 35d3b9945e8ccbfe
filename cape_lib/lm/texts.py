"""Texts that go with a model: shipped questions and prompts, a user's own files, a testbed model's own world."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cape_lib.errors import ScoresError
from cape_lib.lm.models.batching import joined
from cape_lib.lm.testbed import prompts, store
from cape_lib.tables import data_dir


def read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """A CSV file of texts, every cell text; ScoresError when it cannot be read, lacks a column or has an empty cell."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError as error:
        raise ScoresError(f"{path}: no such file") from error
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, IsADirectoryError) as error:
        raise ScoresError(f"{path}: not a CSV table in UTF-8 ({type(error).__name__})") from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ScoresError(f"{path}: lacks column {missing[0]}; it needs {', '.join(columns)}")
    for name in columns:
        empty = frame.index[frame[name].str.strip() == ""]
        if len(empty):
            raise ScoresError(f"{path}: row {int(empty[0]) + 2}, column {name}: empty; write a text or delete the row")
    return frame


def model_path(name: str) -> str:
    """The folder of a shipped testbed model for a name such as "R-s1", else the name itself (a folder or hub id)."""
    if not Path(name).exists() and "/" not in name:
        try:
            return str(store.folder_of(name))
        except Exception:  # no testbed model: the loader says what is wrong with the name
            return name
    return name


def is_testbed(name: str) -> bool:
    """Whether a folder holds a testbed model, which knows its own world only."""
    return (Path(name) / store.CARD).is_file()


def items_for(name: str) -> pd.DataFrame:
    """Questions with true and false answers, by topic and split: the testbed world's own, else the shipped ones."""
    if is_testbed(name):
        return prompts.truth_table(store.recipe_of(Path(name)))
    return read(data_dir() / "prompts" / "truth_items.csv", ("topic", "split", "prompt", "true", "false"))


def pairs_from(items: pd.DataFrame) -> pd.DataFrame:
    """Pairs (positive, negative, topic) out of items: each question with its true and with its false answer."""
    return pd.DataFrame(
        {"positive": [joined(p, a) for p, a in zip(items["prompt"], items["true"], strict=True)],
         "negative": [joined(p, a) for p, a in zip(items["prompt"], items["false"], strict=True)],
         "topic": items["topic"].to_numpy()}
    )  # fmt: skip


def pairs_for(name: str, *, contrast: str = "reg") -> pd.DataFrame:
    """Pairs to fit a direction on: a contrast of the testbed world, else the fit topics of the shipped questions."""
    if is_testbed(name):
        return prompts.contrast(store.recipe_of(Path(name)), contrast)
    items = items_for(name)
    return pairs_from(items[items["split"] == "fit"])


def neutral_for(name: str) -> list[str]:
    """Texts in which truth plays no part, for the off-target cost."""
    if is_testbed(name):
        return prompts.neutral(store.recipe_of(Path(name)))
    frame = probe_prompts_for(name)
    return [str(text) for text in frame.loc[frame["set"].isin(["neutral", "placebo"]), "text"]]


def probe_prompts_for(name: str) -> pd.DataFrame:
    """Prompts of the probes (set, topic, text), a placebo among them: the testbed world's own, else the shipped."""
    if is_testbed(name):
        return prompts.probe_sets(store.recipe_of(Path(name)))
    return read(data_dir() / "prompts" / "probe_prompts.csv", ("set", "topic", "text"))
