"""Chat templates: a question as the tokenizer of a chat model puts it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from cape_lib.errors import UsageError
from cape_lib.lm.models.problems import ModelError
from cape_lib.lm.models.record import LanguageModel

#: names by which templates let thinking be switched off
_THINKING = ("enable_thinking", "thinking")


def template_of(tokenizer: Any) -> str:
    """The tokenizer's chat template, empty where it has none."""
    if getattr(tokenizer, "chat_template", None) is None:
        return ""
    return str(tokenizer.get_chat_template())


@dataclass(frozen=True)
class Chat:
    """How a model is asked: its tokenizer's template, and what the system says.

    opening: what every rendered text begins with; such a text gets no further special tokens.
    """

    tokenizer: Any
    system: str = ""
    opening: str = field(init=False, default="")

    def __post_init__(self) -> None:
        marker = "QUESTION-1B4F"
        object.__setattr__(self, "opening", self(marker).partition(marker)[0])

    def __call__(self, question: str) -> str:
        """The text up to where the answer begins, thinking switched off where the template knows how.

        A template without a system's role gets the system's words ahead of the question.
        Raises ModelError where the template cannot be rendered.
        """
        user = {"role": "user", "content": question}
        if self.system:
            try:
                text = self._rendered([{"role": "system", "content": self.system}, user])
            except ModelError:
                text = ""
            if self.system in text:
                return text
            user["content"] = f"{self.system}\n\n{question}"
        return self._rendered([user])

    def _rendered(self, messages: list[dict[str, str]]) -> str:
        off = {name: False for name in _THINKING if name in template_of(self.tokenizer)}
        try:
            return str(
                self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **off)
            )
        except Exception as error:  # a template is a program and may raise whatever it likes
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"the tokenizer's chat template fails: {line}; --no-chat asks without it") from error


def with_chat(lm: LanguageModel, *, chat: bool | None = None, system: str = "") -> LanguageModel:
    """The model, asked by its tokenizer's chat template where it has one.

    chat: True where there must be one, False for none.  Raises UsageError where a template is asked for, or a system's
    words are given, and there is none.
    """
    here = template_of(lm.tokenizer)
    if (chat or system) and not here:
        raise UsageError(f"the tokenizer of {lm.name} has no chat template; leave --chat and --system away")
    return replace(lm, chat=Chat(lm.tokenizer, system)) if here and chat is not False else lm
