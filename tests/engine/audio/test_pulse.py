"""The whole way to a real audio server: a private PulseAudio with a null sink, whose monitor is recorded."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from igm_gui.engine.audio.output import NO_DEVICE, Opener
from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.sound import SoundEngine
from igm_gui.engine.audio.status import PlayerStatus
from igm_gui.engine.renderer import Renderer
from igm_gui.export import finish, save_timeline_sound
from igm_gui.formats import library
from igm_gui.formats.audio import read_sound
from igm_gui.formats.card import card_info, read_card
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import point_from_seed
from igm_gui.latent.vector import Vector
from igm_gui.timeline import Keyframe, Timeline
from tests.engine.audio.fakes import SineGenerator, tone
from tests.engine.audio.pulse import RATE, WAIT, Recorder, Server, enter


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("pulse"))
    yield made
    made.stop()


@pytest.fixture
def server(shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    enter(shared_server, monkeypatch)
    return shared_server


@pytest.fixture
def recorder(server: Server) -> Iterator[Recorder]:
    made = Recorder(server)
    yield made
    made.stop()


@pytest.fixture
def engine(server: Server) -> Iterator[SoundEngine]:
    made = SoundEngine(patient_player())
    yield made
    made.close()


def patient_player() -> Player:
    """With a longer buffer than the program's: a machine that runs tests may be busy with others, and it
    is not its speed that is tested here (benchmarks/audio.py does that)."""
    return Player(Opener(latency=0.35))


@pytest.fixture(autouse=True)
def _longer_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("igm_gui.engine.audio.live.LEAD", 0.3)


def frequency(sound: np.ndarray) -> float:
    """Hz of the strongest partial, to about 0.001 %: the slope of the phase of the band around it."""
    x = sound[:, 0].astype(np.float64)
    spectrum = np.fft.rfft(x * np.hanning(len(x)))
    peak = int(np.abs(spectrum).argmax())
    keep = np.zeros(len(x), complex)
    width = int(30 * len(x) / RATE)
    keep[max(peak - width, 0) : peak + width] = np.fft.fft(x)[max(peak - width, 0) : peak + width]
    phase = np.unwrap(np.angle(np.fft.ifft(keep)))
    middle = slice(len(x) // 10, -len(x) // 10)
    return float(np.polyfit(np.arange(len(x))[middle], phase[middle], 1)[0] * RATE / (2 * np.pi))


def loud(sound: np.ndarray) -> np.ndarray:
    """From the first to the last frame that is not silent."""
    there = np.flatnonzero(np.abs(sound).max(axis=1) > 1e-4)
    return sound[there[0] : there[-1] + 1]


def until_quiet(player: Player) -> PlayerStatus:
    deadline = time.monotonic() + WAIT
    while (status := player.status()).playing:
        assert time.monotonic() < deadline
        assert player._thread is not None
        player._thread.join(0.02)
    return status


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
def test_a_clip_arrives_whole(engine: SoundEngine, recorder: Recorder, rate: int) -> None:
    engine.play(tone(440.0, 1.5, rate), rate)
    status = until_quiet(engine.player)
    assert status.underruns == 0
    assert status.real
    engine.close()
    sound = loud(recorder.until(lambda sound: not sound[-RATE // 5 :].any()))
    assert frequency(sound) == pytest.approx(440.0, rel=1e-3)
    assert len(sound) / RATE == pytest.approx(1.5, abs=0.01)
    # Neither a dropout nor a click: no step is steeper than the sine's own.
    assert np.abs(np.diff(sound, axis=0)).max() < 0.5 * 0.8 * 2 * np.pi * 440 / RATE * 1.3 or rate != RATE
    assert np.abs(np.diff(sound, n=2, axis=0)).max() < 0.02


def test_live_frequency_moves_without_clicks(server: Server, recorder: Recorder) -> None:
    generator = SineGenerator()
    engine = SoundEngine(patient_player(), lambda _model: generator)
    try:
        engine.go_live("sine", generator.point(440.0))
        recorder.until(lambda sound: bool(np.abs(sound[-RATE // 10 :]).max(initial=0) > 0.1))
        steady = recorder.seconds(1.5)
        assert frequency(steady) == pytest.approx(440.0, rel=1e-3)
        start = len(recorder.sound())
        for step in range(60):
            engine.move(generator.point(440.0 + 5 * step))
            recorder.seconds(0.02)
        moved = recorder.sound()[start:]
        quiet = np.abs(moved).max(axis=1) < 1e-5
        assert np.convolve(quiet, np.ones(8), "valid").max() != 8  # no dropout
        limit = 0.5 * 2 * np.pi * 740 / RATE
        assert np.abs(np.diff(moved, axis=0)).max() < limit * 1.1
        status = engine.status()
        assert status.player.underruns == 0
        assert status.live is not None
        assert status.live.real_time_factor < 0.5
        end = recorder.seconds(1.6)[-RATE // 2 :]
        assert frequency(end) == pytest.approx(735.0, rel=1e-3)
    finally:
        engine.close()


def test_the_bundled_generator_live_while_z_moves(engine: SoundEngine, recorder: Recorder) -> None:
    path = library.find("additive")
    info = card_info(read_card(path), path)
    spec = info.latent
    assert spec is not None
    still = point_from_seed(info).with_value("pitch", 69.0).with_value("z", Vector(np.zeros(spec.shape)))
    engine.go_live("additive", still)
    recorder.until(lambda sound: bool(np.abs(sound[-RATE // 10 :]).max(initial=0) > 0.02))
    start = len(recorder.sound())
    for step in range(100):
        z = 0.8 * np.sin(0.1 * step + np.arange(spec.size))
        z[12:15] = 0.0  # neither stretch, vibrato nor tremolo: the pitch is to be measured
        engine.move(still.with_value("z", Vector(z, spec.shape)))
        recorder.seconds(0.02)
    sound = recorder.sound()[start:]
    status = engine.status()
    assert status.player.underruns == 0
    assert status.live is not None
    assert status.live.real_time_factor < 0.8
    assert engine.take_error() is None
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)), 1 << 21))
    hertz = np.fft.rfftfreq(1 << 21, 1 / RATE)
    near = (hertz > 400) & (hertz < 480)
    assert hertz[near][spectrum[near].argmax()] == pytest.approx(440.0, rel=1e-3)


def test_a_model_at_another_rate_takes_over_without_a_gap(server: Server, recorder: Recorder) -> None:
    models = {"one": SineGenerator(RATE), "two": SineGenerator(24_000)}
    engine = SoundEngine(patient_player(), models.__getitem__)
    try:
        engine.go_live("one", models["one"].point(440.0))
        recorder.until(lambda sound: bool(np.abs(sound[-RATE // 10 :]).max(initial=0) > 0.1))
        recorder.seconds(0.5)
        start = len(recorder.sound())
        engine.go_live("two", models["two"].point(660.0))
        recorder.seconds(2.0)
        sound = recorder.sound()[start:]
        assert frequency(sound[-RATE:]) == pytest.approx(660.0, rel=1e-3)
        quiet = np.abs(sound).max(axis=1) < 1e-3
        assert np.convolve(quiet, np.ones(48), "valid").max() < 48
        assert np.abs(np.diff(sound, n=2, axis=0)).max() < 0.02
        assert engine.status().player.underruns == 0
    finally:
        engine.close()


def test_a_change_of_latency_while_it_plays_makes_no_click(engine: SoundEngine, recorder: Recorder) -> None:
    engine.play(tone(440.0, 1.0), RATE, loop=True)
    recorder.until(lambda sound: bool(np.abs(sound[-RATE // 10 :]).max(initial=0) > 0.1))
    steepest = []
    for latency in (0.15, 0.3, 0.15):  # a machine that stalls just then makes a click of its own
        start = len(recorder.sound())
        engine.set_latency(latency)
        recorder.seconds(1.5)
        sound = recorder.sound()[start:]
        assert engine.status().player.playing
        assert np.abs(sound[-RATE // 4 :]).max() > 0.1
        steepest.append(float(np.abs(np.diff(sound, axis=0)).max()))
    # Cut off in mid-swing it would jump by up to 0.5.
    assert sorted(steepest)[1] < 0.5 * 2 * np.pi * 440 / RATE * 1.1


@pytest.mark.parametrize("model", ["additive", "drums"])
def test_a_timeline_is_heard_as_it_is_exported(
    model: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = library.find(model)
    info = card_info(read_card(path), path)
    server = Server(tmp_path_factory.mktemp("pulse"), info.output.sample_rate)  # nobody resamples
    enter(server, monkeypatch)
    engine, recorder = SoundEngine(patient_player()), Recorder(server)
    try:
        hear_a_timeline(model, info, engine, recorder, tmp_path / "timeline.wav")
    finally:
        recorder.stop()
        engine.close()
        server.stop()


def hear_a_timeline(
    model: str, info: GeneratorInfo, engine: SoundEngine, recorder: Recorder, file: Path
) -> None:
    first, last = point_from_seed(info, 3), point_from_seed(info, 4)
    timeline = Timeline((Keyframe(0.0, first), Keyframe(2.5, last)), length=2.5, loop=False)
    finish(save_timeline_sound(file, model, timeline, "cpu", samples="FLOAT"), Renderer())
    written, rate = read_sound(file)
    wanted = np.repeat(written.T, 2, axis=1)
    engine.go_timeline(model, timeline, 0.0)
    recorder.until(lambda sound: bool(np.abs(sound[-rate // 10 :]).max(initial=0) > 0.02))
    stream = engine.timeline
    assert stream is not None
    places = []
    while (heard := stream.heard) is not None:
        places.append(heard.place)
        recorder.seconds(0.05)
    recorder.seconds(0.5)
    sound = recorder.sound()
    # Where the recording lines up with the file.
    size = 1 << int(np.ceil(np.log2(len(sound) + len(wanted))))
    match = np.fft.irfft(np.fft.rfft(sound[:, 0], size) * np.conj(np.fft.rfft(wanted[:, 0], size)), size)
    start = int(match.argmax())
    same = sound[start : start + len(wanted)]
    settled = round(0.03 * rate) if model == "additive" else 0  # a stream is faded in
    assert len(same) == len(wanted)
    # A network's last bits depend on how many it makes at once, and on how many threads.
    limit = 1e-5 if model == "additive" else 1e-3
    assert np.abs(same - wanted)[settled:].max() < limit
    assert not sound[start + len(wanted) + rate // 100 :].any()
    assert engine.status().player.underruns == 0
    assert np.diff(places).min() > -0.1  # a device takes several blocks at once
    assert places[-1] == pytest.approx(2.5, abs=0.15)


def test_a_server_that_dies_is_said_and_does_no_harm(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path_factory.mktemp("pulse-dies"))
    enter(server, monkeypatch)
    player = Player()
    try:
        player.play(tone(seconds=1.0), RATE, loop=True)
        deadline = time.monotonic() + WAIT
        while not (player.status().real and player.status().position > 0.1):
            assert time.monotonic() < deadline
            assert player._thread is not None
            player._thread.join(0.02)
        server.stop()
        while not player.notices:
            assert time.monotonic() < deadline
            player._thread.join(0.02)
        assert "stopped playing" in player.notices[0]
        assert "unheard" in player.notices[0]
        status = player.status()
        assert status.playing
        assert not status.real
        assert status.device == NO_DEVICE
        server.start()  # and once it is back, so is the sound
        while not player.news:
            assert time.monotonic() < deadline
            player._thread.join(0.02)
        assert "plays again" in player.news[0]
        recorder = Recorder(server)
        try:
            back = recorder.until(lambda sound: bool(np.abs(sound[-RATE // 10 :]).max(initial=0) > 0.1))
            assert frequency(recorder.seconds(0.5)) == pytest.approx(440.0, rel=1e-3)
            assert np.abs(np.diff(loud(back), n=2, axis=0)).max() < 0.02
        finally:
            recorder.stop()
    finally:
        server.stop()
        player.close()


def test_without_a_server_there_is_the_null_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'nobody.sock'}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    opener = Opener()
    output, notice = opener.open("", RATE)
    if not output.real:  # this machine may have a sound card
        assert output.name == NO_DEVICE
        assert "No sound device" in notice or "can't play" in notice
    output.close()


def test_looking_for_devices_writes_nothing_to_the_terminal(tmp_path: Path) -> None:
    code = "from igm_gui.engine.audio.output import Opener; Opener().look()"
    nobody = {**os.environ, "PULSE_SERVER": f"unix:{tmp_path / 'nobody.sock'}"}
    done = subprocess.run([sys.executable, "-c", code], env=nobody, capture_output=True, check=True)
    assert done.stderr == b""


def test_without_the_library_there_is_the_null_output(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real_import = builtins.__import__

    def no_library(name: str, *rest: object, **more: object) -> object:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real_import(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", no_library)
    output, notice = Opener().open("", RATE)
    assert not output.real
    assert "PortAudio library is missing" in notice
    assert "libportaudio2" in notice


def test_a_device_that_is_gone_is_replaced_by_the_default(server: Server) -> None:
    opener = Opener()
    output, notice = opener.open("The old headphones", RATE)
    try:
        assert output.real
        assert "The old headphones is not connected" in notice
    finally:
        output.close()
    assert {device.name for device in opener.devices} >= {"pulse"}
    assert sum(device.default for device in opener.devices) == 1
