"""Sounds as WAV, from a generator that streams and from one that does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from igm_gui.engine.loop import Job
from igm_gui.errors import Cancelled, ExportError
from igm_gui.export import finish, save_singles, save_sound, save_timeline_sound
from igm_gui.formats import audio
from igm_gui.latent.point import point_from_seed
from igm_gui.session.recipes import restore_file
from igm_gui.timeline import Keyframe, Timeline


def sound_of(path: Path) -> tuple[np.ndarray, int]:
    return soundfile.read(path, dtype="float32", always_2d=True)


def timeline_of(info, seconds: float = 1.0) -> Timeline:
    frames = tuple(Keyframe(i * seconds / 2, point_from_seed(info, i)) for i in range(2))
    return Timeline(frames, length=seconds)


@pytest.fixture(scope="module")
def additive(renderer):
    return renderer.generator("additive")[0].info


def test_a_point_is_its_whole_rendering(renderer, additive, tmp_path):
    point = point_from_seed(additive, 3)
    finish(save_sound(tmp_path / "a.wav", "additive", point), renderer)
    sound, rate = sound_of(tmp_path / "a.wav")
    want = renderer.media("additive", [point])[0]
    assert rate == additive.output.sample_rate
    np.testing.assert_allclose(sound.T, want, atol=1e-4)
    assert restore_file(tmp_path / "a.wav").changes["point"] == point


def test_a_stream_can_be_any_length(renderer, additive, tmp_path):
    point = point_from_seed(additive, 3)
    finish(save_sound(tmp_path / "a.wav", "additive", point, seconds=0.55), renderer)
    sound, rate = sound_of(tmp_path / "a.wav")
    assert len(sound) == round(0.55 * rate)
    assert np.abs(sound).max() > 0.01


def test_a_streamed_timeline_has_its_length_and_no_clicks(renderer, additive, tmp_path):
    timeline = timeline_of(additive)
    finish(save_timeline_sound(tmp_path / "a.wav", "additive", timeline), renderer)
    sound, rate = sound_of(tmp_path / "a.wav")
    assert len(sound) == rate
    assert np.abs(sound).max() > 0.01
    # A click is a jump: where blocks meet, neighbours differ no more than they do elsewhere.
    jumps = np.abs(np.diff(sound[:, 0]))
    size = rate // 25
    seams = jumps[size - 1 :: size]
    assert seams.max() <= 1.5 * np.quantile(jumps, 0.999) + 1e-4
    assert restore_file(tmp_path / "a.wav").changes["timeline"] == timeline


def test_a_timeline_of_single_sounds_is_laid_end_to_end(renderer, one_shot, tmp_path):
    info = renderer.generator(one_shot)[0].info
    finish(save_timeline_sound(tmp_path / "a.wav", one_shot, timeline_of(info, 2.0)), renderer)
    sound, rate = sound_of(tmp_path / "a.wav")
    assert (len(sound), rate) == (16000, 8000)
    hop = 4000 - 80
    starts = list(range(0, 16000 - 10, hop))
    for start in starts:  # each attack is where it should be and keeps its strength
        assert sound[start + 8, 0] == pytest.approx(0.9, abs=0.5)
        assert np.abs(sound[start : start + 9, 0]).argmax() == 8
    smooth = np.delete(np.abs(np.diff(sound[:, 0])), [s + k for s in starts for k in (7, 8)])
    assert smooth.max() < 0.5
    assert np.abs(sound).max() <= 1.0


def test_single_sounds_each_bring_their_point_back(renderer, one_shot, tmp_path):
    info = renderer.generator(one_shot)[0].info
    points = [point_from_seed(info, i) for i in range(3)]
    finish(save_singles(tmp_path / "out", one_shot, points), renderer)
    files = sorted((tmp_path / "out").iterdir())
    assert [f.name for f in files] == [f"one-shot-{i:05d}.wav" for i in range(3)]
    for file in files:
        assert len(sound_of(file)[0]) == 4000


def test_a_generator_that_does_not_stream_has_one_length(renderer, one_shot, tmp_path):
    info = renderer.generator(one_shot)[0].info
    with pytest.raises(ExportError, match="does not stream"):
        finish(save_sound(tmp_path / "a.wav", one_shot, point_from_seed(info, 0), seconds=9.0), renderer)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [save_sound, save_timeline_sound])
def test_a_picture_is_no_sound(make, renderer, timeline, tmp_path):
    what = timeline if make is save_timeline_sound else timeline.keyframes[0].point
    with pytest.raises(ExportError, match="makes pictures"):
        finish(make(tmp_path / "a.wav", "uniform-pixels", what), renderer)


def test_an_empty_timeline_says_to_add_a_keyframe(renderer, tmp_path):
    with pytest.raises(ExportError, match="timeline is empty"):
        finish(save_timeline_sound(tmp_path / "a.wav", "additive", Timeline()), renderer)


def test_a_cancelled_sound_leaves_nothing(renderer, additive, tmp_path):
    job = Job("export", save_timeline_sound(tmp_path / "a.wav", "additive", timeline_of(additive, 60.0)))
    assert job.step(renderer)
    job.cancel()
    assert not job.step(renderer)
    assert isinstance(job.error, Cancelled)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_is_named_and_leaves_nothing(renderer, additive, tmp_path, monkeypatch):
    def full(*_arguments) -> None:
        raise soundfile.LibsndfileError(2)  # "System error": all that the library knows

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    monkeypatch.setattr(audio.shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(ExportError, match=f"to {tmp_path}: No space left on device") as caught:
        finish(save_timeline_sound(tmp_path / "a.wav", "additive", timeline_of(additive)), renderer)
    assert "free some space" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
