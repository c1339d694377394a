"""Edits of w as values of a point."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igm_gui.errors import InputError
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec, StyleSpace
from igm_gui.latent import styles
from igm_gui.latent.point import Vector, point_from_seed

AXES = tuple(tuple(row) for row in (np.eye(4) * np.array([[4.0], [3.0], [2.0], [1.0]]))[:3].tolist())
SPACE = StyleSpace(tuple(f"{2**i}×{2**i}" for i in range(2, 8)), 4, 5, 1.0, AXES)
INFO = GeneratorInfo(
    "net", "stylegan", OutputSpec("image", 8, 8, 3), (InputSpec("z", "latent", shape=(5,)),), styles=SPACE
)
PLACES = st.floats(-3, 3, width=32)


def start():
    return point_from_seed(INFO, 0)


def test_groups_cover_every_layer_once():
    parts = [styles.group(SPACE, name) for name in ("coarse", "middle", "fine")]
    assert sum(parts, ()) == styles.group(SPACE, "all") == tuple(range(6))
    full = StyleSpace(
        ("4×4", *(f"{2**i}×{2**i}{up}" for i in range(3, 11) for up in (" up", "")), "colour"), 512, 512
    )
    assert styles.group(full, "coarse") == (0, 1, 2)
    assert styles.group(full, "middle") == (3, 4, 5, 6)
    assert styles.group(full, "fine") == tuple(range(7, 18))


@pytest.mark.parametrize(
    ("text", "layers"), [("0", (0,)), ("1-3,5", (1, 2, 3, 5)), ("fine", (4, 5)), ("3,2,3", (2, 3))]
)
def test_layers_are_read(text, layers):
    assert styles.read_layers(SPACE, text) == layers


@pytest.mark.parametrize("text", ["", "6", "3-1", "-1", "a", "1-", "0-99", "1;2", "9999999999"])
def test_what_names_no_layers_is_refused(text):
    with pytest.raises(InputError, match="0 to 5"):
        styles.read_layers(SPACE, text)


@given(st.sets(st.integers(0, 5), min_size=1), st.integers(0, 2), PLACES, PLACES)
def test_a_place_along_a_direction_is_where_it_was_put(layers, index, first, second):
    point = styles.moved(SPACE, start(), layers, {index: first})
    point = styles.moved(SPACE, point, layers, {index: second, (index + 1) % 3: 1.0})
    found = styles.places(SPACE, point, layers)
    assert found[index] == pytest.approx(second, abs=1e-5)
    assert found[(index + 1) % 3] == pytest.approx(1.0, abs=1e-5)
    others = set(range(6)) - layers
    assert not styles.offsets(SPACE, point)[list(others)].any()


def test_directions_keep_what_layers_have_apart():
    point = styles.moved(SPACE, start(), [0], {3: 0.5}, principal=False)
    point = styles.moved(SPACE, point, [0, 1], {0: 1.0})
    array = styles.offsets(SPACE, point)
    assert array[0, 3] == 0.5
    assert np.allclose(array[:2, 0], 4.0)


def test_back_at_zero_leaves_the_point_as_it_was():
    point = styles.moved(SPACE, start(), [1, 2], {1: 2.0})
    assert styles.moved(SPACE, point, [1, 2], {1: 0.0}) == start()
    mixed = styles.mixed(SPACE, start(), [3], 1.0, 7)
    assert mixed.vector("mix") == styles.second_style(SPACE, 7)
    back = styles.mixed(SPACE, mixed, [3], 0.0)
    assert back.get("mix_layers") is None
    assert styles.mixed(SPACE, back, [4]).vector("mix") == mixed.vector("mix")  # the second style waits


@pytest.mark.parametrize("shape", [(4,), (1, 4), (6, 4), (1, 6, 4)])
def test_w_of_ones_own(shape):
    point = styles.with_w(INFO, start(), np.ones(shape))
    assert point.vector("w") == Vector(np.ones((6, 4), np.float32))


@pytest.mark.parametrize("array", [np.ones(3), np.ones((5, 4)), np.full((6, 4), np.nan), np.ones(())])
def test_a_w_that_does_not_fit_is_refused(array):
    with pytest.raises(InputError):
        styles.with_w(INFO, start(), array)


def test_w_is_read_as_the_projector_writes_it(tmp_path):
    w = np.random.RandomState(0).randn(1, 6, 4).astype(np.float32)
    np.savez(tmp_path / "projected_w.npz", w=w)
    np.save(tmp_path / "w.npy", w)
    for name in ("projected_w.npz", "w.npy"):
        assert np.array_equal(styles.read_w(tmp_path / name), w)


def hostile(folder):
    class Boom:
        def __reduce__(self):
            return print, ("executed",)

    np.savez(folder / "object.npz", w=np.array([Boom()], dtype=object))
    np.savez(folder / "names.npz", a=np.ones(4), b=np.ones(4))
    np.savez(folder / "text.npz", w=np.array(["a"]))
    (folder / "cut.npz").write_bytes((folder / "names.npz").read_bytes()[:200])
    (folder / "empty.npy").write_bytes(b"")
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999,), }"
    (folder / "huge.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes(80 << 20))
    return [folder / "missing.npz", *sorted(folder.iterdir())]


def test_hostile_w_files_are_sentences(tmp_path, capsys):
    for path in hostile(tmp_path):
        with pytest.raises(InputError, match=path.name.replace(".", r"\.")):
            styles.read_w(path)
    assert "executed" not in capsys.readouterr().out
