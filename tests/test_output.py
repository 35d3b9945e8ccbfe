"""What leaves the library: JSON without NaN, files whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from cape_lib.output import plain, whole, write_whole


def test_what_json_cannot_hold_becomes_null_or_a_word():
    value = {1: np.float64("nan"), "b": (np.inf, -np.inf), "c": np.array([1, 2]), "d": Path("x"), "e": np.bool_(True)}
    assert plain(value) == {"1": None, "b": [None, None], "c": [1, 2], "d": "x", "e": True}
    assert plain(value, words=True)["b"] == ["inf", "-inf"]
    json.dumps(plain(value), allow_nan=False)


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_draft(tmp_path):
    file = tmp_path / "kept.txt"
    write_whole(file, "old\n")
    with pytest.raises(ValueError, match="half way"), whole(file) as draft:
        draft.write_text("new")
        raise ValueError("half way")
    assert file.read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
