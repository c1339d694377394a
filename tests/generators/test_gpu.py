"""What decides on a GPU, on a device that only pretends: recordings, their end, the way back of pictures."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from igm_gui.errors import ModelError
from igm_gui.generators import readback, registry
from igm_gui.generators.cuda import WARM_UPS, Accelerator, Cuda, accelerator
from igm_gui.generators.graphs import Graphs
from igm_gui.generators.readback import Readback
from igm_gui.latent.point import point_from_seed

STYLEGAN = Path(__file__).parent.parent / "data" / "stylegan"


class Moment:
    def __init__(self, now):
        self.now = now

    def elapsed_time(self, end):
        return 1000 * (end.now - self.now)

    def synchronize(self):
        pass


class PretendedGpu:
    """Records by remembering the call. ``frozen`` replays nothing; ``fails`` is raised while recording."""

    def __init__(self, plain=1.0, replayed=0.5, frozen=False, fails=None, late=False):
        self.plain, self.replayed, self.frozen, self.fails, self.late = plain, replayed, frozen, fails, late
        self.recorded = self.replays = self.marks = 0
        self.now = 0.0
        self.replaying = False
        self.locked = []

    def record(self, run):
        if self.fails is not None:
            raise self.fails
        self.recorded += 1
        output = run().clone()

        def replay():
            self.replays += 1
            self.now += self.replayed
            if not self.frozen:
                output.copy_(run())

        return replay, output

    def seconds(self, run):
        before, replays = self.now, self.replays
        run()
        if self.replays == replays:
            self.now += self.plain
        return self.now - before

    def mark(self):
        self.marks += 1
        return Moment(self.now)

    def pinned(self, count):
        self.locked.append(count)
        return torch.empty(count, dtype=torch.uint8)

    def send(self, source, target):
        """The copy happens at once, or, where it is ``late``, only when it is waited for."""
        if not self.late:
            target.copy_(source)
            return lambda: None
        return lambda: target.copy_(source)


def double(batch):
    return 2 * batch["z"]


def numbers(*shape, start=0.0):
    return torch.arange(start, start + np.prod(shape)).reshape(*shape)


def asked(graphs, *requests, network=double):
    return [graphs.run(network, {"z": z}).clone() for z in requests]


def test_the_third_request_is_replayed_with_its_own_inputs():
    gpu = PretendedGpu()
    graphs = Graphs(gpu)
    seen = asked(graphs, *(numbers(1, 4, start=s) for s in range(5)))
    assert [float(x[0, 0]) for x in seen] == [0, 2, 4, 6, 8]
    assert gpu.recorded == 1
    replays = gpu.replays
    asked(graphs, numbers(1, 4, start=9))
    assert gpu.replays == replays + 1


def test_each_shape_has_its_own_and_the_least_used_goes():
    gpu = PretendedGpu()
    graphs = Graphs(gpu, kept=2)
    for count in (1, 2, 3):
        asked(graphs, *[numbers(count, 2)] * 3)
    assert gpu.recorded == 3
    asked(graphs, *[numbers(3, 2)] * 2)
    assert gpu.recorded == 3
    asked(graphs, *[numbers(1, 2)] * 2)
    assert gpu.recorded == 4
    asked(graphs, *[numbers(3, 2).double()] * 2)
    assert gpu.recorded == 5  # another precision is another recording


@pytest.mark.parametrize(
    "error",
    [RuntimeError("operation not permitted when stream is capturing\nmore"), torch.OutOfMemoryError("full")],
    ids=["syncs", "memory"],
)
def test_what_cannot_be_recorded_runs_plainly_and_is_not_tried_again(error):
    gpu = PretendedGpu(fails=error)
    graphs = Graphs(gpu)
    seen = asked(graphs, *(numbers(1, 4, start=s) for s in range(3)))
    assert [float(x[0, 0]) for x in seen] == [0, 2, 4]
    assert graphs.failure == str(error).splitlines()[0]
    gpu.fails = None
    asked(graphs, *[numbers(1, 4)] * 3)
    assert gpu.recorded == 0
    graphs.clear()
    assert not graphs.failure
    asked(graphs, *[numbers(1, 4)] * 3)
    assert gpu.recorded == 1


def test_a_replay_that_gives_something_else_is_not_used():
    gpu = PretendedGpu(frozen=True)
    graphs = Graphs(gpu)
    seen = asked(graphs, *(numbers(1, 4, start=s) for s in (0, 5, 9)))
    assert [float(x[0, 0]) for x in seen] == [0, 10, 18]
    assert "something else" in graphs.failure


@pytest.mark.parametrize(("replayed", "used"), [(0.5, True), (0.95, False), (2.0, False)])
def test_a_recording_has_to_be_faster(replayed, used):
    gpu = PretendedGpu(replayed=replayed)
    graphs = Graphs(gpu)
    asked(graphs, *[numbers(1, 4)] * 2)
    before = gpu.replays
    asked(graphs, *[numbers(1, 4)] * 4)
    assert (gpu.replays - before) == (4 if used else 0)
    assert gpu.recorded == 1
    assert not graphs.failure


def test_the_short_way_is_taken_wherever_nothing_is_replayed():
    gpu = PretendedGpu(replayed=2.0)
    graphs = Graphs(gpu)
    ways = []

    def shortly(z):
        ways.append("short")
        return 2 * z

    for start in range(4):
        z = numbers(1, 3, start=start)
        assert torch.equal(graphs.run(double, {"z": z}, lambda z=z: shortly(z)), 2 * z)
    assert ways == ["short"] * 4


def test_the_networks_own_error_is_its_own():
    def refuses(_):
        raise ModelError("no")

    graphs = Graphs(PretendedGpu())
    for _ in range(2):
        with pytest.raises(ModelError):
            graphs.run(refuses, {"z": numbers(1, 2)})


# -- the way back


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    st.sampled_from([torch.uint8, torch.float32]),
    st.integers(1, 40),
    st.booleans(),
)
def test_what_comes_back_is_what_was_made(shape, dtype, piece, late):
    made = torch.arange(int(np.prod(shape))).reshape(shape).to(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readback, "PIECE", piece)
        back = Readback(PretendedGpu(late=late))
        first = back.take(made)
        np.testing.assert_array_equal(first, made.numpy())
        back.take(made + 1)
        np.testing.assert_array_equal(first, made.numpy())  # no later picture writes into it
    assert first.dtype == made.numpy().dtype


def test_buffers_grow_with_the_picture_and_no_further_than_a_piece():
    gpu = PretendedGpu()
    back = Readback(gpu)
    for side in (8, 16, 8, 16, 3000, 4000):
        back.take(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    assert gpu.locked == [192, 192, 768, 768, readback.PIECE, readback.PIECE]


def test_without_locked_memory_it_comes_the_ordinary_way():
    class Full(PretendedGpu):
        def pinned(self, count):
            super().pinned(count)
            raise RuntimeError("cudaErrorMemoryAllocation")

    gpu = Full()
    back = Readback(gpu)
    for start in (0, 3):
        np.testing.assert_array_equal(
            back.take(numbers(2, 3, start=start)), numbers(2, 3, start=start).numpy()
        )
    assert len(gpu.locked) == 1


# -- a whole generator


@pytest.fixture(params=["fashion-gan", "stylegan2-32-unconditional.pkl", "stylegan3-t-32.pkl", "drums"])
def generator(request):
    name = request.param
    return registry.load(str(STYLEGAN / name) if name.endswith(".pkl") else name)


def test_a_generator_renders_the_same_there(generator):
    points = [[point_from_seed(generator.info, seed)] for seed in range(4)]
    here = [generator.render(one) for one in points]
    gpu = PretendedGpu()
    generator.accelerator = Accelerator(gpu)
    there = [generator.render(one) for one in points]
    for a, b in zip(here, there, strict=True):
        assert a.dtype == b.dtype
        assert b.flags["C_CONTIGUOUS"]
        np.testing.assert_allclose(
            a.astype(np.float64), b.astype(np.float64), atol=1 if a.dtype == np.uint8 else 1e-5
        )
    assert gpu.recorded == 1
    assert gpu.replays > 2
    assert gpu.marks >= 8
    assert generator.model_seconds == pytest.approx(0.5)  # a replay's


@pytest.mark.parametrize("generator", ["stylegan2-32-unconditional.pkl"], indirect=True)
def test_other_numbers_end_what_was_recorded(generator):
    gpu = PretendedGpu()
    generator.accelerator = Accelerator(gpu)
    generator._arrange(generator.tuned.arrangement)
    for _ in range(2):
        for seed in range(3):
            generator.render([point_from_seed(generator.info, seed)])
        generator._arrange(generator.tuned.arrangement)
    assert gpu.recorded == 2


@pytest.mark.parametrize("generator", ["stylegan2-32-unconditional.pkl"], indirect=True)
def test_with_noise_or_without_it_is_another_recording(generator):
    gpu = PretendedGpu()
    plain = {}
    for noise in (1.0, 0.0, 2.0):
        point = point_from_seed(generator.info, 5).with_value("noise", noise)
        plain[noise] = generator.render([point])
    generator.accelerator = Accelerator(gpu)
    for _ in range(3):
        for noise, wanted in plain.items():
            point = point_from_seed(generator.info, 5).with_value("noise", noise)
            seen = generator.render([point])
            assert np.abs(seen.astype(int) - wanted.astype(int)).max() <= 1
    assert gpu.recorded == 2


@pytest.mark.parametrize("generator", ["fashion-gan"], indirect=True)
def test_full_memory_costs_the_recordings_first(generator):
    gpu = PretendedGpu()
    generator.accelerator = Accelerator(gpu)
    point = [point_from_seed(generator.info, 0)]
    for _ in range(3):
        generator.render(point)
    forward, calls = generator.forward, []

    def full(batch):
        calls.append(1)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("full")
        return forward(batch)

    generator.forward = full
    generator.render(point * 2)  # another shape: run plainly, and the memory is full
    assert len(calls) == 2
    assert "memory" in generator.accelerator.graphs.failure
    calls.clear()
    with pytest.raises(torch.OutOfMemoryError):
        generator.render(point * 2)  # there is nothing left to give back


class Driver:
    """torch.cuda, as far as it is asked: writes down what happens on which stream."""

    def __init__(self, monkeypatch, fails=False):
        self.log, self.fails, self.current = [], fails, "main"
        driver = self

        class Stream:
            def __init__(self, _device=None):
                self.name = "side"

            def wait_stream(self, other):
                driver.log.append(f"{self.name} waits for {other.name}")

        main = Stream()
        main.name = "main"

        @contextmanager
        def on(stream):
            before, driver.current = driver.current, stream.name
            yield
            driver.current = before

        class Recording:
            def __init__(self, _graph, stream, capture_error_mode):
                self.stream = stream
                driver.log.append(f"recording, {capture_error_mode}")

            def __enter__(self):
                driver.current = self.stream.name

            def __exit__(self, *_):
                if driver.fails:
                    raise RuntimeError("capture was invalidated")  # and the stream stays, as in torch
                driver.current = "main"

        for name, value in {
            "current_stream": lambda _device: main,
            "Stream": Stream,
            "stream": on,
            "set_stream": lambda stream: setattr(driver, "current", stream.name),
            "CUDAGraph": lambda: SimpleNamespace(replay="replay"),
            "graph": Recording,
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)

    def run(self):
        self.log.append(f"network on {self.current}")
        return "output"


def test_the_real_device_warms_up_beside_and_records(monkeypatch):
    driver = Driver(monkeypatch)
    assert Cuda(torch.device("cuda")).record(driver.run) == ("replay", "output")
    assert driver.log == [
        "side waits for main",
        *["network on side"] * WARM_UPS,
        "main waits for side",
        "recording, thread_local",
        "network on side",
    ]
    assert driver.current == "main"


def test_a_failed_recording_leaves_the_real_device_where_it_was(monkeypatch):
    driver = Driver(monkeypatch, fails=True)
    with pytest.raises(RuntimeError, match="invalidated"):
        Cuda(torch.device("cuda")).record(driver.run)
    assert driver.current == "main"


def test_this_torch_has_what_the_real_device_asks_for():
    recording = inspect.signature(torch.cuda.graph.__init__).parameters
    assert {"cuda_graph", "stream", "capture_error_mode"} <= set(recording)
    assert {"wait_stream"} <= set(dir(torch.cuda.Stream))
    assert {"record", "synchronize", "elapsed_time"} <= set(dir(torch.cuda.Event))
    assert {"replay"} <= set(dir(torch.cuda.CUDAGraph))


def test_a_processor_needs_none_of_it():
    assert accelerator(torch.device("cpu")) is None
    assert accelerator(torch.device("mps")) is None
