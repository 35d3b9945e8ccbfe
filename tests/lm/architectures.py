"""Tiny models with random weights: the architectures that the finder and the hooks are tried on."""

from __future__ import annotations

from typing import Any

import torch

VOCABULARY = 186  # world R's tokenizer fits
_LLAMA = dict(
    vocab_size=VOCABULARY,
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=3,
    num_attention_heads=2,
    num_key_value_heads=2,
    max_position_embeddings=64,
    pad_token_id=0,
    bos_token_id=2,
    eos_token_id=0,
)
_HEAD_DIM = {**_LLAMA, "head_dim": 8}
_MOE = {**_LLAMA, "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
_SMALL: dict[str, Any] = dict(vocab_size=VOCABULARY, pad_token_id=0, bos_token_id=2, eos_token_id=0)
_GPT = dict(
    vocab_size=VOCABULARY,
    n_embd=16,
    n_layer=3,
    n_head=2,
    n_positions=64,
    n_ctx=64,
    pad_token_id=0,
    bos_token_id=2,
    eos_token_id=0,
)

#: model type -> arguments of its configuration; the first block is what `make test` runs
QUICK: dict[str, dict[str, Any]] = {
    "gpt_neox": _LLAMA,
    "gpt2": _GPT,
    "gpt_neo": dict(
        _SMALL,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        attention_types=[[["global", "local"], 1]],
        max_position_embeddings=64,
        intermediate_size=32,
    ),
    "gptj": {**_GPT, "rotary_dim": 4},
    "opt": dict(
        _SMALL,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        ffn_dim=32,
        word_embed_proj_dim=16,
        max_position_embeddings=64,
    ),
    "bloom": dict(_SMALL, hidden_size=16, n_layer=3, n_head=2),
    "falcon": dict(_SMALL, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, alibi=False),
    "mpt": dict(_SMALL, d_model=16, n_layers=3, n_heads=2, max_seq_len=64),
    "codegen": {**_GPT, "rotary_dim": 4, "n_head": 4},
    "gpt_bigcode": _GPT,
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "mixtral": _MOE,
    "qwen2": _LLAMA,
    "qwen3": _HEAD_DIM,
    "gemma": _HEAD_DIM,
    "gemma2": _HEAD_DIM,
    "phi": _LLAMA,
    "phi3": {**_LLAMA, "pad_token_id": 0},
    "stablelm": _LLAMA,
    "olmo": _LLAMA,
    "olmo2": _LLAMA,
    "mamba": dict(_SMALL, hidden_size=16, num_hidden_layers=3, state_size=4),
    "rwkv": dict(
        _SMALL, hidden_size=16, num_hidden_layers=3, attention_hidden_size=16, intermediate_size=32, context_length=64
    ),
}

#: the rest, marked slow
MORE: dict[str, dict[str, Any]] = {
    "gemma3_text": _HEAD_DIM,
    "persimmon": _LLAMA,
    "starcoder2": _LLAMA,
    "cohere": _LLAMA,
    "cohere2": _HEAD_DIM,
    "nemotron": _LLAMA,
    "granite": _LLAMA,
    "glm": _HEAD_DIM,
    "glm4": _HEAD_DIM,
    "helium": _HEAD_DIM,
    "olmo3": _LLAMA,
    "olmoe": _MOE,
    "qwen2_moe": {**_MOE, "shared_expert_intermediate_size": 16},
    "qwen3_moe": {**_MOE, "head_dim": 8},
    "granitemoe": _MOE,
    "phimoe": _MOE,
    "smollm3": _LLAMA,
    "arcee": _LLAMA,
    "exaone4": _LLAMA,
    "seed_oss": _HEAD_DIM,
    "apertus": _LLAMA,
    "ernie4_5": _LLAMA,
    "hunyuan_v1_dense": _HEAD_DIM,
    "diffllama": _LLAMA,
    "ministral": _HEAD_DIM,
    "gpt_oss": {**_MOE, "head_dim": 8},
    "dots1": {
        **_MOE,
        "n_routed_experts": 4,
        "n_group": 1,
        "topk_group": 1,
        "n_shared_experts": 1,
        "first_k_dense_replace": 1,
        "head_dim": 8,
    },
    "biogpt": _LLAMA,
    "xglm": dict(_SMALL, d_model=16, ffn_dim=32, num_layers=3, attention_heads=2, max_position_embeddings=64),
    "ctrl": dict(_SMALL, n_embd=16, dff=32, n_layer=3, n_head=2, n_positions=64),
    "gpt_neox_japanese": dict(
        _SMALL,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_multiple_size=2,
        max_position_embeddings=64,
    ),
    "mamba2": dict(
        _SMALL,
        hidden_size=16,
        num_hidden_layers=3,
        state_size=4,
        num_heads=4,
        head_dim=8,
        expand=2,
        n_groups=1,
        chunk_size=8,
    ),
    "falcon_mamba": dict(_SMALL, hidden_size=16, num_hidden_layers=3, state_size=4),
    "bamba": {
        **_LLAMA,
        "mamba_n_heads": 4,
        "mamba_d_head": 8,
        "mamba_d_state": 4,
        "mamba_chunk_size": 8,
        "attn_layer_indices": [1],
        "mamba_n_groups": 1,
    },
    "recurrent_gemma": {**_HEAD_DIM, "lru_width": 16, "attention_window_size": 32},
    "modernbert-decoder": {**_LLAMA, "cls_token_id": 2, "sep_token_id": 0},
    "openai-gpt": {k: v for k, v in _GPT.items() if k != "n_ctx"},
    "nanochat": _LLAMA,
}

ALL = QUICK | MORE


def build(kind: str, *, seed: int = 0) -> Any:
    """A tiny random model of an architecture, float32, weights large enough that hidden states differ."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(kind, **ALL[kind])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AutoModelForCausalLM.from_config(config).float().eval()
