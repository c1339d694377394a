"""Requests in, results out, with generators that do as the test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from igm_gui.engine import devices
from igm_gui.engine.renderer import Renderer, scaled
from igm_gui.errors import DeviceError, InputError, ModelError
from igm_gui.generators import registry
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderRequest

INFO = GeneratorInfo(
    "fake", "fake", OutputSpec("image", 8, 4, 3), (InputSpec("z", "latent", shape=(4,)),), sha256="ab"
)


class Device:
    def __init__(self, name: str) -> None:
        self.type = name


class FakeGenerator:
    """Gives even pictures of the seed's brightness; ``script`` is raised, one for each call."""

    try_threads = False

    def __init__(self, info: GeneratorInfo = INFO, script: Sequence[BaseException | None] = ()) -> None:
        self.info, self.script = info, list(script)
        self.to_script: list[BaseException | None] = []
        self.network = None
        self.device = Device("cpu")
        self.model_seconds = 0.25
        self.calls = 0

    def to(self, device: str) -> None:
        self.device = Device(device)
        if device != "cpu" and self.to_script and (error := self.to_script.pop(0)):
            raise error

    def render(self, points: Sequence[LatentPoint]) -> np.ndarray:
        self.calls += 1
        if self.script and (error := self.script.pop(0)):
            raise error
        return np.stack([np.full((8, 4, 3), point.seed or 0, np.uint8) for point in points])


@pytest.fixture
def use(monkeypatch) -> Callable[..., FakeGenerator]:
    """``use(generator, device=...)``: what any model name loads, and the device found on this machine."""
    loads: list[str] = []

    def use(generator: Any, device: str = "cpu") -> Any:
        def load(model: str) -> Any:
            loads.append(model)
            if isinstance(generator, BaseException):
                raise generator
            return generator

        monkeypatch.setattr(registry, "load", load)
        monkeypatch.setattr(devices, "resolve", lambda choice: device if choice == "auto" else choice)
        return generator

    use.loads = loads  # type: ignore[attr-defined]
    return use


def request(*seeds: int, **extra: Any) -> RenderRequest:
    return RenderRequest("m", tuple(point_from_seed(INFO, seed) for seed in seeds), **extra)


FULL = RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")


def test_points_become_media(use):
    use(FakeGenerator())
    result = Renderer().render(request(3, 9))
    assert result.ok
    assert result.media.shape == (2, 8, 4, 3)
    assert result.media[:, 0, 0, 0].tolist() == [3, 9]
    assert result.info is INFO
    assert result.model_seconds == 0.25
    assert result.device == "cpu"


def test_a_request_without_points_only_loads(use):
    generator = use(FakeGenerator())
    result = Renderer().render(request())
    assert result.ok
    assert result.info is INFO
    assert result.media is None
    assert generator.calls == 0


def test_a_model_is_loaded_once_and_the_least_used_goes(use):
    use(FakeGenerator())
    renderer = Renderer(kept=2)
    for model in ("a", "a", "b", "a", "c", "a", "b"):
        renderer.generator(model)
    assert use.loads == ["a", "b", "c", "b"]
    renderer.forget("b")
    renderer.generator("b")
    assert use.loads == ["a", "b", "c", "b", "b"]


def test_a_point_that_does_not_fit_is_an_error_unless_it_may_be_fitted(use):
    use(FakeGenerator())
    stranger = LatentPoint((("z", Vector([1.0])),), 5)
    renderer = Renderer()
    failed = renderer.render(RenderRequest("m", (stranger,)))
    assert isinstance(failed.error, InputError)
    assert failed.info is INFO
    assert renderer.render(RenderRequest("m", (stranger,), conform=True)).ok


def test_pictures_are_made_small_for_thumbnails(use):
    use(FakeGenerator())
    result = Renderer().render(request(3, width=4))
    assert result.media.shape == (1, 4, 2, 3)
    assert (result.media == 3).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_scaling_keeps_what_already_fits(channels):
    media = np.zeros((2, 8, 6, channels), np.uint8)
    assert scaled(media, 0) is media
    assert scaled(media, 8) is media
    assert scaled(media, 5).shape == (2, 5, 4, channels)
    assert scaled(media, 1).shape == (2, 1, 1, channels)


def test_a_full_gpu_while_rendering_falls_back_to_the_cpu(use):
    generator = use(FakeGenerator(script=[FULL]), "cuda")
    result = Renderer().render(request(3))
    assert result.ok
    assert result.device == "cpu"
    assert result.notice == "The cuda device ran out of memory; fake runs on the CPU now."
    assert generator.calls == 2


def test_a_full_gpu_while_loading_falls_back_to_the_cpu(use):
    generator = FakeGenerator()
    generator.to_script = [FULL]
    use(generator, "cuda")
    renderer = Renderer()
    result = renderer.render(request(3))
    assert (result.ok, result.device) == (True, "cpu")
    assert "cuda" in result.notice
    assert renderer.render(request(3)).notice == ""


def test_another_fault_on_the_gpu_is_not_taken_for_a_full_one(use):
    generator = use(FakeGenerator(script=[RuntimeError("device-side assert")]), "cuda")
    result = Renderer().render(request(3))
    assert isinstance(result.error, ModelError)
    assert generator.device.type == "cuda"


def test_a_full_cpu_is_said(use):
    use(FakeGenerator(script=[RuntimeError("DefaultCPUAllocator: out of memory"), MemoryError()]))
    renderer = Renderer()
    assert isinstance(renderer.render(request(3)).error, ModelError)
    full = renderer.render(request(3)).error
    assert isinstance(full, DeviceError)
    assert "not enough memory" in full.message
    assert renderer.render(request(3)).ok


def test_a_crashing_network_is_an_error_with_its_traceback(use):
    use(FakeGenerator(script=[ZeroDivisionError("by zero")]))
    error = Renderer().render(request(3)).error
    assert isinstance(error, ModelError)
    assert "m failed while running: by zero" in error.message
    assert "ZeroDivisionError" in error.details


def test_a_model_that_does_not_load_is_an_error(use):
    use(ModelError("It is a sandwich.", "Bring a model."))
    result = Renderer().render(request(3))
    assert result.info is None
    assert str(result.error) == "It is a sandwich. Bring a model."


def test_media_raises_what_render_says(use):
    use(FakeGenerator(script=[None, ModelError("No.")]))
    renderer = Renderer()
    assert renderer.media("m", request(3).points).shape == (1, 8, 4, 3)
    with pytest.raises(ModelError, match="No"):
        renderer.media("m", request(3).points)


def test_a_device_that_is_not_here_is_named():
    assert devices.resolve("cpu") == "cpu"
    missing = next(d for d in ("mps", "cuda") if d not in devices.available())
    with pytest.raises(DeviceError, match=f"no {missing} device") as caught:
        devices.resolve(missing)
    assert "cpu" in caught.value.hint


def test_the_same_request_gives_the_same_bytes():
    renderer = Renderer()
    info = renderer.generator("uniform-pixels")[0].info
    asked = RenderRequest("uniform-pixels", (point_from_seed(info, 1), point_from_seed(info, 2)))
    first, second = (renderer.render(asked).media for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.tobytes() == second.tobytes()
    assert first.dtype == np.uint8
    assert first.flags.c_contiguous
