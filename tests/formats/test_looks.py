"""A refusal says what a file is instead of a model; no model is taken for something else."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import open_checkpoint
from igm_gui.formats.looks import looks_like


def picture(kind):
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, kind)
    return stream.getvalue()


def array():
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


def archive():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("photos/one.txt", "hello")
    return stream.getvalue()


FOUND = {
    "a PNG picture": picture("PNG"),
    "a JPEG picture": picture("JPEG"),
    "a GIF picture": picture("GIF"),
    "a sound or picture": picture("WEBP"),
    "a pointer to a file in Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "a web page": b"\n<!DOCTYPE HTML><html></html>" + b" " * 40,
    "a gzip archive": gzip.compress(b"x" * 100),
    "a NumPy array": array(),
    "a zip archive": archive(),
    "a file of zeros": bytes(5000),
    "plain text": b"Hello, these are my notes on models.",
}


@pytest.mark.parametrize("what", FOUND)
@pytest.mark.parametrize("ending", ["pt", "pkl", "ts", "safetensors", "onnx", "bin"])
def test_what_was_seen_is_said(tmp_path, what, ending):
    path = tmp_path / f"model.{ending}"
    path.write_bytes(FOUND[what])
    if what == "a zip archive" and ending in ("safetensors", "onnx"):
        return  # refused for what they are not
    with pytest.raises(ModelError) as refusal:
        open_checkpoint(path)
    assert refusal.value.message.startswith(f"model.{ending} is {what}")
    assert refusal.value.hint


@pytest.mark.parametrize("length", [0x5A4D, 0x8B1F])  # "MZ", gzip: what a header's length may begin with
def test_no_model_is_taken_for_something_else(tmp_path, length):
    plain = save({"w": torch.zeros(2, 2)})
    header = json.loads(plain[8 : 8 + int.from_bytes(plain[:8], "little")])
    text = json.dumps(header).encode().ljust(length)
    path = tmp_path / "model.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + text + bytes(16))
    assert looks_like(path.read_bytes()[:32])[0]
    assert open_checkpoint(path).kind == "state_dict"
