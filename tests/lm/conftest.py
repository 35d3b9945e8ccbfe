"""No hub, one thread, and the shipped models loaded once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import pandas as pd
import pytest
import torch

from cape_lib.lm import models, testbed
from experiments.testbed import prompts, worlds
from experiments.testbed.training import tokenizer_json


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@lru_cache(maxsize=4)
def _shipped(name: str) -> models.LanguageModel:
    return models.load(testbed.folder_of(name))


@pytest.fixture()
def shipped() -> Any:
    """A shipped testbed model by name, checked to be free of hooks afterwards."""
    used: list[models.LanguageModel] = []

    def load(name: str) -> models.LanguageModel:
        used.append(_shipped(name))
        return used[-1]

    yield load
    for lm in used:
        assert not left_behind(lm.model)


def recipe(name: str) -> Any:
    """What a shipped model is made of."""
    return worlds.recipe_of(testbed.folder_of(name))


def reg(name: str) -> pd.DataFrame:
    """Pairs of a shipped model's world: the same question in the reliable register and on the web."""
    return prompts.contrast(recipe(name), "reg")


def left_behind(model: torch.nn.Module) -> list[str]:
    """Names of modules that still carry a forward hook."""
    return [name for name, module in model.named_modules() if module._forward_hooks or module._forward_pre_hooks]


@lru_cache(maxsize=1)
def tiny_tokenizer() -> Any:
    """World R's tokenizer (186 words), as a plain fast tokenizer."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer.from_str(tokenizer_json("R"))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<bos>",
        eos_token="<pad>",
        pad_token="<pad>",
        unk_token="<unk>",
        padding_side="left",
    )
