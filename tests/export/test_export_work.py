"""What all exports share: batches, encoding beside the rendering, folders that appear whole, names."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import numpy as np
import pytest

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import DeviceError
from igm_gui.export.work import batch_size, batches, encoding, folder_of_files, safe_name
from igm_gui.latent.point import point_from_seed
from igm_gui.requests import RenderRequest, RenderResult

MODEL = "uniform-pixels"


class Forgetful(Renderer):
    """Has memory for three renderings at a time."""

    def __init__(self, inner: Renderer) -> None:
        super().__init__()
        self._loaded, self._resolved, self.sizes = inner._loaded, inner._resolved, []

    def render(self, request: RenderRequest) -> RenderResult:
        self.sizes.append(len(request.points))
        if len(request.points) > 3:
            return RenderResult(request, error=DeviceError("There is not enough memory."))
        return super().render(request)


def test_batches_get_smaller_where_memory_runs_out(renderer, pixels):
    points = [point_from_seed(pixels, i) for i in range(7)]
    forgetful = Forgetful(renderer)
    parts = list(batches(forgetful, MODEL, points, batch=8))
    assert forgetful.sizes == [7, 4, 2, 2, 2, 1]
    assert [start for start, _ in parts] == [0, 2, 4, 6]
    assert (np.concatenate([m for _, m in parts]) == renderer.media(MODEL, points)).all()


def test_batches_fit_the_model(pixels):
    from dataclasses import replace

    from igm_gui.info import OutputSpec

    assert batch_size(pixels, "cpu") == 64
    assert batch_size(replace(pixels, output=OutputSpec("image", 64, 64, 3)), "cpu") == 32
    assert batch_size(replace(pixels, output=OutputSpec("image", 128, 128, 3)), "cpu") == 2
    assert batch_size(replace(pixels, output=OutputSpec("image", 1024, 1024, 3)), "cpu") == 1
    assert batch_size(replace(pixels, output=OutputSpec("image", 1024, 1024, 3)), "cuda") == 8


def test_an_encoders_fault_reaches_the_export():
    def fail(number: int) -> None:
        if number == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    def run() -> None:
        with encoding(ahead=2) as encoder:
            for i in range(10):
                encoder.add(fail, i)

    with pytest.raises(OSError, match="No space"):
        run()


def test_encoders_keep_their_order_on_one_thread():
    seen: list[int] = []
    with encoding(threads=1, ahead=3) as encoder:
        for i in range(50):
            encoder.add(seen.append, i)
    assert seen == list(range(50))


def test_a_folder_appears_whole(tmp_path):
    def looked() -> Iterator[bool]:
        with folder_of_files(tmp_path / "out") as temporary:
            (temporary / "a").write_text("a")
            yield (tmp_path / "out").exists()
        yield (tmp_path / "out").exists()

    assert list(looked()) == [False, True]
    assert (tmp_path / "out" / "a").read_text() == "a"
    assert (tmp_path / "out").stat().st_mode & 0o444 == 0o444 & ~_umask()


def _umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("text", "name"),
    [("a/b\\c", "a-b-c"), ("..", "model"), ("ankle boot", "ankle-boot"), ("x" * 300, "x" * 80)],
)
def test_names_are_safe_in_files(text, name):
    assert safe_name(text) == name
