"""What cannot be loaded or read is refused in one clear line, with the exit code of the contract."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from cape_lib.errors import CapeError, SurroundingsError, UsageError
from cape_lib.lm import models, testbed
from cape_lib.lm.models.loading import quiet
from cape_lib.lm.models.record import memory_guard
from cape_lib.lm.models.running import chunks, token_lists
from tests.lm.architectures import VOCABULARY, build
from tests.lm.conftest import left_behind, tiny_tokenizer


def one_line(error: pytest.ExceptionInfo[CapeError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_an_unknown_hub_id_says_that_a_folder_works() -> None:
    with pytest.raises(SurroundingsError) as error:
        models.load("nobody/no-such-model-anywhere")
    assert error.value.exit_code == 6 and "folder" in one_line(error)


def test_without_a_network_the_hub_is_asked_once_and_what_was_loaded_before_still_loads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import utils
    from transformers import AutoTokenizer

    asked: list[object] = []

    class Silent:
        def head(self, address: str, timeout: float) -> None:
            asked.append(address)
            raise ConnectionError("no route")

    def read(name: str, **options: object) -> None:
        asked.append(options)
        raise OSError("We couldn't connect to the hub to load the files")

    monkeypatch.setattr(utils, "get_session", Silent)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", read)
    with pytest.raises(SurroundingsError, match="cannot be reached"):
        models.load("somebody/some-model")
    assert len(asked) == 2 and asked[1] == {"local_files_only": True}


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(models.ModelError, match="no such folder"):
        models.load("./no/such/place")


def test_folders_without_config_or_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(models.ModelError, match="no config.json"):
        models.load(tmp_path)
    shutil.copy(testbed.folder_of("D-d8-s1") / "config.json", tmp_path)
    with pytest.raises(models.ModelError, match="no weights") as error:
        models.load(tmp_path)
    assert error.value.exit_code == 3


def _copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(testbed.folder_of("D-d8-s1"), tmp_path / "copy"))


def test_cut_off_weights_are_refused(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:500])
    with pytest.raises(models.ModelError) as error:
        models.load(folder)
    assert "cannot be read" in one_line(error)


def test_a_checkpoint_that_lacks_weights_is_refused_as_they_would_be_random(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "gap"
    shutil.copytree(testbed.folder_of("D-d8-s1"), folder)
    shutil.copytree(testbed.tokenizer_of(testbed.folder_of("D-d8-s1")), tmp_path / "tokenizer-D")
    weights = load_file(folder / "model.safetensors")
    del weights["gpt_neox.layers.1.attention.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(models.ModelError, match=r"lacks 1 of the model's weights.*dense\.weight"):
        models.load(folder)


def test_an_unreachable_hub_and_a_load_report_write_nothing_by_themselves(capfd: pytest.CaptureFixture[str]) -> None:
    import logging

    with quiet():
        for name in ("huggingface_hub.utils._http", "transformers.modeling_utils"):
            logging.getLogger(name).warning("Retrying in 1s [Retry 1/5].")
    assert capfd.readouterr().err == ""


def test_a_configuration_that_is_no_json_is_refused(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    (folder / "config.json").write_text("{")
    with pytest.raises(models.ModelError) as error:
        models.load(folder)
    one_line(error)


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_an_encoder_is_refused_because_its_tokens_see_ahead(kind: str) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    settings: dict[str, Any] = dict(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        pad_token_id=0,
        is_decoder=False,
    )
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **settings))
    with pytest.raises(models.ModelError, match="encoder"):
        models.wrap(model)
    assert not left_behind(model)


@pytest.mark.slow
def test_a_sequence_to_sequence_folder_is_refused(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    (folder / "config.json").write_text(
        json.dumps({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]})
    )
    with pytest.raises(models.ModelError, match="causal"):
        models.load(folder)


def test_blocks_that_cannot_be_told_are_listed_and_can_be_named() -> None:
    model = build("gpt_neox")
    model.config.num_hidden_layers = 7
    with pytest.raises(models.ModelError, match=r"layers \(3\)"):
        models.wrap(model)
    assert models.wrap(model, layers="gpt_neox.layers").depth == 3
    with pytest.raises(models.ModelError, match="no list of modules"):
        models.wrap(model, layers="gpt_neox.blocks")


def test_a_tokenizer_without_pad_token_gets_one() -> None:
    tokenizer = tiny_tokenizer().__class__(
        tokenizer_object=tiny_tokenizer().backend_tokenizer, bos_token="<bos>", eos_token="."
    )
    assert tokenizer.pad_token_id is None
    lm = models.wrap(build("gpt2"), tokenizer)
    assert tokenizer.pad_token == "." and tokenizer.padding_side == "left"
    batch = models.encode(lm, ["<web> Balan", "<web> Balan otter eats"])
    assert batch.mask.sum(1).tolist() == [3, 5] and batch.start.tolist() == [2, 0]


@pytest.mark.parametrize(("asked", "site"), [("quarter", 6), ("embed", "embed"), ("-1", 23), (0, 0), ("23", 23)])
def test_layers_have_names(asked: str | int, site: object) -> None:
    assert models.site_of(asked, 24) == site


@pytest.mark.parametrize("asked", [24, "-25", "half", "", "1.5"])
def test_a_layer_that_is_not_there_is_refused(asked: str | int) -> None:
    with pytest.raises(UsageError) as error:
        models.site_of(asked, 24)
    assert error.value.exit_code == 2 and "23" in str(error.value)


@pytest.mark.parametrize(("dtype", "device"), [("float8", None), ("auto", "tpu-of-mine")])
def test_unknown_types_and_devices_are_refused(dtype: str, device: str | None) -> None:
    with pytest.raises(UsageError):
        models.load(testbed.folder_of("D-d8-s1"), dtype=dtype, device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said() -> None:
    with pytest.raises(SurroundingsError, match="no GPU"):
        models.load(testbed.folder_of("D-d8-s1"), device="cuda")


def test_empty_and_too_long_prompts_are_refused_with_their_number(shipped: Any) -> None:
    lm = shipped("D-d8-s1")
    with pytest.raises(UsageError, match="prompt 2 is empty"):
        token_lists(lm, ["<web> Balan", "  "])
    with pytest.raises(UsageError, match="reads 64"):
        token_lists(lm, ["<web> " + "Balan eats plums . " * 20])
    with pytest.raises(UsageError, match="more to write"):
        token_lists(lm, ["<web> " + "Balan eats plums . " * 12], room=32)


def test_running_out_of_memory_is_one_line() -> None:
    for error in (
        RuntimeError("CUDA out of memory. Tried to allocate"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
    ):
        with pytest.raises(SurroundingsError, match="smaller") as caught, memory_guard("testing"):
            raise error
        one_line(caught)
    with pytest.raises(RuntimeError, match="something else"), memory_guard("testing"):
        raise RuntimeError("something else")


def test_running_out_of_memory_leaves_no_hook(shipped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from cape_lib.lm import probes

    lm = shipped("D-d8-s1")

    def full(*_a: object, **_k: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(lm.blocks[1], "forward", full)
    with pytest.raises(SurroundingsError):
        probes.capture_with_heads(lm, ["<web> Balan eats"])
    assert not left_behind(lm.model)


def test_chunks_hold_every_row_once_and_stay_within_their_size() -> None:
    lengths = [5, 3, 9, 1, 7, 7, 2]
    groups = chunks(lengths, tokens=14)
    assert sorted(i for group in groups for i in group) == list(range(7))
    assert all(len(group) == 1 or len(group) * max(lengths[i] for i in group) <= 14 for group in groups)


def test_an_untrained_twin_has_the_shape_and_not_the_weights(shipped: Any) -> None:
    lm = shipped("R-s1")
    before = torch.random.get_rng_state()
    twin, again, other = (models.untrained(lm, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    weights = [next(one.model.parameters()) for one in (lm, twin, again, other)]
    assert torch.equal(weights[1], weights[2])
    assert not torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[3])
    assert (twin.depth, twin.width) == (lm.depth, lm.width)


@pytest.mark.slow
def test_nothing_outside_lm_loads_torch() -> None:
    import subprocess
    import sys

    modules = "cape_lib, cape_lib.lm, cape_lib.cli.models, cape_lib.lm.testbed"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
