"""The testbed's benchmarks as tasks of lm-evaluation-harness: the same items, so the same scores.

After `cape testbed harness D-d16-s1 --out tasks`, in an environment with `lm_eval`:

    lm_eval --model hf --model_args pretrained=data/testbed/D-d16-s1,dtype=float32 \\
        --tasks testbed_truth,testbed_story --include_path tasks --output_path results
"""

from __future__ import annotations

import json
from pathlib import Path

from cape_lib.lm.testbed import items, words, worlds
from cape_lib.lm.testbed.items import Items
from cape_lib.lm.testbed.recipes import Recipe
from cape_lib.lm.testbed.store import made_folder

_TASK = """\
task: testbed_{name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {file}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{gold}}}}"
target_delimiter: " "
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1
"""


def _lines(recipe: Recipe, tests: Items) -> list[str]:
    vocabulary = words.vocabulary(recipe.world)
    # the harness adds no special token, so <bos> stands in the text
    return [
        json.dumps(
            {"prompt": " ".join(vocabulary[i] for i in prompt), "gold": 0,
             "choices": [" ".join(vocabulary[i] for i in choice) for choice in choices]}
        )
        for prompt, choices in zip(tests.prompts, tests.candidates, strict=True)
    ]  # fmt: skip


def write_tasks(recipe: Recipe, folder: Path) -> list[Path]:
    """Write the tasks testbed_truth and testbed_story of a model's world into a folder; returns the task files."""
    made_folder(folder)
    world = worlds.build(recipe)
    found = []
    for tests in (items.truth_items(world), items.story_items(world)):
        data = (folder / f"testbed_{tests.benchmark}.jsonl").resolve()
        data.write_text("\n".join(_lines(recipe, tests)) + "\n", encoding="utf-8")
        task = folder / f"testbed_{tests.benchmark}.yaml"
        task.write_text(_TASK.format(name=tests.benchmark, file=json.dumps(str(data))), encoding="utf-8")
        found.append(task)
    return found
