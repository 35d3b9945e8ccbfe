"""Chat templates, beginnings and ends: a model reads the tokens that its own tokenizer would give it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cape_lib.cli import main
from cape_lib.errors import UsageError
from cape_lib.lm import models, texts
from cape_lib.lm.models.running import token_lists
from cape_lib.lm.steering.measuring import questions
from tests.lm.architectures import build

PLAIN = "{{ bos_token }}{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }}\n{% endfor %}<model>{{ '\\n' }}"
BARE = PLAIN.replace("{{ bos_token }}", "")
STRICT = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}" + PLAIN
SILENT = PLAIN.replace("{% for m in messages %}", "{% for m in messages if m['role'] != 'system' %}")
THINKING = PLAIN + "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}"
WORDS = ["what", "do", "otter", "eats", "plums", "fears", "?", "be", "brief", "good", "evening", "no"]
WORDS += ["<user>", "<system>", "<model>", "<think>"]


def tokenizer(template: str | None, *, ends: bool = False) -> Any:
    """A tokenizer of words that begins with <bos>, may append <eos>, and has the template planted."""
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers import models as kinds
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: at for at, word in enumerate(["<pad>", "<unk>", "<bos>", "<eos>", *WORDS])}
    result = Tokenizer(kinds.WordLevel(vocabulary, unk_token="<unk>"))
    result.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    result.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>" if ends else "<bos> $A", special_tokens=[("<bos>", 2), ("<eos>", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=result, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )
    fast.chat_template = template
    return fast


def model(template: str | None, *, ends: bool = False) -> models.LanguageModel:
    return models.wrap(build("llama"), tokenizer(template, ends=ends), name="chatty")


def words(lm: models.LanguageModel, text: str) -> list[str]:
    return list(lm.tokenizer.convert_ids_to_tokens(token_lists(lm, [text])[0]))


def test_a_beginning_that_was_pasted_stands_once_and_an_end_that_is_appended_is_left_out() -> None:
    for ends in (False, True):
        lm = model(None, ends=ends)
        assert words(lm, "otter eats") == ["<bos>", "otter", "eats"]
        assert words(lm, "<bos> otter eats") == ["<bos>", "otter", "eats"]
    assert words(lm, "otter <eos>")[-1] == "<eos>"  # the text's own end stays
    table = pd.DataFrame({"prompt": ["what do otter"], "true": ["eats plums"], "false": ["fears"]})
    result = questions(lm, table)
    assert lm.tokenizer.convert_ids_to_tokens(result.prompts[0]) == ["<bos>", "what", "do", "otter"]
    assert [lm.tokenizer.convert_ids_to_tokens(a) for a in result.answers[0]] == [["eats", "plums"], ["fears"]]


@pytest.mark.parametrize("template", [PLAIN, BARE, STRICT, SILENT, THINKING])
@pytest.mark.parametrize("ends", [False, True])
def test_a_question_becomes_the_tokens_of_the_tokenizers_own_template(template: str, ends: bool) -> None:
    lm = models.with_chat(model(template, ends=ends))
    own = lm.tokenizer.apply_chat_template(
        [{"role": "user", "content": "what do otter ?"}],
        add_generation_prompt=True,
        enable_thinking=False,
        return_dict=False,
    )
    assert token_lists(lm, [lm.chat("what do otter ?")])[0] == list(own)
    assert "<think>" not in words(lm, lm.chat("what do otter ?"))
    # texts that were not asked begin as ever
    assert words(lm, "good evening") == ["<bos>", "good", "evening"]


def test_the_answer_follows_the_template_at_once() -> None:
    lm = models.with_chat(model(PLAIN))
    result = questions(lm, pd.DataFrame({"prompt": [lm.chat("what ?")], "true": ["plums"], "false": ["otter"]}))
    assert lm.tokenizer.convert_ids_to_tokens(result.prompts[0])[-1] == "<model>"
    text = models.running.joined(lm.chat("what ?"), "plums")
    assert text.endswith("<model>\nplums") and models.running.joined("A:", "no") == "A: no"


@pytest.mark.parametrize("template", [PLAIN, STRICT, SILENT])
def test_what_the_system_says_is_heard_whatever_the_template_does_with_it(template: str) -> None:
    lm = models.with_chat(model(template), system="be brief")
    spoken = words(lm, lm.chat("what ?"))
    expected = ["<system>", "be", "brief", "<user>"] if template == PLAIN else ["<user>", "be", "brief"]
    assert spoken == ["<bos>", *expected, "what", "?", "<model>"]


def test_a_template_that_is_missing_or_fails_is_said() -> None:
    lm = model(None)
    assert models.with_chat(lm).chat is None and models.with_chat(model(PLAIN), chat=False).chat is None
    for options in ({"chat": True}, {"system": "be brief"}):
        with pytest.raises(UsageError, match="no chat template"):
            models.with_chat(lm, **options)  # type: ignore[arg-type]
    with pytest.raises(models.ModelError, match="template fails: boom"):
        models.with_chat(model("{{ raise_exception('boom') }}"))


def _file(tmp_path: Path, columns: dict[str, list[str]]) -> Path:
    pd.DataFrame(columns).to_csv(tmp_path / "items.csv", index=False)
    return tmp_path / "items.csv"


def test_questions_are_asked_by_the_template_and_other_texts_are_continued(tmp_path: Path) -> None:
    chat = models.with_chat(model(PLAIN), system="be brief").chat
    published = {name: ["no"] * 12 for name in texts.TRUTHFULQA}
    published |= {"Question": ["what do otter?"] * 12, "Category": [f"c{k}" for k in range(12)]}
    published["Incorrect Answers"] = ["plums"] * 12
    own = {"prompt": ["what ?"] * 12, "true": ["no"] * 12, "false": ["plums"] * 12}
    for columns, plain in ((published, "Q: what do otter?\nA:"), (own, "what ?")):
        path = _file(tmp_path, columns)
        assert texts.read_benchmark(path).items["prompt"][0] == plain
        assert texts.read_benchmark(path, chat=chat).items["prompt"][0] == chat(columns.get("Question", ["what ?"])[0])
        primed = texts.read_benchmark(path, chat=chat, primer="good evening").items["prompt"][0]
        assert primed.count("good evening\n\nwhat") == 1 and primed.endswith("<model>\n")
    assert texts.pairs_of(texts.read_benchmark(path, chat=chat).items)["positive"][0].endswith("<model>\nno")
    path = _file(tmp_path, own | {"prompt": ["otter eats"] * 12})
    assert texts.read_benchmark(path, chat=chat).items["prompt"][0] == "otter eats"
    assert texts.read_benchmark(path, chat=chat, questions_only=False).items["prompt"][0] == chat("otter eats")


def test_the_command_asks_a_chat_model_and_shows_the_question_as_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lm, folder = model(THINKING), tmp_path / "chatty"
    lm.model.save_pretrained(folder)
    lm.tokenizer.save_pretrained(folder)
    pairs = {
        "positive": ["otter eats", "plums", "good evening", "what"],
        "negative": ["otter fears", "no", "evening good", "do"],
    }
    start = [
        "steer",
        "--model",
        str(folder),
        "--pairs",
        str(_file(tmp_path, pairs)),
        "--prompt",
        "what do otter ?",
        "--max-new-tokens",
        "3",
        "--json",
        "--quiet",
    ]
    written = []
    for more in ([], ["--chat"], ["--no-chat"], ["--system", "be brief"]):
        assert main([*start, *more]) == 0
        out = capsys.readouterr().out
        assert out.count('"prompt": "what do otter ?"') == 2
        written.append(out)
    assert written[0] == written[1] != written[2]
    assert main([*start, "--system", "be brief", "--no-chat"]) == 2
    assert main(["steer", "--model", "R-s1", "--chat", "--prompt", "<web> Balan"]) == 2
    assert "no chat template" in capsys.readouterr().err
