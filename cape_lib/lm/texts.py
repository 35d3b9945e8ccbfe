"""Texts that go with a model: shipped questions and prompts, a user's own files, a testbed model's own world."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cape_lib.errors import ScoresError, SurroundingsError, UsageError
from cape_lib.lm import testbed
from cape_lib.lm.models.loading import Chat
from cape_lib.lm.models.running import answer_columns, answers_of, joined
from cape_lib.tables import data_dir

#: pairs that one question gives to fit a direction on
PAIRS = 3


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


def writable_file(path: Path) -> Path:
    """The path of a file to be written later; SurroundingsError if it is a folder or its folder is not there."""
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise SurroundingsError(f"{path}: cannot be written; choose a file in a folder that is there")
    return path


def model_path(name: str) -> str:
    """The folder of a shipped testbed model for a name such as "R-s1", else the name itself (a folder or hub id)."""
    if not Path(name).exists() and "/" not in name:
        try:
            return str(testbed.folder_of(name))
        except Exception:  # no testbed model: the loader says what is wrong with the name
            return name
    return name


def is_testbed(name: str) -> bool:
    """Whether a folder holds a testbed model, which knows its own world only."""
    return (Path(name) / testbed.CARD).is_file()


def _own(name: str, file: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """A table of texts: of a testbed model the rows of its world, from `prompts` beside it, else the shipped ones."""
    folder = Path(name)
    if not is_testbed(name):
        return read(data_dir() / "prompts" / file, columns)
    path, key = folder.parent / "prompts" / file, testbed.texts_key(testbed.card(folder)["recipe"])
    table = read(path, ("world", *columns))
    rows = table[table["world"] == key].drop(columns="world").reset_index(drop=True)
    if rows.empty:
        raise ScoresError(f"{path}: no rows of world {key}, in which {folder.name} lives; train the model anew")
    return rows


def items_for(name: str) -> pd.DataFrame:
    """Questions with true and false answers, by topic and split: the testbed world's own, else the shipped ones."""
    return _own(name, "truth_items.csv", ("topic", "split", "prompt", "true", "false"))


def pairs_of(items: pd.DataFrame) -> pd.DataFrame:
    """Pairs (positive, negative, topic) of the questions in split fit: right and wrong answers in turn; maybe none."""
    rows = []
    for row in items[items["split"] == "fit"].to_dict("records"):
        answers = zip(answers_of(row, "true"), answers_of(row, "false"), strict=False)
        rows += [(*(joined(row["prompt"], one) for one in pair), row["topic"]) for pair in list(answers)[:PAIRS]]
    return pd.DataFrame(rows, columns=["positive", "negative", "topic"])


def pairs_for(name: str) -> pd.DataFrame:
    """Pairs to fit a direction on: a contrast of the testbed world, else the fit topics of the shipped questions."""
    if is_testbed(name):
        return _own(name, "pairs.csv", ("positive", "negative", "topic"))
    return pairs_of(items_for(name))


def neutral_for(name: str) -> list[str]:
    """Texts in which truth plays no part, for the off-target cost."""
    if is_testbed(name):
        return _own(name, "neutral.csv", ("text",))["text"].tolist()
    frame = probe_prompts_for(name)
    return [str(text) for text in frame.loc[frame["set"].isin(["neutral", "placebo"]), "text"]]


def probe_prompts_for(name: str) -> pd.DataFrame:
    """Prompts of the probes (set, topic, text), a placebo among them: the testbed world's own, else the shipped."""
    return _own(name, "probe_prompts.csv", ("set", "topic", "text"))


#: columns of TruthfulQA.csv
TRUTHFULQA = ("Category", "Question", "Best Answer", "Correct Answers", "Incorrect Answers")
#: shares of the questions that fit, tune and test, by whole topics
SHARES = {"fit": 0.4, "tune": 0.2, "test": 0.4}
FEW = 30


@dataclass(frozen=True)
class Benchmark:
    """Questions, and what a reader should know of them."""

    items: pd.DataFrame
    notes: tuple[str, ...]


def read_benchmark(
    path: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    primer: str = "",
    chat: Chat | None = None,
    questions_only: bool = True,
) -> Benchmark:
    """The questions of a file: TruthfulQA.csv, or a table with columns prompt, true, false (true2 ..., topic, split).

    limit: so many questions, drawn from every split; seed: of the draw and of a split that is not in the file; primer:
    text before every prompt, such as examples; chat: puts questions to a chat model, and with questions_only leaves
    other prompts as they are.  Without a column `split` whole topics are drawn for it.
    Raises ScoresError for what cannot be read, UsageError for a limit below six.
    """
    if limit is not None and limit < 6:
        raise UsageError("--limit must leave at least 6 questions")
    items = read(path, ())
    notes: list[str] = []
    published = set(TRUTHFULQA) <= set(items.columns)
    if published:
        items = _truthfulqa(items, path)
    else:
        items = read(path, ("prompt", "true", "false"))
        if "topic" not in items:
            items["topic"] = [f"question {place + 1}" for place in range(len(items))]
    items = _without_twins(items, path, notes)
    if "split" not in items:
        items["split"] = _split(items["topic"], np.random.default_rng([seed, 31]))
    unknown = sorted(set(items["split"]) - set(SHARES))
    if unknown:
        raise ScoresError(f"{path}: column split: {unknown[0]!r} is none of {', '.join(SHARES)}")
    for name in ("tune", "test"):
        if not (items["split"] == name).any():
            raise ScoresError(
                f"{path}: no question in split {name!r}; give both tune and test, or leave the column away"
            )
    if limit is not None:
        # as many of each split as its share, at least two
        rng = np.random.default_rng([seed, 32])
        sizes = {name: max(2, round(limit * len(part) / len(items))) for name, part in items.groupby("split")}
        drawn = [part.index[rng.permutation(len(part))[: sizes[name]]] for name, part in items.groupby("split")]
        items = items.loc[np.sort(np.concatenate(drawn))]
    n = int((items["split"] == "test").sum())
    if n < FEW:
        notes.append(
            f"{n} test questions are few: a share is known to about {100 * 0.98 / n**0.5:.0f} points either way"
        )
    asked = chat if chat and (not questions_only or published or are_questions(items["prompt"])) else None
    if published and not asked:
        items["prompt"] = "Q: " + items["prompt"] + "\nA:"
    if primer:
        items["prompt"] = primer.rstrip() + "\n\n" + items["prompt"]
    if asked:
        items["prompt"] = items["prompt"].map(asked)
    return Benchmark(items.reset_index(drop=True), tuple(notes))


def are_questions(prompts: Iterable[str]) -> bool:
    """Whether every prompt ends as a question does; a chat model is asked only those."""
    return all(prompt.rstrip().endswith("?") for prompt in prompts)


def _truthfulqa(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    rows = []
    for place, row in enumerate(frame.to_dict("records")):
        best, asked = row["Best Answer"].strip(), row["Question"].strip()
        right, wrong = (
            [part.strip() for part in row[f"{kind} Answers"].split(";") if part.strip()]
            for kind in ("Correct", "Incorrect")
        )
        if not best or not wrong or not asked:
            raise ScoresError(f"{path}: row {place + 2}: a question needs a best answer and incorrect answers")
        cells = {"topic": row["Category"], "prompt": asked}
        for kind, answers in (("true", [best, *right]), ("false", wrong)):
            cells |= {f"{kind}{k + 1 if k else ''}": one for k, one in enumerate(dict.fromkeys(answers))}
        rows.append(cells)
    return pd.DataFrame(rows).fillna("")


def _without_twins(items: pd.DataFrame, path: Path, notes: list[str]) -> pd.DataFrame:
    """Wrong answers that are also right ones are taken out and counted; a question that has no other is refused."""
    columns, twins = answer_columns(items, "false"), 0
    rows = items.to_dict("records")
    for place, row in enumerate(rows):
        right = {one.casefold().rstrip(".") for one in answers_of(row, "true")}
        wrong = answers_of(row, "false")
        left = [one for one in wrong if one.casefold().rstrip(".") not in right]
        if not left:
            raise ScoresError(
                f"{path}: row {place + 2}: every false answer is also a true one; nothing can be told apart"
            )
        twins += len(wrong) - len(left)
        row.update(dict.fromkeys(columns, "") | dict(zip(columns, left, strict=False)))
    if twins:
        notes.append(f"{twins} answers stand under true and false; they are not counted as false")
    return pd.DataFrame(rows)


def _split(topics: pd.Series, rng: np.random.Generator) -> pd.Series:
    """fit, tune or test for every question, whole topics together, near to SHARES."""
    names, sizes = rng.permutation(topics.unique()), topics.value_counts()
    filled = dict.fromkeys(SHARES, 0)
    part: dict[str, str] = {}
    for name in sorted(names, key=lambda one: -int(sizes[one])):
        part[name] = min(SHARES, key=lambda split: filled[split] / SHARES[split])
        filled[part[name]] += int(sizes[name])
    return topics.map(part)
