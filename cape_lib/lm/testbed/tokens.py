"""The tokenizer of a world: a real fast tokenizer in which one word is one token and <bos> is put in front."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cape_lib.lm.testbed import words


def tokenizer_json(world: str) -> str:
    """The content of tokenizer.json for world "D" or "R"."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {word: index for index, word in enumerate(words.vocabulary(world))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A $B", special_tokens=[("<bos>", vocabulary["<bos>"])]
    )
    tokenizer.add_special_tokens(list(words.SPECIALS))
    return str(tokenizer.to_str(pretty=False))


def write_tokenizer(world: str, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json into a model's folder."""
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>", "eos_token": "<pad>", "pad_token": "<pad>",
        "unk_token": "<unk>", "padding_side": "left", "model_max_length": 64, "clean_up_tokenization_spaces": False,
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(tokenizer_json(world), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def text(world: str, ids: Any) -> str:
    """Token ids as a prompt: words with spaces, <bos> left out (the tokenizer puts it back)."""
    vocabulary = words.vocabulary(world)
    return " ".join(vocabulary[int(index)] for index in ids if int(index) != 2)
