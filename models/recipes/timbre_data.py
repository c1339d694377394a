"""Notes of a General MIDI soundfont, rendered with FluidSynth and taken apart into harmonics and noise.

FluidR3 GM by Frank Wen, released under the MIT licence (Debian package fluid-soundfont-gm).
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from igm_gui.generators.ddsp.analysis import SAMPLE_RATE, analyse
from models.recipes.common.debian import DataMissing, package_root

PITCHES = tuple(range(33, 97, 3))
VELOCITIES = (45, 85, 122)
HELD, STEP = 2.25, 3.0  # seconds a key is down, and from note to note
NOTE_SAMPLES = int(STEP * SAMPLE_RATE)
SOUNDFONT = "usr/share/sounds/sf2/FluidR3_GM.sf2"

# General MIDI's melodic programs without the effects, the kettledrum, tubular bells and orchestra hit.
PROGRAMS = tuple(p for p in range(112) if p not in (14, 47, 55, *range(96, 104)))
# One of each kind is never trained on.
HELD_OUT = (2, 11, 19, 25, 37, 42, 52, 57, 66, 71, 75, 82, 90, 106)
NAMES = (
    """
acoustic grand piano, bright piano, electric grand, honky-tonk piano, electric piano 1, electric
piano 2, harpsichord, clavinet, celesta, glockenspiel, music box, vibraphone, marimba, xylophone,
tubular bells, dulcimer, drawbar organ, percussive organ, rock organ, church organ, reed organ,
accordion, harmonica, bandoneon, nylon guitar, steel guitar, jazz guitar, clean guitar, muted
guitar, overdriven guitar, distortion guitar, guitar harmonics, acoustic bass, fingered bass, picked
bass, fretless bass, slap bass 1, slap bass 2, synth bass 1, synth bass 2, violin, viola, cello,
contrabass, tremolo strings, pizzicato strings, harp, timpani, string ensemble 1, string ensemble 2,
synth strings 1, synth strings 2, choir aahs, voice oohs, synth voice, orchestra hit, trumpet,
trombone, tuba, muted trumpet, french horn, brass section, synth brass 1, synth brass 2, soprano
sax, alto sax, tenor sax, baritone sax, oboe, english horn, bassoon, clarinet, piccolo, flute,
recorder, pan flute, blown bottle, shakuhachi, whistle, ocarina, square lead, sawtooth lead,
calliope lead, chiff lead, charang lead, voice lead, fifths lead, bass and lead, new age pad, warm
pad, polysynth pad, choir pad, bowed pad, metallic pad, halo pad, sweep pad, rain, soundtrack,
crystal, atmosphere, brightness, goblins, echoes, sci-fi, sitar, banjo, shamisen, koto, kalimba,
bagpipe, fiddle, shanai
""".replace("\n", " ")
    .strip()
    .split(", ")
)


@dataclass
class Notes:
    """All usable notes. ``sound`` is int16 (N, NOTE_SAMPLES), memory-mapped; the rest are tensors."""

    sound: np.ndarray
    harmonic: Tensor  # float16 (N, T, HARMONICS), dB
    noise: Tensor  # float16 (N, T, BANDS), dB
    pitch: Tensor  # (N,)
    dynamics: Tensor  # (N,) dB below the instrument's loudest
    level: Tensor  # (N,) dB full scale
    release: Tensor  # (N,) dB per second after the key is let go, negative
    program: Tensor  # (N,) int64

    def split(self) -> tuple[Tensor, Tensor]:
        """Indices of the notes to train on, and of the held-out instruments' notes."""
        held = torch.isin(self.program, torch.tensor(HELD_OUT))
        return torch.nonzero(~held)[:, 0], torch.nonzero(held)[:, 0]


def variable_length(value: int) -> bytes:
    """MIDI's variable-length number."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | (value & 0x7F))
    return bytes(reversed(digits))


def midi_file(program: int) -> bytes:
    """A standard MIDI file, 1000 ticks a second: each pitch at each velocity, HELD of every STEP seconds."""
    events = bytes([0, 0xC0, program])
    wait = 0
    for velocity in VELOCITIES:
        for pitch in PITCHES:
            events += variable_length(wait) + bytes([0x90, pitch, velocity])
            events += variable_length(int(HELD * 1000)) + bytes([0x80, pitch, 0])
            wait = int((STEP - HELD) * 1000)
    events += variable_length(wait) + b"\xff\x2f\x00"
    tempo = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big")
    track = tempo + events
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1000) + b"MTrk" + struct.pack(">I", len(track)) + track


def render_program(program: int, soundfont: Path, folder: Path) -> Path:
    """Play one program; int16 mono (notes, NOTE_SAMPLES) as ``.npy``, kept from run to run."""
    target = folder / f"{program:03d}.npy"
    if target.exists():
        return target
    if not shutil.which("fluidsynth"):
        raise DataMissing("FluidSynth is needed to play the soundfont: apt-get install fluidsynth")
    midi, wave = folder / f"{program:03d}.mid", folder / f"{program:03d}.wav"
    midi.write_bytes(midi_file(program))
    command = ["fluidsynth", "-ni", "-R", "0", "-C", "0", "-g", "0.6", "-r", str(SAMPLE_RATE)]
    command += ["-O", "s16", "-T", "wav", "-F", str(wave), str(soundfont), str(midi)]
    subprocess.run(command, check=True, capture_output=True)
    sound, _ = soundfile.read(wave, dtype="float32", always_2d=True)
    mono = sound.mean(1)
    count = len(PITCHES) * len(VELOCITIES)
    mono = np.pad(mono, (0, max(0, count * NOTE_SAMPLES - len(mono))))[: count * NOTE_SAMPLES]
    partial = target.with_suffix(".part.npy")
    np.save(partial, (mono.reshape(count, -1) * 32767).astype(np.int16))
    os.replace(partial, target)
    wave.unlink()
    midi.unlink()
    return target


def _onset(sound: Tensor) -> int:
    """Where the note begins: a millisecond before it first passes -50 dB of its peak."""
    loud = torch.nonzero(sound.abs() > sound.abs().max() * 0.003)
    return max(0, int(loud[0]) - 24) if len(loud) else 0


def _release(sound: Tensor) -> float:
    """Fall in dB a second over the tenth of a second after the key is let go."""
    start = int(HELD * SAMPLE_RATE)

    def rms(at: int) -> float:
        return float(sound[at : at + 960].square().mean()) + 1e-10

    slopes = [
        10 * np.log10(rms(start + d) / rms(start - 480)) / (d / SAMPLE_RATE) for d in (1920, 3840, 7680)
    ]
    return float(np.clip(min(slopes), -300.0, -8.0))


def analyse_program(program: int, rendered: Path, folder: Path) -> dict[str, Tensor]:
    """The usable notes of one program in numbers (kept from run to run); see :class:`Notes`."""
    target = folder / f"{program:03d}.pt"
    if target.exists():
        return torch.load(target, weights_only=True)
    rows: list[tuple[int, int, float, Tensor, Tensor, float, float, float]] = []
    sounds = np.load(rendered, mmap_mode="r")
    for index, pitch in enumerate(PITCHES * len(VELOCITIES)):
        sound = torch.from_numpy(sounds[index].astype(np.float32) / 32767)
        if sound.abs().max() < 0.002:
            continue
        onset = _onset(sound)
        note = analyse(sound[onset:], float(pitch))
        # An instrument that sounds an octave below its key is taken at the octave it sounds.
        low = analyse(sound[onset:], float(pitch - 12)) if pitch >= 45 else note
        if note.tonality < 0.7 and low.tonality > note.tonality + 0.15:
            note, pitch = low, pitch - 12
        if note.tonality < 0.5 or abs(note.detune) > 60:
            continue
        rows.append(
            (index, onset, pitch, note.harmonic, note.noise, note.level, _release(sound), note.tonality)
        )
    loudest = max((row[5] for row in rows), default=0.0)
    result = {
        "index": torch.tensor([r[0] for r in rows], dtype=torch.int64),
        "onset": torch.tensor([r[1] for r in rows], dtype=torch.int64),
        "pitch": torch.tensor([float(r[2]) for r in rows]),
        "harmonic": torch.stack([r[3] for r in rows]).half() if rows else torch.zeros(0),
        "noise": torch.stack([r[4] for r in rows]).half() if rows else torch.zeros(0),
        "level": torch.tensor([r[5] for r in rows]),
        "dynamics": torch.tensor([r[5] - loudest for r in rows]),
        "release": torch.tensor([r[6] for r in rows]),
        "tonality": torch.tensor([r[7] for r in rows]),
    }
    partial = target.with_suffix(".part")
    torch.save(result, partial)
    os.replace(partial, target)
    return result


def load_notes(work: Path) -> Notes:
    """Render and analyse what is not there yet (about twenty minutes on one core), then load it all."""
    folder = work / "timbre"
    folder.mkdir(parents=True, exist_ok=True)
    soundfont = package_root("fluid-soundfont-gm", work) / SOUNDFONT
    parts: list[dict[str, Tensor]] = []
    for done, program in enumerate(PROGRAMS):
        rendered = render_program(program, soundfont, folder)
        fresh = not (folder / f"{program:03d}.pt").exists()
        part = analyse_program(program, rendered, folder)
        if fresh:
            print(
                f"timbre data  {done + 1}/{len(PROGRAMS)}  {NAMES[program]}: {len(part['pitch'])} notes",
                flush=True,
            )
        if len(part["pitch"]) >= 12:
            part["program"] = torch.full((len(part["pitch"]),), program)
            parts.append(part)
    whole = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    sound = folder / "notes.npy"
    if not sound.exists():
        partial = sound.with_suffix(".part.npy")
        out = np.lib.format.open_memmap(partial, "w+", np.int16, (len(whole["pitch"]), NOTE_SAMPLES))
        row = 0
        for part in parts:
            source = np.load(folder / f"{int(part['program'][0]):03d}.npy", mmap_mode="r")
            for index, onset in zip(part["index"].tolist(), part["onset"].tolist(), strict=True):
                out[row, : NOTE_SAMPLES - onset] = source[index, onset:]
                row += 1
        out.flush()
        os.replace(partial, sound)
    return Notes(
        np.load(sound, mmap_mode="r"),
        whole["harmonic"],
        whole["noise"],
        whole["pitch"],
        whole["dynamics"],
        whole["level"],
        whole["release"],
        whole["program"],
    )
