"""Load a causal language model from the hub or from a folder, or say in one line why not."""

from __future__ import annotations

import copy
import hashlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cape_lib.errors import CapeError, SurroundingsError, UsageError
from cape_lib.lm.models.problems import ModelError, chain, memory_guard
from cape_lib.lm.models.record import LanguageModel, wrap

DTYPES = ("auto", "float32", "bfloat16", "float16")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.safetensors.index.json")


def load(
    name: str | Path, *, device: str | None = None, dtype: str = "auto", revision: str | None = None,
    layers: str | None = None,
) -> LanguageModel:  # fmt: skip
    """The causal language model at a local folder or of a hub id, in evaluation mode.

    device: "cpu", "cuda", "cuda:1" ..., "auto" (spread over what there is, by accelerate), None: a GPU where it fits
    (else spread), else the CPU.  dtype: "auto" is bfloat16 on a GPU and float32 on the CPU.
    Raises UsageError (2) for an unknown dtype or device, ModelError (3) for a folder without weights or a model that
    is no causal one, SurroundingsError (6) when the hub cannot be reached, does not know the name, or memory runs out.
    """
    if dtype not in DTYPES:
        raise UsageError(f"unknown dtype {dtype!r}; choose from {', '.join(DTYPES)}")
    where = _device(device)
    folder = Path(name).expanduser()
    if folder.is_dir():
        _check_folder(folder)
    elif _looks_like_path(str(name)):
        raise ModelError(f"{name}: no such folder")
    kind = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}.get(
        dtype, torch.bfloat16 if where != "cpu" else torch.float32
    )
    with memory_guard(f"loading {name}"), quiet():
        tokenizer, model, missing = _read(str(folder) if folder.is_dir() else str(name), kind, where, revision)
        commit = str(getattr(model.config, "_commit_hash", None) or revision or "")
        commit = fingerprint(folder) if folder.is_dir() else commit
        found = wrap(model, tokenizer, name=_short(name), revision=commit, layers=layers)
    if missing:
        some = f"{len(missing)} of the model's weights, such as {missing[0]}"
        raise ModelError(f"{name}: the checkpoint lacks {some}; they would be random, so nothing is measured")
    return found


def fingerprint(folder: Path) -> str:
    """A short hash of a folder's weights (sizes, first and last megabyte): two models of one name differ in it."""
    made = hashlib.sha256()
    for path in sorted(path for kind in (*_WEIGHTS, "*.gguf") for path in folder.glob(kind)):
        size = path.stat().st_size
        made.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            made.update(file.read(2**20))
            file.seek(max(0, size - 2**20))
            made.update(file.read(2**20))
    return made.hexdigest()[:12]


def _short(name: str | Path) -> str:
    # a folder is named by its last part: a result must not depend on where it was made
    return Path(name).resolve().name if Path(name).is_dir() else str(name)


def _device(asked: str | None) -> str:
    if asked is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if asked == "auto":
        return "auto"
    try:
        found = torch.device(asked)
    except RuntimeError as error:
        raise UsageError(f"unknown device {asked!r}; choose cpu, cuda, cuda:1 or auto") from error
    if found.type == "cuda" and not torch.cuda.is_available():
        raise SurroundingsError(f"device {asked!r}: no GPU that torch can use is here; leave --device away")
    return asked


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~", os.sep)) or name.count("/") > 1 or "\\" in name


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder}: holds no config.json, so it is no model folder")
    if not any(next(folder.glob(pattern), None) for pattern in _WEIGHTS):
        raise ModelError(f"{folder}: holds a config.json but no weights (*.safetensors or pytorch_model.bin)")


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
    shown = bars.is_progress_bar_enabled()
    if not sys.stderr.isatty():
        bars.disable_progress_bar()
    talkers = [logging.getLogger(name) for name in ("transformers", "huggingface_hub")]
    levels = [talker.level for talker in talkers]
    for talker in talkers:
        talker.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for talker, level in zip(talkers, levels, strict=True):
            talker.setLevel(level)
        if shown:
            bars.enable_progress_bar()


def _read(name: str, kind: torch.dtype, where: str, revision: str | None) -> tuple[Any, Any, list[str]]:
    """Tokenizer, model, and the names of the weights that the checkpoint does not hold."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options: dict[str, Any] = {"revision": revision} if revision else {}
    if not Path(name).is_dir() and not _hub_answers():
        options["local_files_only"] = True  # what was downloaded before still loads
    reader: Any = AutoModelForCausalLM  # its own annotations do not fit what it returns
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **options)
        options |= _as(kind)
        here = where == "cpu" or where.startswith("cuda:")
        if not here:
            # accelerate puts it on one GPU when it fits, else over GPUs and memory; nothing moves it afterwards
            options["device_map"] = "auto"
        model, about = reader.from_pretrained(name, output_loading_info=True, **options)
        return tokenizer, model.to(where) if here else model, sorted(about["missing_keys"])
    except CapeError:
        raise
    except Exception as error:  # transformers raises OSError, ValueError, ImportError, KeyError ... for these
        raise _explained(name, error) from error


def _hub_answers(seconds: float = 5.0) -> bool:
    """Whether anything answers at the hub's address.

    Its client asks for many files and for each of them five times: without a network that is a minute of silence.
    """
    try:
        from huggingface_hub import constants, utils

        client: Any = utils
        client.get_session().head(constants.ENDPOINT, timeout=seconds)
    except Exception:  # whatever the client of the day raises where nothing answers
        return False
    return True


def _explained(name: str, error: Exception) -> Exception:
    """The one-line error for what transformers raised; the error itself where it is none of the expected."""
    kinds = {type(step).__name__ for step in chain(error)}
    words = " ".join(str(step) for step in chain(error)).lower()
    local = "give a local folder with the model instead"
    if Path(name).is_dir():
        if "unrecognized configuration class" in words:
            return ModelError(f"{name}: not a causal language model; a decoder with a language head is needed")
        return ModelError(f"{name}: cannot be read as a causal language model: {_first_line(error)}")
    if "GatedRepoError" in kinds:
        return SurroundingsError(f"the hub shows {name!r} only to those who accepted its terms; log in, or {local}")
    if kinds & {"RepositoryNotFoundError", "RevisionNotFoundError", "HFValidationError"} or "404" in words:
        return SurroundingsError(f"the hub knows no model {name!r} (or no such revision, or it is private); {local}")
    offline = {"OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectionError", "ConnectError", "ProxyError"}
    if kinds & offline or "couldn't connect" in words or "offline" in words or "connection" in words:
        return SurroundingsError(f"the model hub cannot be reached, and {name!r} is no folder here; {local}")
    if "unrecognized configuration class" in words:
        return ModelError(f"{name!r} is not a causal language model; a decoder with a language head is needed")
    if isinstance(error, (OSError, ValueError, ImportError, KeyError)):
        return SurroundingsError(f"{name!r} cannot be loaded: {_first_line(error)}; {local}")
    return error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]


def untrained(lm: LanguageModel, *, seed: int = 0) -> LanguageModel:
    """The same architecture with fresh random weights, on the same device: the null of every probe."""
    from transformers import AutoModelForCausalLM

    builder: Any = AutoModelForCausalLM
    config = copy.deepcopy(lm.model.config)
    kind = next(lm.model.parameters()).dtype
    with memory_guard("building the untrained twin"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = builder.from_config(config, **_as(kind))
        if not lm.placed:
            model = model.to(lm.device)
    return wrap(model, lm.tokenizer, name=f"{lm.name} (untrained, seed {seed})")
