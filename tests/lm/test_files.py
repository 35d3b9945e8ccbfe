"""Directions on disk come back equal, and other tools steer with them as the book does."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cape_lib.cli import main
from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm import models, steering, testbed
from cape_lib.lm.steering.measuring import Arm, answer_scores, questions
from experiments.testbed import worlds
from experiments.testbed.__main__ import write_tasks
from tests.lm.conftest import reg
from tests.lm.test_architectures import PROMPT, logits, wrapped
from tests.lm.test_sites import MODULES, _direction

R = "R-s1"


@pytest.mark.parametrize("ending", ["safetensors", "pt", "gguf"])
@pytest.mark.parametrize("site", [2, "1+3"])
def test_a_direction_comes_back_equal_from_every_format(
    shipped: Any, tmp_path: Path, ending: str, site: models.Site
) -> None:
    if ending == "gguf":
        pytest.importorskip("gguf", reason="gguf is not here")
    direction, file = steering.fit_direction(shipped(R), reg(R), site), tmp_path / f"d.{ending}"
    steering.save(direction, file)
    again = steering.load(file, shipped(R))
    assert torch.equal(again.vector, direction.vector)
    assert {k: v for k, v in vars(again).items() if k != "vector"} == {
        k: v for k, v in vars(direction).items() if k != "vector"
    }
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    file.write_bytes(b"junk")
    with pytest.raises(models.ModelError, match="no direction"):
        steering.load(file)


def test_a_control_vector_is_named_as_llama_cpp_reads_it(shipped: Any, tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf", reason="gguf is not here")
    direction, file = steering.fit_direction(shipped(R), reg(R), "1+3"), tmp_path / "d.gguf"
    steering.save(direction, file)
    reader = gguf.GGUFReader(file)
    held = {tensor.name: tensor.data for tensor in reader.tensors}
    assert reader.get_field("general.architecture").contents() == "controlvector"
    assert list(held) == ["direction.1", "direction.3"]
    assert np.array_equal(np.concatenate(list(held.values())), direction.vector.numpy())


def test_repeng_reads_the_control_vector_and_finds_the_same_axis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(np, "float_", np.float64, raising=False)  # repeng 0.4.0 names what numpy 2 took away
    repeng = pytest.importorskip("repeng", reason="repeng is not here")
    monkeypatch.setattr("repeng.extract.model_layer_list", lambda model: model.gpt_neox.layers)
    lm, pairs, file = models.load(testbed.folder_of(R)), reg(R), tmp_path / "d.gguf"
    entries = [repeng.DatasetEntry(*pair) for pair in zip(pairs["positive"], pairs["negative"], strict=True)]
    theirs = repeng.ControlVector.train(lm.model, lm.tokenizer, entries, method="pca_center", hidden_layers=[-3, -2])
    for direction in steering.fit_directions(lm, pairs, [1, 2], method="principal"):
        steering.save(direction, file)
        vector = repeng.ControlVector.import_gguf(file).directions[direction.site]
        assert np.array_equal(vector, direction.vector.numpy())
        cosine = vector @ theirs.directions[direction.site] / direction.norm
        assert abs(cosine) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("site", [0, "embed", "mlp.1", "0+2"])
def test_what_a_control_vector_cannot_hold_is_refused(shipped: Any, tmp_path: Path, site: models.Site) -> None:
    direction = steering.fit_direction(shipped(R), reg(R).assign(positive=reg(R)["positive"] + " ."), site)
    with pytest.raises(UsageError, match="from 1 on"):
        steering.save(direction, tmp_path / "d.gguf")


def test_without_the_package_a_gguf_file_is_refused_with_the_command_that_helps(
    shipped: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.record, "find_spec", lambda _name: None)
    direction = steering.fit_direction(shipped(R), reg(R), 1)
    for run in (lambda: steering.save(direction, tmp_path / "d.gguf"), lambda: steering.load(tmp_path / "d.gguf")):
        with pytest.raises(SurroundingsError, match="pip install gguf"):
            run()


# -- lm-evaluation-harness


def applied(held: dict[str, Any], lm: models.LanguageModel) -> torch.Tensor:
    """Logits with the file's content, by hooks of this test's own; as the harness's source reads it."""
    handles = []
    for name, entry in held.items():
        vector = entry["steering_vector"]

        def after(_m: Any, _a: Any, out: Any, vector: torch.Tensor = vector, entry: dict[str, Any] = entry) -> Any:
            state = out[0] if isinstance(out, tuple) else out
            if entry["action"] == "add":
                new = state + vector * entry["steering_coefficient"]
            else:
                unit = vector / torch.norm(vector)
                new = state + unit * (entry["steering_coefficient"] - (state * unit).sum(-1, keepdim=True))
            return (new, *out[1:]) if isinstance(out, tuple) else new

        handles.append(lm.model.base_model.get_submodule(name).register_forward_hook(after))
    try:
        return logits(lm, [PROMPT])
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize(
    ("site", "action"),
    [
        (1, "add"),
        (1, "ablate"),
        (1, "clamp"),
        ("attn.1", "add"),
        ("mlp.1", "clamp"),
        ("head.1.1", "add"),
        ("0+2", "add"),
        ("head.1.0+head.1.1", "add"),
    ],
)
def test_the_harness_file_says_what_own_hooks_do(kind: str, site: models.Site, action: str, tmp_path: Path) -> None:
    lm = wrapped(kind)
    direction, file = _direction(lm, site), tmp_path / "d.pt"
    steering.harness_file(lm, direction, file, alpha=2.0, action=action)
    held = torch.load(file, weights_only=True)
    assert all(entry["steering_vector"].dtype == torch.float32 for entry in held.values())
    with steering.steered(lm, direction, 2.0, action=action):
        expected = logits(lm, [PROMPT])
    assert not torch.allclose(expected, logits(lm, [PROMPT]), atol=1e-4)
    assert torch.allclose(applied(held, lm), expected, atol=1e-4)


def test_the_vector_has_the_models_type_and_is_the_same_to_the_bit(tmp_path: Path) -> None:
    from tests.lm.architectures import build
    from tests.lm.conftest import tiny_tokenizer

    lm = models.wrap(build("llama").bfloat16(), tiny_tokenizer())
    direction = _direction(lm, 1)
    steering.harness_file(lm, direction, tmp_path / "d.pt", alpha=2.0)
    held = torch.load(tmp_path / "d.pt", weights_only=True)
    assert held["layers.1"]["steering_vector"].dtype == torch.bfloat16
    with steering.steered(lm, direction, 2.0):
        expected = logits(lm, [PROMPT])
    assert torch.equal(applied(held, lm), expected)


@pytest.mark.parametrize(("site", "action"), [("embed", "add"), ("head.1.0", "clamp"), ("0+embed", "ablate")])
def test_what_the_harness_cannot_steer_is_refused(site: models.Site, action: str, tmp_path: Path) -> None:
    lm = wrapped("llama")
    with pytest.raises(UsageError, match="take the output of a block"):
        steering.harness_file(lm, _direction(lm, site), tmp_path / "d.pt", alpha=1.0, action=action)
    assert not list(tmp_path.iterdir())


def test_the_harness_itself_scores_a_local_task_as_the_book_does(
    shipped: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("lm-evaluation-harness is not here")
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    lm, folder, file = shipped(R), testbed.folder_of(R), tmp_path / "d.pt"
    arguments = ["steer", "--model", R, "--layer", "1", "--alpha", "3", "--save", str(tmp_path / "d.safetensors")]
    assert main([*arguments, "--export", "lm-eval", str(file)]) == 0
    assert "--model steered" in capsys.readouterr().err
    task, _ = write_tasks(worlds.recipe_of(folder), tmp_path)
    named = f"pretrained={folder},tokenizer={testbed.tokenizer_of(folder)},steer_path={file},dtype=float32"
    manager = TaskManager(include_path=str(tmp_path))
    options = {"task_manager": manager, "device": "cpu", "batch_size": 16, "bootstrap_iters": 0}
    results = simple_evaluate(model="steered", model_args=named, tasks=[task.stem], **options)
    samples = sorted(results["samples"][task.stem], key=lambda one: one["doc_id"])
    harness_scores = np.array([[float(answer[0]) for answer in one["filtered_resps"]] for one in samples])
    lines = [json.loads(line) for line in task.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
    items = pd.DataFrame(
        [
            {"prompt": line["prompt"].removeprefix("<bos> ")}
            | dict(zip(("true", "false", "false2", "false3"), line["choices"], strict=True))
            for line in lines
        ]
    )
    direction = steering.load(tmp_path / "d.safetensors", lm)
    arms = [Arm(direction.step(alpha), 1, "all") for alpha in (3.0, 0.0)]
    own = answer_scores(lm, questions(lm, items), arms).total
    assert np.allclose(own[0], harness_scores, atol=1e-3)
    assert np.abs(own[1] - own[0]).max() > 0.5
    assert results["results"][task.stem]["acc,none"] == pytest.approx(np.mean(own[0].argmax(1) == 0))
