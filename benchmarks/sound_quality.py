"""How good are timbre, drums and the toys?  Measured, and written into their cards.

    python -m benchmarks.sound_quality                  # all; prints the figures as JSON
    python -m benchmarks.sound_quality timbre --write   # one, and writes them into models/timbre/card.json
    python -m benchmarks.sound_quality --sheets DIR     # and draws spectrograms to look at

Needs the recordings that the recipes trained on (build/recipes, or --work); the held-out ones are those
that the recipes held out. Times are of one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from igm_gui.formats.card import read_card, write_card
from igm_gui.generators.base import TorchGenerator
from igm_gui.generators.ddsp.analysis import analyse
from igm_gui.generators.ddsp.hearing import estimate_pitch
from igm_gui.generators.ddsp.network import FULL
from igm_gui.generators.registry import load
from igm_gui.latent import LatentPoint, Vector, point_from_seed
from models.recipes import drums, drums_data, timbre_data, timbre_space, toys
from models.recipes.common.run import REPOSITORY, keep_freed_memory
from models.recipes.sound_loss import multi_scale_mel, multi_scale_spectral
from models.recipes.sound_preview import spectrogram

Figures = dict[str, Any]


def render(generator: TorchGenerator, points: list[LatentPoint]) -> Tensor:
    """Sounds (N, samples), rendered a few at a time."""
    parts = [generator.render(points[i : i + 8]) for i in range(0, len(points), 8)]
    return torch.from_numpy(np.concatenate(parts)[:, 0])


def rounded(value: float, digits: int = 3) -> float:
    return float(f"{float(value):.{digits}g}")


def nearest(sound: Tensor, others: Tensor, rate: int) -> float:
    """Multi-scale mel distance of one sound (S,) to the closest of ``others`` (M, S)."""
    sizes = (2048, 512, 128)
    return min(
        float(multi_scale_mel(sound.expand(len(part), -1), part, rate, sizes).min())
        for part in others.split(64)
    )


def spread(sounds: Tensor, rate: int) -> float:
    """Median multi-scale mel distance between neighbours in a random order: diversity."""
    return float(multi_scale_mel(sounds, sounds.roll(1, 0), rate, (2048, 512, 128)).median())


def sheet(sounds: Tensor, rate: int, columns: int, path: Path) -> None:
    """Spectrograms of (N, S) as one picture."""
    tiles = [np.asarray(spectrogram(sound.numpy(), rate, 200, 140)) for sound in sounds]
    tiles = [np.pad(tile, ((0, 4), (0, 4), (0, 0))) for tile in tiles]
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles) - columns + 1, columns)]
    Image.fromarray(np.concatenate(rows)).save(path)
    print(f"wrote {path}")


def timbre_pitch(generator: TorchGenerator) -> Figures:
    """Share of 300 notes, z from the prior and any pitch in range, that YIN hears within 20 cents."""
    random = np.random.RandomState(7)
    pitches = random.uniform(33, 96, 300)
    points = [point_from_seed(generator.info, s).with_value("pitch", float(p)) for s, p in enumerate(pitches)]
    sounds = render(generator, points)
    errors = np.array(
        [abs(estimate_pitch(x[:36_000], 24_000)[0] - p) * 100 for x, p in zip(sounds, pitches, strict=True)]
    )
    return {
        "notes": len(points),
        "within_20_cents": rounded((errors < 20).mean()),
        "median_cents": rounded(np.median(errors)),
        "octave_or_more_off": rounded((errors > 1100).mean()),
    }


def timbre_notes(notes: timbre_data.Notes, rows: Tensor) -> Tensor:
    """Recorded notes (N, 45,600) at the level their dynamics ask for."""
    sounds = torch.from_numpy(notes.sound[rows.numpy(), :45_600]).float() / 32767
    return sounds * 10 ** ((notes.dynamics[rows] + FULL - notes.level[rows]) / 20)[:, None]


def timbre_reconstruction(
    generator: Any, notes: timbre_data.Notes, rows: Tensor
) -> tuple[Figures, Tensor, Tensor]:
    """Recorded notes through ``encode`` and back; beside them what no encoder would reach."""
    real = timbre_notes(notes, rows)
    points, plain = [], []
    for sound, pitch in zip(real, notes.pitch[rows].tolist(), strict=True):
        point = generator.encode(sound.numpy()[None], 24_000).with_value("hold", 2.0)
        points.append(point)
        plain.append(point.with_value("z", Vector(np.zeros(16, np.float32))).with_value("pitch", pitch))
    heard = np.array([p.scalar("pitch") for p in points])
    made, middle = render(generator, points)[:, :45_600], render(generator, plain)[:, :45_600]
    figures = {
        "notes": len(rows),
        "multi_scale_spectral_distance": rounded(multi_scale_spectral(made, real).median()),
        "with_z_zero_instead": rounded(multi_scale_spectral(middle, real).median()),
        "pitch_heard_within_half_semitone": rounded((np.abs(heard - notes.pitch[rows].numpy()) < 0.5).mean()),
    }
    return figures, real, made


def timbre_memory(generator: TorchGenerator, notes: timbre_data.Notes) -> Figures:
    """How far samples and held-out notes are from the nearest recorded training note of the same key."""
    trained, held = notes.split()
    pitch = 60.0
    match = (notes.pitch - pitch).abs() < 0.01
    bank = timbre_notes(notes, trained[match[trained]])
    strangers = timbre_notes(notes, held[match[held]])
    points = [
        point_from_seed(generator.info, s).with_value("pitch", pitch).with_value("hold", 2.0)
        for s in range(48)
    ]
    samples = render(generator, [p.with_value("loudness", FULL) for p in points])[:, :45_600]
    own = [nearest(x, torch.cat([bank[:i], bank[i + 1 :]]), 24_000) for i, x in enumerate(bank[:48])]
    return {
        "samples_to_nearest_training_note": rounded(np.median([nearest(x, bank, 24_000) for x in samples])),
        "held_out_notes_to_nearest": rounded(np.median([nearest(x, bank, 24_000) for x in strangers])),
        "training_notes_to_nearest_other": rounded(np.median(own)),
        "diversity_of_samples": rounded(spread(samples, 24_000)),
        "diversity_of_training_notes": rounded(spread(bank[torch.randperm(len(bank))], 24_000)),
    }


def timbre_axes(generator: TorchGenerator) -> Figures:
    """Share of seeds whose descriptor rises when its axis goes from -1.5 to 1.5."""
    result: Figures = {}
    low_high: dict[float, Tensor] = {}
    for axis, name in enumerate(timbre_space.AXES):
        for value in (-1.5, 1.5):
            points = []
            for seed in range(16):
                point = point_from_seed(generator.info, seed).with_value("hold", 2.0)
                z = point.vector("z").array.copy()
                z[axis] = value
                points.append(point.with_value("z", Vector(z)))
            notes = [analyse(x, 60.0) for x in render(generator, points)]
            harmonic = torch.stack([n.harmonic for n in notes])
            noise = torch.stack([n.noise for n in notes])
            # Frames after the two seconds are silent: the last of the grid that sounds stands for them.
            columns = timbre_space.descriptors(harmonic[:, :-8], noise[:, :-8], torch.full((16,), 60.0))
            low_high[value] = columns[:, axis]
        result[name] = rounded((low_high[1.5] > low_high[-1.5]).float().mean())
    return result


def stream_speed(generator: Any, samples: int, seconds: float = 10.0) -> float:
    """Processor time of block-wise decoding per second of sound, z moving all the time; one thread."""
    stream = generator.stream()
    rate = generator.info.output.sample_rate
    points = [point_from_seed(generator.info, seed) for seed in range(8)]
    for point in points:
        stream.block(point, samples)
    start = time.process_time()
    blocks = int(seconds * rate / samples)
    for i in range(blocks):
        stream.block(points[i % 8], samples)
    return (time.process_time() - start) / (blocks * samples / rate)


def seconds_per(render_one: Callable[[int], object], times: int = 20) -> float:
    """Median processor time of one rendering, seconds."""
    render_one(0)
    taken = []
    for i in range(times):
        start = time.process_time()
        render_one(i + 1)
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def measure_timbre(work: Path, sheets: Path | None) -> tuple[Figures, Figures]:
    generator = load("timbre")
    notes = timbre_data.load_notes(work)
    trained, held = notes.split()
    random = torch.Generator().manual_seed(3)
    some = trained[torch.randperm(len(trained), generator=random)[:112]]
    others = held[torch.randperm(len(held), generator=random)[:112]]
    strange, real, made = timbre_reconstruction(generator, notes, others)
    known, _, _ = timbre_reconstruction(generator, notes, some)
    memory = timbre_memory(generator, notes)
    memorised = memory["samples_to_nearest_training_note"] < 0.5 * memory["held_out_notes_to_nearest"]
    quality = {
        "measured_by": "python -m benchmarks.sound_quality timbre --write",
        "pitch": timbre_pitch(generator),
        "held_out_instruments": strange,
        "training_instruments": known,
        "distances_at_middle_c": memory,
        "memorises": "yes"
        if memorised
        else "no: samples lie about as far from the training notes as new instruments",
        "axes_move_what_they_name": timbre_axes(generator),
    }
    speed = {
        "real_time_factor_blocks_of_512": rounded(stream_speed(generator, 512)),
        "real_time_factor_blocks_of_2048": rounded(stream_speed(generator, 2048)),
        "note_milliseconds": rounded(
            1e3 * seconds_per(lambda i: generator.render([point_from_seed(generator.info, i)]))
        ),
    }
    if sheets:
        pairs = torch.stack([real[:16], made[:16]], 1).flatten(0, 1)
        sheet(pairs, 24_000, 8, sheets / "timbre-held-out.png")
        samples = [point_from_seed(generator.info, s) for s in range(64)]
        sheet(render(generator, samples), 24_000, 8, sheets / "timbre-samples.png")
    return quality, speed


def drums_points(generator: Any, sounds: NDArray[np.float32]) -> list[LatentPoint]:
    return [generator.encode(sound[None], 44_100) for sound in sounds]


def measure_drums(work: Path, sheets: Path | None) -> tuple[Figures, Figures]:
    generator: Any = load("drums")
    hits = drums_data.load_hits(work)
    trained, held = hits.split()
    random = torch.Generator().manual_seed(3)
    plain = trained[hits.speed[trained] == 0]
    some = plain[torch.randperm(len(plain), generator=random)[: len(held)]]
    bank = torch.from_numpy(hits.sound[plain.numpy()]).float() / 32767
    quality: Figures = {"measured_by": "python -m benchmarks.sound_quality drums --write"}
    pairs = torch.zeros(0)
    for name, rows in (("held_out_hits", held), ("training_hits", some)):
        real = torch.from_numpy(hits.sound[rows.numpy()]).float() / 32767 * 0.89
        points = drums_points(generator, real.numpy())
        kinds = [int(p.vector("label").array.argmax()) for p in points]
        right = np.mean([a == b for a, b in zip(kinds, hits.label[rows].tolist(), strict=True)])
        middle = [p.with_value("z", Vector(np.zeros(drums.Z_DIM, np.float32))) for p in points]
        made = render(generator, points)
        quality[name] = {
            "hits": len(rows),
            "multi_scale_spectral_distance": rounded(multi_scale_spectral(made, real).median()),
            "with_z_zero_instead": rounded(multi_scale_spectral(render(generator, middle), real).median()),
            "kind_as_its_name_says": rounded(right),
        }
        if name == "held_out_hits":
            pairs = torch.stack([real, made], 1).flatten(0, 1)
    quality["distances"] = drums_memory(generator, hits, held, bank)
    far = quality["distances"]
    memorised = far["samples_to_nearest_training_hit"] < 0.5 * far["held_out_hits_to_nearest"]
    quality["memorises"] = (
        "yes" if memorised else "no: samples lie about as far from the training hits as new ones"
    )
    label = len(drums_data.CLASSES)

    def one(seed: int) -> object:
        return generator.render([point_from_seed(generator.info, seed, seed % label)])

    speed = {"hit_milliseconds": rounded(1e3 * seconds_per(one))}
    if sheets:
        sheet(pairs[:48], 44_100, 8, sheets / "drums-held-out.png")
        points = [point_from_seed(generator.info, s, s // 11 % label) for s in range(66)]
        sheet(render(generator, points), 44_100, 11, sheets / "drums-samples.png")
    return quality, speed


def drums_memory(generator: Any, hits: drums_data.Hits, held: Tensor, bank: Tensor) -> Figures:
    """How far samples and held-out hits are from the nearest training recording."""
    points = [point_from_seed(generator.info, s, s % len(drums_data.CLASSES)) for s in range(48)]
    samples = render(generator, points) / 0.89
    strangers = torch.from_numpy(hits.sound[held.numpy()]).float() / 32767
    return {
        "samples_to_nearest_training_hit": rounded(np.median([nearest(x, bank, 44_100) for x in samples])),
        "held_out_hits_to_nearest": rounded(np.median([nearest(x, bank, 44_100) for x in strangers])),
        "diversity_of_samples": rounded(spread(samples, 44_100)),
        "diversity_of_training_hits": rounded(spread(bank[torch.randperm(len(bank))[:200]], 44_100)),
    }


def measure_toy(toy: toys.Toy) -> tuple[Figures, Figures]:
    """Sliced Wasserstein distance of 20,000 points to data, beside data's own and the noise's."""
    generator = load(toy.name)
    torch.manual_seed(5)
    noise, data, again = torch.randn(20_000, 2), toy.sample(20_000), toy.sample(20_000)
    with torch.inference_mode():
        made = generator.network.network(noise)

    def distance(x: Tensor, y: Tensor) -> float:
        return rounded(torch.stack([toys.sliced_wasserstein(x, y) for _ in range(16)]).mean().sqrt())

    quality = {
        "measured_by": f"python -m benchmarks.sound_quality {toy.name} --write",
        "sliced_wasserstein_2": distance(made, data),
        "data_to_data": distance(again, data),
        "noise_to_data": distance(noise, data),
    }
    points = [point_from_seed(generator.info, seed) for seed in range(8)]

    def drag(i: int) -> object:
        return generator.render([points[i % 8]])

    def morph(i: int) -> object:
        return generator.render([points[0].with_value("progress", 0.3 + i / 100)])

    speed = {
        "frame_milliseconds_moving_z": rounded(1e3 * seconds_per(drag)),
        "frame_milliseconds_moving_progress": rounded(1e3 * seconds_per(morph)),
    }
    return quality, speed


def main() -> None:
    names = ["timbre", "drums", *(toy.name for toy in toys.TOYS)]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(names)} (default: all)")
    parser.add_argument("--write", action="store_true", help="write the figures into the cards")
    parser.add_argument("--sheets", type=Path, help="folder for spectrograms")
    parser.add_argument(
        "--work", type=Path, default=REPOSITORY / "build" / "recipes", help="the recipes' data"
    )
    args = parser.parse_args()
    if unknown := set(args.models) - set(names):
        parser.error(f"unknown model {sorted(unknown)[0]}")
    keep_freed_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if args.sheets:
        args.sheets.mkdir(parents=True, exist_ok=True)
    measures: dict[str, Callable[[], tuple[Figures, Figures]]] = {
        "timbre": lambda: measure_timbre(args.work, args.sheets),
        "drums": lambda: measure_drums(args.work, args.sheets),
        **{toy.name: lambda toy=toy: measure_toy(toy) for toy in toys.TOYS},  # type: ignore[misc]
    }
    for name in args.models or names:
        quality, speed = measures[name]()
        print(json.dumps({"model": name, "quality": quality, "speed": speed}, indent=2), flush=True)
        if args.write:
            folder = REPOSITORY / "models" / name
            card = read_card(folder)
            write_card(folder, msgspec.structs.replace(card, quality=quality, speed=speed))
            print(f"wrote {folder / 'card.json'}")


if __name__ == "__main__":
    main()
