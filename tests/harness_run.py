"""Run lm-evaluation-harness itself, offline, on a random model of a few thousand weights and a few made-up items.

    python -P tests/harness_run.py FOLDER [--widths 16 32 64] [--runs 'hellaswag:10' 'winogrande mmlu:5']

(`-P`, for transformers looks for optional packages whose names this folder may hold.)

The items are ours; the task definitions (prompts, metrics, versions) are those that the installed harness
ships: each local task file includes the harness's own and replaces only the data. The model knows nothing,
so the scores mean nothing; the files are real. Needs `lm-eval`, torch and transformers.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

COLOURS = ["red", "blue", "green", "grey", "white", "black"]


def _questions() -> dict[str, list[dict]]:
    """Thirty items for each of four tasks, in the columns that the harness's task definitions read."""
    result: dict[str, list[dict]] = {"hellaswag": [], "arc_challenge": [], "winogrande": [], "truthfulqa": []}
    for i, (colour, wrong) in enumerate(itertools.permutations(COLOURS, 2)):
        result["hellaswag"].append(
            {
                "activity_label": "Painting",
                "ctx_a": f"A person opens a tin of {colour} paint.",
                "ctx_b": "the wall",
                "endings": [f"turns {colour}.", f"turns {wrong}.", "flies away.", "reads a book."],
                "label": "0",
            }
        )
        result["arc_challenge"].append(
            {
                "question": f"What is {i} plus {i + 1}?",
                "answerKey": "B",
                "choices": {"text": [str(i), str(2 * i + 1), str(3 * i + 2)], "label": ["A", "B", "C"]},
            }
        )
        size = "big" if i % 2 else "small"
        result["winogrande"].append(
            {
                "sentence": f"The {colour} cup would not fit in the box because the _ was too {size}.",
                "option1": "cup",
                "option2": "box",
                "answer": "1" if i % 2 else "2",
            }
        )
        result["truthfulqa"].append(
            {
                "question": f"Is a {colour} coat warmer than the same coat in {wrong}?",
                "mc1_targets": {"choices": [f"{colour}.", f"{wrong}.", "Never."], "labels": [1, 0, 0]},
                "mc2_targets": {"choices": [f"{colour}.", "No.", f"{wrong}.", "Never."], "labels": [1, 1, 0, 0]},
            }
        )
    return result


def _task_files(folder: Path) -> None:
    """Local task files: the harness's own definitions with our items in place of the public data sets."""
    shipped = Path(find_spec("lm_eval").submodule_search_locations[0]) / "tasks"  # type: ignore
    tasks = folder / "tasks"
    tasks.mkdir(parents=True)
    plain = {
        "hellaswag": "hellaswag/hellaswag.yaml",
        "arc_challenge": "arc/arc_challenge.yaml",
        "winogrande": "winogrande/default.yaml",
        "truthfulqa_mc1": "truthfulqa/truthfulqa_mc1.yaml",
        "truthfulqa_mc2": "truthfulqa/truthfulqa_mc2.yaml",
    }
    for name, items in _questions().items():
        _items(tasks / f"{name}.jsonl", items)
    for name, definition in plain.items():
        data = tasks / f"{name.partition('_mc')[0]}.jsonl"
        splits = {"validation": data, "train": data, "test": data}
        _task(tasks / f"{name}.yaml", shipped / definition, name, splits)
    for leaf in sorted((shipped / "mmlu/default").glob("mmlu_*.yaml")):
        data = tasks / f"{leaf.stem}.jsonl"
        count = 5 + len(leaf.stem) % 4  # unequal leaves, so that the plain and the weighted mean differ
        _items(
            data,
            [
                {
                    "question": f"What is {i} times {len(leaf.stem)}?",
                    "answer": i % 4,
                    "subject": leaf.stem,
                    "choices": [str(i * len(leaf.stem) + step) for step in range(4)],
                }
                for i in range(count)
            ],
        )
        _task(tasks / leaf.name, leaf, leaf.stem, {"test": data, "dev": data})


def _items(path: Path, items: list[dict]) -> None:
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")


def _task(path: Path, definition: Path, name: str, splits: dict[str, Path]) -> None:
    text = {
        "include": str(definition),
        "task": name,
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {split: f"tasks/{file.name}" for split, file in splits.items()}},
    }
    path.write_text(json.dumps(text), encoding="utf-8")  # JSON is YAML


def _model(folder: Path, width: int) -> None:
    """A two-layer Llama of random weights with a word tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    texts = [json.dumps(items) for items in _questions().values()]
    words.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=["<unk>", "<s>", "</s>"]))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>", model_max_length=2048
    )
    torch.manual_seed(width)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=2048,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
RUNS = (("hellaswag", 10), ("arc_challenge", 25), ("winogrande mmlu", 5), ("truthfulqa_mc1 truthfulqa_mc2", 0))


def run(folder: Path, widths: list[int], runs: Sequence[tuple[str, int]]) -> list[Path]:
    """One results file a model and run under FOLDER/results, as `lm-eval run` itself writes them."""
    _task_files(folder)
    env = os.environ | OFFLINE | {"HF_HOME": str(folder / "cache")}
    for width in widths:
        model = folder / f"tiny-{width}"
        _model(model, width)
        for tasks, shots in runs:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "lm_eval",
                    "run",
                    "--model",
                    "hf",
                    "--model_args",
                    f"pretrained=./{model.name}",
                    "--tasks",
                    *tasks.split(),
                    "--num_fewshot",
                    str(shots),
                    "--batch_size",
                    "8",
                    "--device",
                    "cpu",
                    "--include_path",
                    "tasks",
                    "--output_path",
                    "results",
                ],
                check=True,
                cwd=folder,
                env=env,
                stdout=subprocess.DEVNULL,
            )
    return sorted((folder / "results").rglob("results_*.json"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32, 64])
    usual = [f"{tasks}:{shots}" for tasks, shots in RUNS]
    parser.add_argument("--runs", nargs="*", default=usual, metavar="TASKS:SHOTS", help="none: model and tasks alone")
    options = parser.parse_args()
    wanted = [(tasks, int(shots)) for tasks, _, shots in (text.rpartition(":") for text in options.runs)]
    print(*run(options.folder.resolve(), options.widths, wanted), sep="\n")
