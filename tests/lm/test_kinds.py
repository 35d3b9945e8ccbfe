"""Weights in other wrappings: GGUF files, LoRA folders, models for images too, weights on disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cape_lib.errors import SurroundingsError
from cape_lib.lm import models, probes, testbed
from cape_lib.lm.models import record
from cape_lib.lm.steering.applying import added
from cape_lib.lm.steering.measuring import Arm, answer_scores, questions
from experiments.testbed import prompts, worlds
from tests.lm.architectures import VOCABULARY, build
from tests.lm.conftest import left_behind, tiny_tokenizer
from tests.lm.test_architectures import PROMPT, logits, vector


def saved(model: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def test_without_its_package_a_file_or_an_adapter_is_refused_with_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "find_spec", lambda _name: None)
    (tmp_path / "gguf").mkdir()
    (tmp_path / "gguf" / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / "lora").mkdir()
    (tmp_path / "lora" / "adapter_config.json").write_text("{}")
    for name, package in (("gguf", "gguf"), ("gguf/model.gguf", "gguf"), ("lora", "peft")):
        with pytest.raises(SurroundingsError, match=f"pip install {package}") as error:
            models.load(tmp_path / name)
        assert error.value.exit_code == 6 and "\n" not in str(error.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"junk")
    with pytest.raises(models.ModelError, match="no folder and no GGUF file"):
        models.load(tmp_path / "weights.bin")


def test_a_gguf_file_gives_the_logits_of_the_weights_in_it(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf", reason="gguf is not here")
    model = build("llama")
    file = tmp_path / "small.gguf"
    _write_gguf(gguf, model, file)
    for name in (file, tmp_path):
        lm = models.load(name, dtype="float32")
        assert lm.name == ("small" if name == file else tmp_path.name) and lm.revision and lm.depth == 3
        assert lm.tokenizer is not None
        with torch.inference_mode():
            expected = model(torch.tensor([PROMPT])).logits
        assert torch.allclose(logits(lm, [PROMPT]), expected, atol=1e-4)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(models.ModelError):
        models.load(file)


def _write_gguf(gguf: Any, model: Any, file: Path) -> None:
    config, writer = model.config, gguf.GGUFWriter(file, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["w", "0", *(f"w{k}" for k in range(VOCABULARY - 2))])
    writer.add_token_merges(["w 0"])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(0)
    names = {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }
    ends = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    for name, tensor in model.state_dict().items():
        value = tensor.float().numpy()
        if name in ends:
            writer.add_tensor(ends[name], value)
            continue
        _, _, block, part, *_ = name.replace("self_attn.", "self_attn+").replace("mlp.", "mlp+").split(".")
        part = part.replace("+", ".")
        if part.endswith(("q_proj", "k_proj")):  # the format keeps the two halves of a rotation side by side
            heads = config.num_attention_heads
            value = value.reshape(heads, 2, -1, value.shape[1]).swapaxes(1, 2).reshape(value.shape)
        writer.add_tensor(f"blk.{block}.{names[part]}.weight", np.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_lora_folder_is_merged_into_its_base(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft", reason="peft is not here")
    base = saved(build("llama"), tmp_path / "base")
    config = peft.LoraConfig(r=2, target_modules=["q_proj", "up_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    plain = models.load(base)
    torch.manual_seed(0)
    tuned = peft.get_peft_model(models.load(base).model, config)
    tuned.save_pretrained(tmp_path / "lora")
    with torch.inference_mode():
        expected = tuned(torch.tensor([PROMPT])).logits
    lm = models.load(tmp_path / "lora")
    assert lm.depth == 3 and lm.name == "lora" and lm.revision != plain.revision
    assert torch.allclose(logits(lm, [PROMPT]), expected, atol=1e-4)
    assert not torch.allclose(expected, logits(plain, [PROMPT]), atol=1e-2)
    with added(lm, {1: vector(lm)}):
        assert not torch.allclose(expected, logits(lm, [PROMPT]), atol=1e-2)
    shutil.rmtree(base)
    with pytest.raises(SurroundingsError, match="folder"):
        models.load(tmp_path / "lora")


def _with_images(kind: str) -> Any:
    from transformers import AutoConfig, AutoModelForImageTextToText

    text = build("gemma3_text" if kind == "gemma3" else "llama").config.to_dict()
    eyes = dict(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=8, patch_size=4
    )
    eyes["model_type"] = "siglip_vision_model" if kind == "gemma3" else "clip_vision_model"
    config = AutoConfig.for_model(kind, text_config=text, vision_config=eyes, image_token_index=5, image_token_id=5)
    torch.manual_seed(0)
    return AutoModelForImageTextToText.from_config(config).float().eval()


@pytest.mark.parametrize("kind", ["llava", "gemma3"])
def test_of_a_model_for_images_the_text_part_is_read_and_steered(kind: str, tmp_path: Path) -> None:
    lm = models.load(saved(_with_images(kind), tmp_path / kind))
    assert (lm.depth, lm.width, lm.heads) == (3, 16, 2) and lm.unembedding is not None
    seen: list[torch.Tensor] = []

    def add(_m: Any, _a: Any, out: Any) -> Any:
        state = out[0] if isinstance(out, tuple) else out
        seen.append(state[:, -1])
        return (state + vector(lm), *out[1:]) if isinstance(out, tuple) else state + vector(lm)

    handle = lm.model.get_decoder().layers[1].register_forward_hook(add)
    expected = logits(lm, lm.tokenizer(["<web> Balan otter"])["input_ids"])
    handle.remove()
    with added(lm, {1: vector(lm)}):
        assert torch.allclose(logits(lm, lm.tokenizer(["<web> Balan otter"])["input_ids"]), expected, atol=1e-5)
    assert torch.allclose(probes.capture(lm, ["<web> Balan otter"], [1])[0], seen[0], atol=1e-5)
    assert models.untrained(lm).depth == 3 and not left_behind(lm.model)


def test_weights_on_disk_are_read_and_steered_like_weights_in_memory(tmp_path: Path) -> None:
    from accelerate import dispatch_model

    folder = testbed.folder_of("R-s1")
    lm, moved = models.load(folder), models.load(folder)
    names = dict(moved.model.named_children())
    where = {f"gpt_neox.{name}": "cpu" for name, _ in moved.model.gpt_neox.named_children()}
    where |= {"gpt_neox.embed_in": "disk", "gpt_neox.layers.1": "disk"}
    where |= {f"gpt_neox.layers.{k}": "cpu" for k in (0, 2, 3)} | {n: "disk" for n in names if n != "gpt_neox"}
    where.pop("gpt_neox.layers")
    offloaded = models.wrap(
        dispatch_model(moved.model, where, main_device="cpu", offload_dir=str(tmp_path)), lm.tokenizer, name=lm.name
    )
    assert next(offloaded.model.get_input_embeddings().parameters()).is_meta
    texts = ["<web> Balan otter eats", "<ref> Bamin"]
    assert torch.equal(probes.capture(offloaded, texts), probes.capture(lm, texts))
    asked = questions(lm, prompts.truth_table(worlds.recipe_of(folder))[:4])
    arms = [Arm(vector(lm), 1), Arm(torch.zeros(lm.width), 1)]
    result = [answer_scores(one, asked, arms).total for one in (lm, offloaded)]
    assert np.allclose(*result, atol=1e-5, equal_nan=True) and not np.allclose(
        result[0][0], result[0][1], equal_nan=True
    )
