"""Drum hits from three sets with free licences, cut, labelled by their names and taken apart.

- sonic-pi-samples (Debian): CC0.
- hydrogen-drumkits (Debian): only the kits rumpf_kit_z01 (CC-BY 3.0) and Audiophob (CC0); the rest is GPL.
- fluid-soundfont-gm (Debian): the percussion kits of FluidR3 GM (MIT), played by FluidSynth.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from igm_gui.generators.ddsp.hearing import onset, resample, to_mono
from igm_gui.generators.drums.analysis import SAMPLE_RATE, SAMPLES, analyse
from models.recipes.common.debian import DataMissing, package_root
from models.recipes.timbre_data import SOUNDFONT, variable_length

CLASSES = ("kick", "snare", "hat", "cymbal", "tom", "percussion")
KICK, SNARE, HAT, CYMBAL, TOM, PERCUSSION = range(6)
ORCHESTRA = 48
KITS = (0, 8, 16, 24, 25, 32, 40, ORCHESTRA)  # standard, room, power, electronic, TR-808, jazz, brush
GENERAL_MIDI = {
    35: KICK, 36: KICK, 38: SNARE, 40: SNARE, 42: HAT, 44: HAT, 46: HAT,
    41: TOM, 43: TOM, 45: TOM, 47: TOM, 48: TOM, 50: TOM,
    49: CYMBAL, 51: CYMBAL, 52: CYMBAL, 53: CYMBAL, 55: CYMBAL, 57: CYMBAL, 59: CYMBAL,
    **dict.fromkeys((37, 39, 54, 56, *range(60, 71), 75, 76, 77, 80, 81), PERCUSSION),
}  # fmt: skip
# First pattern that matches a file's or instrument's name decides.
NAMES = (
    (r"^bd_|^drum_bass|kick|bass drum", KICK),
    (r"^sn_|snare", SNARE),
    (r"cymbal_(closed|pedal|open)|hi-?hat|hh$", HAT),
    (r"cymbal|splash|crash|ride", CYMBAL),
    (r"tom", TOM),
    (r"", PERCUSSION),
)
SKIPPED = re.compile(
    r"^(loop|ambi|bass_|guit|misc|vinyl|mehackit|drum_roll|perc_(swash|swoosh|door|till)|glitch_(bass|robot))"
)
SPEEDS = (44_100, 38_220, 51_450)  # played as if recorded at: up and down by two and a half semitones


@dataclass
class Hits:
    """All hits. ``sound`` is int16 (N, SAMPLES) memory-mapped; the first of each source is unchanged."""

    sound: np.ndarray
    vector: Tensor  # (N, SIZE)
    label: Tensor  # (N,) int64
    source: Tensor  # (N,) int64, the recording it comes from
    speed: Tensor  # (N,) int64, index in SPEEDS
    names: list[str]  # of the sources

    def split(self) -> tuple[Tensor, Tensor]:
        """Indices to train on, and of the tenth of the recordings that is held out (unchanged ones only)."""
        order = torch.randperm(len(self.names), generator=torch.Generator().manual_seed(1))
        held = torch.isin(self.source, order[: len(order) // 10])
        return torch.nonzero(~held)[:, 0], torch.nonzero(held & (self.speed == 0))[:, 0]


def label_of(name: str) -> int:
    """Class of a hit by its name."""
    return next(kind for pattern, kind in NAMES if re.search(pattern, name.lower()))


def _sonic_pi(root: Path) -> Iterator[tuple[str, int, np.ndarray, int]]:
    for path in sorted((root / "usr/share/sonic-pi/samples").glob("*.flac")):
        if not SKIPPED.search(path.stem):
            sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
            yield f"sonic-pi/{path.stem}", label_of(path.stem), sound.T, rate


def _hydrogen(root: Path, kit: str) -> Iterator[tuple[str, int, np.ndarray, int]]:
    folder = root / "usr/share/hydrogen/data/drumkits" / kit
    text = (folder / "drumkit.xml").read_text(errors="replace")
    named: dict[str, str] = {}
    for part in re.findall(r"<instrument>.*?</instrument>", text, re.S):
        name = re.search(r"<name>(.*?)</name>", part)
        for file in re.findall(r"<filename>(.*?)</filename>", part):
            named[file] = name.group(1) if name else ""
    for path in sorted([*folder.glob("*.flac"), *folder.glob("*.wav")]):
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
        yield f"{kit}/{path.stem}", label_of(named.get(path.name, "")), sound.T, rate


def _general_midi(soundfont: Path, work: Path) -> Iterator[tuple[str, int, np.ndarray, int]]:
    """Each key of each kit, hard and soft; two seconds apart."""
    if not shutil.which("fluidsynth"):
        raise DataMissing("FluidSynth is needed to play the soundfont: apt-get install fluidsynth")
    midi, wave = work / "kit.mid", work / "kit.wav"
    for kit in KITS:
        events = bytes([0, 0xC9, kit])
        strokes = [(key, velocity) for velocity in (118, 72) for key in sorted(GENERAL_MIDI)]
        for key, velocity in strokes:
            events += b"\x00" + bytes([0x99, key, velocity]) + variable_length(2000) + bytes([0x89, key, 0])
        events += variable_length(2000) + b"\xff\x2f\x00"
        track = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big") + events
        header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1000)
        midi.write_bytes(header + b"MTrk" + struct.pack(">I", len(track)) + track)
        command = ["fluidsynth", "-ni", "-R", "0", "-C", "0", "-g", "0.6", "-r", str(SAMPLE_RATE)]
        command += ["-O", "s16", "-T", "wav", "-F", str(wave), str(soundfont), str(midi)]
        subprocess.run(command, check=True, capture_output=True)
        sound, rate = soundfile.read(wave, dtype="float32", always_2d=True)
        for i, (key, velocity) in enumerate(strokes):
            part = sound[2 * rate * i : 2 * rate * (i + 1)].T
            # The orchestra's kit has kettledrums on the keys of hats, toms and cymbals.
            label = TOM if kit == ORCHESTRA and 41 <= key <= 53 else GENERAL_MIDI[key]
            yield f"fluidr3/{kit}/{key}/{velocity}", label, part, rate
    midi.unlink()
    wave.unlink()


def _cut(sound: Tensor) -> Tensor | None:
    """From the onset, one second at most, peak 1; None for what is silent or no hit but a swell."""
    if len(sound) < 500 or float(sound.abs().max()) < 0.003:
        return None
    sound = sound[onset(sound, SAMPLE_RATE) :][:SAMPLES]
    if int(sound.abs().argmax()) > 0.35 * SAMPLE_RATE:
        return None
    fade = ((len(sound) - torch.arange(len(sound))) / 400).clamp(0, 1)
    sound = sound * fade / sound.abs().max()
    return torch.nn.functional.pad(sound, (0, SAMPLES - len(sound)))


def is_known(sound: Tensor, known: list[Tensor]) -> bool:
    """Whether a hit's waveform correlates by more than 0.9 with one of ``known`` (of unit energy)."""
    unit = sound / sound.norm()
    return any(float(unit @ other) > 0.9 for other in known)


def load_hits(work: Path) -> Hits:
    """Gather and take apart what is not there yet (about ten minutes on one core), then load it all."""
    folder = work / "drums"
    folder.mkdir(parents=True, exist_ok=True)
    table, sounds = folder / "hits.pt", folder / "hits.npy"
    if not (table.exists() and sounds.exists()):
        _gather(work, folder, table, sounds)
    data = torch.load(table, weights_only=True)
    names = data.pop("names")
    return Hits(np.load(sounds, mmap_mode="r"), names=names, **data)


def _gather(work: Path, folder: Path, table: Path, sounds: Path) -> None:
    hydrogen = package_root("hydrogen-drumkits", work)
    origins = [
        _sonic_pi(package_root("sonic-pi-samples", work)),
        _hydrogen(hydrogen, "rumpf_kit_z01_h2"),
        _hydrogen(hydrogen, "Audiophob"),
        _general_midi(package_root("fluid-soundfont-gm", work) / SOUNDFONT, folder),
    ]
    names: list[str] = []
    waves, vectors, labels, sources, speeds = [], [], [], [], []
    kept: list[Tensor] = []
    known: list[Tensor] = []
    for name, label, media, rate in (item for origin in origins for item in origin):
        if float(np.abs(media).max(initial=0.0)) < 0.003:
            continue
        whole = to_mono(media, rate, SAMPLE_RATE)
        first = _cut(whole)
        if first is None:
            continue
        # Kits share recordings: the same hit twice would weigh double, and leak into the held-out part.
        if is_known(first, known):
            continue
        vector = analyse(first).vector()
        if any(float((vector - other).abs().mean()) < 0.06 for other in kept):
            continue
        kept.append(vector)
        known.append(first / first.norm())
        for index, speed in enumerate(SPEEDS):
            cut = first if speed == SAMPLE_RATE else _cut(resample(whole, speed, SAMPLE_RATE))
            if cut is None:
                continue
            waves.append((cut * 32767).to(torch.int16).numpy())
            vectors.append(vector if index == 0 else analyse(cut).vector())
            labels.append(label)
            sources.append(len(names))
            speeds.append(index)
        names.append(name)
        if len(names) % 20 == 0:
            print(f"drums data  {len(names)} hits, last {name} ({CLASSES[label]})", flush=True)
    partial = sounds.with_suffix(".part.npy")
    np.save(partial, np.stack(waves))
    os.replace(partial, sounds)
    partial = table.with_suffix(".part")
    columns = {"label": labels, "source": sources, "speed": speeds}
    tensors = {key: torch.tensor(values) for key, values in columns.items()}
    torch.save({"vector": torch.stack(vectors), "names": names, **tensors}, partial)
    os.replace(partial, table)
