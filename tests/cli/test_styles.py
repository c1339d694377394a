"""Styles on the command line and in the Python API."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import igm_gui
from igm_gui.cli import main
from igm_gui.errors import InputError
from igm_gui.latent import styles

NETWORK = Path(__file__).parent.parent / "data" / "stylegan" / "stylegan2-32-unconditional.pkl"


@pytest.fixture(scope="module")
def network():
    return igm_gui.load(str(NETWORK))


def sample(folder, *options):
    assert main(["sample", str(NETWORK), "--seed", "3", "--out", str(folder), *options]) == 0
    (file,) = folder.glob("*.png")
    return np.asarray(Image.open(file))


def test_mixing_with_all_layers_is_the_other_seed(tmp_path, network):
    assert (sample(tmp_path, "--mix", "9:all") == network.sample(9)[0]).all()


def test_directions_and_mixing_are_those_of_the_api(tmp_path, network):
    space = network.info.styles
    point = styles.mixed(space, network.point(3), styles.group(space, "fine"), 0.5, 9)
    point = styles.moved(space, point, (0, 1), {2: -1.5})
    pictures = sample(tmp_path, "--mix", "9:fine:0.5", "--direction", "2:0-1:-1.5")
    assert (pictures == network.render(point)[0]).all()


def test_w_from_a_file_is_its_picture(tmp_path, network):
    point = network.point(5, truncation=0.6)
    np.savez(tmp_path / "projected_w.npz", w=network.map(point))
    (tmp_path / "out").mkdir()
    assert (
        sample(tmp_path / "out", "--w", str(tmp_path / "projected_w.npz")) == network.render(point)[0]
    ).all()


@pytest.mark.parametrize(
    "options",
    [
        ("--mix", "7:99"),
        ("--mix", "x:fine"),
        ("--mix", "1:fine", "--mix", "2:coarse"),
        ("--direction", "999:all:1"),
        ("--w", "nowhere.npz"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path, capsys, options):
    try:
        status = main(["sample", str(NETWORK), "--out", str(tmp_path), *options])
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_model_without_w_says_so(tmp_path, capsys):
    assert main(["sample", "uniform-pixels", "--mix", "1:fine", "--out", str(tmp_path)]) == 2
    assert "no styles" in capsys.readouterr().err
    with pytest.raises(InputError, match="no w"):
        igm_gui.load("uniform-pixels").map(igm_gui.load("uniform-pixels").point(0))
