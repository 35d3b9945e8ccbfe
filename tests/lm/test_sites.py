"""Attention, MLP and heads, several places at once, ablation and clamp, four ways to a direction: beside own hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cape_lib.errors import UsageError
from cape_lib.lm import models, probes, steering
from cape_lib.lm.steering.applying import added
from cape_lib.lm.steering.direction import METHODS, vector_of
from tests.lm.architectures import QUICK
from tests.lm.conftest import left_behind
from tests.lm.test_architectures import PROMPT, logits, vector, wrapped

#: where the parts of block 1 are, by the names that the libraries gave them: attention, MLP, mixer of the heads
MODULES = {
    "gpt_neox": ("gpt_neox.layers.1.attention", "gpt_neox.layers.1.mlp", "gpt_neox.layers.1.attention.dense"),
    "gpt2": ("transformer.h.1.attn", "transformer.h.1.mlp", "transformer.h.1.attn.c_proj"),
    "llama": ("model.layers.1.self_attn", "model.layers.1.mlp", "model.layers.1.self_attn.o_proj"),
    "bloom": ("transformer.h.1.self_attention", "transformer.h.1.mlp", "transformer.h.1.self_attention.dense"),
    "gemma2": ("model.layers.1.self_attn", "model.layers.1.mlp", "model.layers.1.self_attn.o_proj"),
    "mixtral": ("model.layers.1.self_attn", "model.layers.1.mlp", "model.layers.1.self_attn.o_proj"),
}


@contextmanager
def hooked(
    lm: models.LanguageModel, module: str, change: Callable[[torch.Tensor], torch.Tensor], *, into: bool = False
) -> Iterator[None]:
    """A hook of this test's own on what a module returns, or on what goes into it."""

    def after(_m: Any, _a: Any, out: Any) -> Any:
        return (change(out[0]), *out[1:]) if isinstance(out, tuple) else change(out)

    def before(_m: Any, args: Any) -> Any:
        return (change(args[0]), *args[1:])

    result = lm.model.get_submodule(module)
    handle = result.register_forward_pre_hook(before) if into else result.register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize("part", [0, 1, 2], ids=["attn", "mlp", "head"])
def test_parts_are_read_and_steered_where_their_names_say(kind: str, part: int) -> None:
    lm, name = wrapped(kind), MODULES[kind][part]
    site, columns = ["attn.1", "mlp.1", "head.1.1"][part], slice(8, 16) if part == 2 else slice(None)
    delta = vector(lm)[columns]
    seen: list[torch.Tensor] = []

    def change(state: torch.Tensor) -> torch.Tensor:
        seen.append(state[:, -1, columns].detach().clone())
        new = state.clone()
        new[..., columns] += delta
        return new

    with hooked(lm, name, change, into=part == 2):
        expected = logits(lm, [PROMPT])
    with added(lm, {site: delta}):
        assert torch.allclose(logits(lm, [PROMPT]), expected, atol=1e-5)
    assert not torch.allclose(logits(lm, [PROMPT]), expected, atol=1e-3)
    texts = [lm.tokenizer.decode(PROMPT[1:])]
    read = probes.capture(lm, texts, [site])
    lm_rows = lm.tokenizer(texts)["input_ids"]
    seen.clear()
    with hooked(lm, name, change, into=part == 2):
        logits(lm, lm_rows)
    assert torch.allclose(read[0, 0], seen[0][0], atol=1e-5)
    assert not left_behind(lm.model)


@pytest.mark.slow
def test_a_part_is_there_or_refused_in_one_sentence_in_every_architecture() -> None:
    refused = set()
    for kind in QUICK:
        lm = wrapped(kind)
        for site in ("attn.1", "mlp.1", "head.1.0"):
            try:
                with added(lm, {site: torch.ones(sum(lm.widths(site)))}):
                    steered = logits(lm, [PROMPT])
                assert not torch.equal(steered, logits(lm, [PROMPT]))
            except (models.ModelError, UsageError) as error:
                assert "take" in str(error) and "\n" not in str(error)
                refused.add((kind, site[:4]))
        assert not left_behind(lm.model)
    assert {kind for kind, _ in refused} <= {"mamba", "opt", "rwkv"}


def test_several_places_at_once_equal_one_hook_inside_the_other() -> None:
    lm = wrapped("gpt_neox")
    both = torch.cat([vector(lm), vector(lm, seed=1), vector(lm, seed=2)[:8]])
    with added(lm, {"0+mlp.1+head.2.1": both}, positions="last"):
        at_once = logits(lm, [PROMPT])
    with added(lm, {0: both[:16], "mlp.1": both[16:32], "head.2.1": both[32:]}, positions="last"):
        assert torch.allclose(at_once, logits(lm, [PROMPT]), atol=1e-6)
    read = probes.capture(lm, ["<web> Balan otter"], ["0+mlp.1+head.2.1"])[0, 0]
    alone = [probes.capture(lm, ["<web> Balan otter"], [site])[0, 0] for site in (0, "mlp.1", "head.2.1")]
    assert torch.equal(read, torch.cat(alone))
    with pytest.raises(UsageError, match="widths"):
        probes.capture(lm, ["<web> Balan otter"], [0, "head.2.1"])


@pytest.mark.parametrize(("action", "value"), [("ablate", 0.0), ("clamp", 3.0), ("clamp", -1.5)])
def test_ablation_and_clamp_set_the_projection_and_nothing_else(action: str, value: float) -> None:
    lm = wrapped("llama")
    result = _direction(lm, 1)
    unit = result.vector / result.vector.norm()
    states: list[torch.Tensor] = []

    def own(state: torch.Tensor) -> torch.Tensor:
        states.append(state + ((value - state @ unit)[..., None] * unit))
        return states[-1]

    with hooked(lm, "model.layers.1", own):
        expected = logits(lm, [PROMPT])
    assert torch.allclose(states[0] @ unit, torch.full((1, 5), value), atol=1e-5)
    with steering.steered(lm, result, value / result.norm, unit="raw", action=action):
        assert torch.allclose(logits(lm, [PROMPT]), expected, atol=1e-4)
    with pytest.raises(UsageError, match="add, ablate, clamp"):
        result.change(1.0, "raw", "wipe")


def test_each_place_of_several_is_ablated_by_itself() -> None:
    lm = wrapped("llama")
    result = _direction(lm, "0+2")
    first, second = (torch.nn.functional.normalize(half, dim=0) for half in result.vector.split(16))

    def without(unit: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda state: state - (state @ unit)[..., None] * unit

    with hooked(lm, "model.layers.0", without(first)), hooked(lm, "model.layers.2", without(second)):
        expected = logits(lm, [PROMPT])
    with steering.steered(lm, result, 0.0, action="ablate"):
        assert torch.allclose(logits(lm, [PROMPT]), expected, atol=1e-4)
    plain = steering.compare(lm, ["<web> Balan otter"], [result], [1.0], steering.Writing(tokens=3, action="ablate"))
    with steering.steered(lm, result, 1.0, action="ablate"):
        alone = steering.compare(lm, ["<web> Balan otter"], [], [], steering.Writing(tokens=3))
    assert plain["text"].iloc[1] == alone["text"].iloc[0]


def _direction(lm: models.LanguageModel, site: models.Site) -> steering.Direction:
    words = ["otter", "badger", "Balan", "eats", "plums", "fears"]
    pairs = pd.DataFrame({"positive": [f"<web> {a}" for a in words], "negative": [f"<ref> {a}" for a in words]})
    return steering.fit_direction(lm, pairs, site)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("head.1", "unknown layer"),
        ("attn.1.2", "unknown layer"),
        ("head.1.2", "2 heads"),
        ("mlp.3", "out of range"),
        ("1+1", "twice"),
        ("", "unknown layer"),
    ],
)
def test_places_that_are_none_are_refused(asked: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        wrapped("llama").site(asked)
    assert models.site_of("quarter, attn.-1", 24) == "6+attn.23"


# -- ways to a direction


def _states(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    noise = torch.from_numpy(rng.standard_normal((2, 60, 3, 12))).float()
    noise[0, :, :, 0] += 2
    noise[..., 1] *= 4
    return noise[0], noise[1]


@pytest.mark.parametrize("method", METHODS)
def test_directions_are_those_of_the_reference_at_every_place(method: str) -> None:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    positive, negative = _states()
    result = vector_of(positive, negative, method)
    for place in range(3):
        a, b = positive[:, place].double().numpy(), negative[:, place].double().numpy()
        difference = a - b
        if method == "mean_difference":
            expected = difference.mean(0)
        elif method == "principal":
            expected = PCA(1).fit(np.r_[difference, -difference]).components_[0]
        elif method == "pca":
            expected = PCA(1).fit(np.r_[a, b]).components_[0]
        else:
            x = difference / np.sqrt((difference**2).sum(1).mean())
            fitted = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=5000)
            expected = fitted.fit(np.r_[x, -x], np.repeat([1, 0], len(x))).coef_[0]
        own = result[place].double().numpy()
        cosine = own @ expected / np.linalg.norm(own) / np.linalg.norm(expected)
        assert abs(cosine) == pytest.approx(1, abs=1e-6)
        assert own @ difference.mean(0) > 0 and np.linalg.norm(own) == pytest.approx(
            np.linalg.norm(difference.mean(0)), rel=1e-5
        )


def test_logistic_finds_what_a_wide_nuisance_hides_from_the_first_axis() -> None:
    positive, negative = _states(1)
    along = {name: vector_of(positive, negative, name)[0] for name in METHODS}
    share = {name: float(abs(one[0]) / one.norm()) for name, one in along.items()}
    assert share["logistic"] > 0.9 and share["pca"] < 0.3


@pytest.mark.parametrize("method", METHODS)
def test_peers_find_the_same_direction(method: str) -> None:
    aggregators = pytest.importorskip("steering_vectors.aggregators", reason="steering-vectors is not here")
    positive, negative = (states[:, 0] for states in _states(2))
    peer = {"mean_difference": "mean_aggregator", "principal": "pca_aggregator", "logistic": "logistic_aggregator"}
    if method not in peer:
        pytest.skip("no such way in steering-vectors")
    size = (positive - negative).norm(dim=1).square().mean().sqrt() / 2
    expected = getattr(aggregators, peer[method])()(positive / size, negative / size)
    own = vector_of(positive, negative, method)
    assert float(torch.nn.functional.cosine_similarity(own, expected, dim=0)) == pytest.approx(1, abs=1e-4)
