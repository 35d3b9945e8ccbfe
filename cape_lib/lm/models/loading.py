"""Load a causal language model from the hub or from a folder, or say in one line why not."""

from __future__ import annotations

import atexit
import copy
import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from cape_lib.errors import CapeError, SurroundingsError, UsageError
from cape_lib.lm.models.record import LanguageModel, ModelError, memory_guard, needed, wrap
from cape_lib.lm.testbed import tokenizer_of


def template_of(tokenizer: Any) -> str:
    """The tokenizer's chat template, empty where it has none."""
    return "" if getattr(tokenizer, "chat_template", None) is None else str(tokenizer.get_chat_template())


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
        # names by which templates let thinking be switched off
        off = {name: False for name in ("enable_thinking", "thinking") if name in template_of(self.tokenizer)}
        try:
            return str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **off))
        except Exception as error:  # a template is a program and may raise whatever it likes
            line = _first_line(error)
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


DTYPES = ("auto", "float32", "bfloat16", "float16")
_ADAPTER = "adapter_config.json"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.safetensors.index.json")


def load(
    name: str | Path,
    *,
    device: str | None = None,
    dtype: str = "auto",
    revision: str | None = None,
    layers: str | None = None,
) -> LanguageModel:
    """The causal language model at a local folder or of a hub id, in evaluation mode.

    A folder may also hold a GGUF file (or the name be one) or a LoRA adapter, which is merged into its base; of a model
    for images and text the text part is read and steered.  device: "cpu", "cuda", "cuda:1" ..., "auto" (spread over
    what there is, by accelerate), None: a GPU where it fits (else spread), else the CPU.  dtype: "auto" is bfloat16 on
    a GPU, also on a processor that multiplies it where the weights are stored in it (or in fewer bits), else float32.
    Raises UsageError (2) for an unknown dtype or device, ModelError (3) for a folder without weights or a model that
    is no causal one, SurroundingsError (6) when the hub cannot be reached, does not know the name, or memory runs out.
    """
    if dtype not in DTYPES:
        raise UsageError(f"unknown dtype {dtype!r}; choose from {', '.join(DTYPES)}")
    where = _device(device)
    asked, folder = str(name), Path(name).expanduser()
    short, commit = asked, ""
    if folder.exists():
        # a folder is named by its last part: a result must not depend on where it was made
        short = folder.stem if folder.suffix == ".gguf" else folder.resolve().name
        folder = _checked(folder)
        asked, commit = str(folder), fingerprint(folder)
    elif asked.startswith((".", "/", "~", os.sep)) or asked.count("/") > 1 or "\\" in asked:
        raise ModelError(f"{name}: no such folder")
    kind = getattr(torch, dtype) if dtype != "auto" else torch.bfloat16 if where != "cpu" else None
    with memory_guard(f"loading {name}"), quiet():
        tokenizer, model, missing = _read(asked, kind, where, revision)
        commit = commit or str(getattr(model.config, "_commit_hash", None) or revision or "")
        lm = wrap(model, tokenizer, name=short, revision=commit, layers=layers)
    if missing:
        some = f"{len(missing)} of the model's weights, such as {missing[0]}"
        raise ModelError(f"{name}: the checkpoint lacks {some}; they would be random, so nothing is measured")
    return lm


def fingerprint(folder: Path) -> str:
    """A short hash of the weights (sizes, first and last megabyte): two models of one name differ in it."""
    digest = hashlib.sha256()
    inside = (path for kind in (*_WEIGHTS, "*.gguf") for path in folder.glob(kind))
    for path in [folder] if folder.is_file() else sorted(inside):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            digest.update(file.read(2**20))
            file.seek(max(0, size - 2**20))
            digest.update(file.read(2**20))
    return digest.hexdigest()[:12]


def _device(asked: str | None) -> str:
    if asked is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if asked == "auto":
        return "auto"
    try:
        device = torch.device(asked)
    except RuntimeError as error:
        raise UsageError(f"unknown device {asked!r}; choose cpu, cuda, cuda:1 or auto") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SurroundingsError(f"device {asked!r}: no GPU that torch can use is here; leave --device away")
    return asked


def _checked(folder: Path) -> Path:
    """The folder or GGUF file that holds a model; ModelError where there is none."""
    files = sorted(folder.glob("*.gguf"))
    if folder.is_file() or (len(files) == 1 and not (folder / "config.json").is_file()):
        file = folder if folder.is_file() else files[0]
        if file.suffix != ".gguf":
            raise ModelError(f"{file}: is no folder and no GGUF file, so it is no model")
        needed("gguf", f"{file}: a GGUF file")
        return file
    if (folder / _ADAPTER).is_file():
        needed("peft", f"{folder}: a LoRA adapter, which is merged into its base,")
        return folder
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder}: holds no config.json, so it is no model folder")
    if not any(next(folder.glob(pattern), None) for pattern in _WEIGHTS):
        raise ModelError(f"{folder}: holds a config.json but no weights (*.safetensors or pytorch_model.bin)")
    return folder


def _as(kind: torch.dtype) -> dict[str, torch.dtype]:
    # transformers 5 renamed the argument; 4 does not know the new name everywhere
    import transformers

    return {"dtype" if int(transformers.__version__.split(".")[0]) >= 5 else "torch_dtype": kind}


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, transformers draws progress bars on a terminal only, and neither it nor the hub's client writes warnings.

    What they warn of is told in one line: an unreachable hub (which they try five times) and missing weights.
    """
    from transformers.utils import logging as transformers_logging

    bars: Any = transformers_logging
    with ExitStack() as stack:
        if bars.is_progress_bar_enabled() and not sys.stderr.isatty():
            bars.disable_progress_bar()
            stack.callback(bars.enable_progress_bar)
        for talker in map(logging.getLogger, ("transformers", "huggingface_hub")):
            stack.callback(talker.setLevel, talker.level)
            talker.setLevel(logging.ERROR)
        yield


def _stored(name: str, options: dict[str, Any]) -> torch.dtype:
    """The type to compute in on a processor: bfloat16 is two to three times as fast where it is built in."""
    from transformers import AutoConfig

    if not any(getattr(torch.cpu, f"_is_{own}_supported", bool)() for own in ("avx512_bf16", "amx_tile")):
        return torch.float32
    if "gguf_file" in options:
        return torch.bfloat16
    config = AutoConfig.from_pretrained(name, **options)
    text = config.get_text_config(decoder=True)
    kinds = {str(getattr(own, "dtype", None) or getattr(own, "torch_dtype", None)) for own in (config, text)}
    return torch.bfloat16 if any(kind.endswith("bfloat16") for kind in kinds) else torch.float32


def _read(name: str, kind: torch.dtype | None, where: str, revision: str | None) -> tuple[Any, Any, list[str]]:
    """Tokenizer, model, and the names of the weights that the checkpoint does not hold; kind: None for `_stored`."""
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoTokenizer
    from transformers.utils import quantization_config

    options: dict[str, Any] = {"revision": revision} if revision else {}
    source = Path(name)
    if not source.exists() and not _hub_answers():
        options["local_files_only"] = True  # what was downloaded before still loads
    if source.suffix == ".gguf":
        name, options["gguf_file"] = str(source.parent), source.name
    try:
        if (source / _ADAPTER).is_file():
            from peft import PeftModel

            base = json.loads((source / _ADAPTER).read_text(encoding="utf-8"))["base_model_name_or_path"]
            tokenizer, model, missing = _read(str(base), kind, where, None)
            if (source / "tokenizer_config.json").is_file():
                tokenizer = AutoTokenizer.from_pretrained(source)
            return tokenizer, PeftModel.from_pretrained(model, source).merge_and_unload(), missing
        tokenizer = AutoTokenizer.from_pretrained(str(tokenizer_of(source)) if source.is_dir() else name, **options)
        options |= _as(kind or _stored(name, options))
        unpack = getattr(quantization_config, "GgufConfig", None)
        if source.suffix == ".gguf" and unpack:  # older releases know no other way than ordinary weights
            options["quantization_config"] = unpack(dequantize=True)
        here = where == "cpu" or where.startswith("cuda:")
        if not here:
            # accelerate puts it on one GPU when it fits, else over GPUs and memory; nothing moves it afterwards
            scratch = tempfile.mkdtemp(prefix="cape-")
            atexit.register(shutil.rmtree, scratch, ignore_errors=True)
            options |= {"device_map": "auto", "offload_folder": scratch}
        options["output_loading_info"] = True
        causal: Any = AutoModelForCausalLM
        seeing: Any = AutoModelForImageTextToText
        try:
            model, about = causal.from_pretrained(name, **options)
        except ValueError as error:
            if "Unrecognized configuration class" not in str(error):
                raise
            model, about = seeing.from_pretrained(name, **options)
        return tokenizer, model.to(where) if here else model, sorted(about["missing_keys"])
    except CapeError:
        raise
    except Exception as error:  # transformers raises OSError, ValueError, ImportError, KeyError ... for these
        raise _explained(str(source), error) from error


def _hub_answers() -> bool:
    """Whether anything answers at the hub's address, within five seconds.

    Its client asks for many files and for each of them five times: without a network that is a minute of silence.
    """
    try:
        from huggingface_hub import constants, utils

        client: Any = utils
        client.get_session().head(constants.ENDPOINT, timeout=5.0)
    except Exception:  # whatever the client of the day raises where nothing answers
        return False
    return True


def _explained(name: str, error: Exception) -> Exception:
    """The one-line error for what transformers raised; the error itself where it is none of the expected."""
    steps: list[BaseException] = [error]
    while (step := steps[-1].__cause__ or steps[-1].__context__) is not None and step not in steps:
        steps.append(step)
    kinds, words = {type(one).__name__ for one in steps}, " ".join(map(str, steps)).lower()
    if "unrecognized configuration class" in words:
        return ModelError(f"{name}: not a causal language model; a decoder with a language head is needed")
    if Path(name).exists():
        return ModelError(f"{name}: cannot be read as a causal language model: {_first_line(error)}")
    unknown = {"RepositoryNotFoundError", "RevisionNotFoundError", "HFValidationError"}
    offline = {"OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectionError", "ConnectError", "ProxyError"}
    if "GatedRepoError" in kinds:
        why = f"the hub shows {name!r} only to those who accepted its terms; log in, or"
    elif kinds & unknown or "404" in words:
        why = f"the hub knows no model {name!r} (or no such revision, or it is private);"
    elif kinds & offline or any(some in words for some in ("couldn't connect", "offline", "connection")):
        why = f"the model hub cannot be reached, and {name!r} is no folder here;"
    elif isinstance(error, (OSError, ValueError, ImportError, KeyError)):
        why = f"{name!r} cannot be loaded: {_first_line(error)};"
    else:
        return error
    return SurroundingsError(f"{why} give a local folder with the model instead")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]


def untrained(lm: LanguageModel, *, seed: int = 0) -> LanguageModel:
    """The same architecture with fresh random weights, on the same device: the null of every probe."""
    config = copy.deepcopy(lm.model.config)
    with memory_guard("building the untrained twin"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = type(lm.model)._from_config(config, **_as(lm.dtype))
        if len(set((getattr(lm.model, "hf_device_map", None) or {}).values())) < 2:
            model = model.to(lm.device)
    return wrap(model, lm.tokenizer, name=f"{lm.name} (untrained, seed {seed})")
