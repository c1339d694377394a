"""additive: writes the card and preview of the weightless sound generator. Nothing is trained.

python -m models.recipes.additive
"""

from __future__ import annotations

import argparse
from pathlib import Path

from igm_gui.formats.card import Card, write_card
from igm_gui.generators import registry
from igm_gui.generators.additive.network import DIMENSIONS, SAMPLE_RATE, SAMPLES
from igm_gui.info import InputSpec, OutputSpec
from igm_gui.latent.point import point_from_seed
from models.recipes.sound_preview import write_preview

CARD = Card(
    name="additive",
    title="Additive tone",
    family="additive",
    description=(
        "Sixty-four partials whose amplitudes and envelope follow sixteen named numbers by a fixed formula. "
        "Nothing was learnt and nothing is stored: it is the plain instrument that the trained ones are "
        "heard against."
    ),
    licence="Apache-2.0",
    output=OutputSpec(media="sound", sample_rate=SAMPLE_RATE, samples=SAMPLES),
    inputs=(
        InputSpec("z", "latent", "Latent", shape=(len(DIMENSIONS),), dimensions=DIMENSIONS),
        InputSpec(
            "pitch",
            "scalar",
            "Pitch",
            "MIDI note; 60 is middle C",
            minimum=28,
            maximum=96,
            default=57,
            unit="MIDI",
        ),
        InputSpec(
            "loudness",
            "scalar",
            "Loudness",
            "RMS level of the tone",
            minimum=-60,
            maximum=-9,
            default=-16,
            unit="dB",
        ),
    ),
    preview_seeds=(0, 3, 4, 7),
    faults=("A formula, not a model of any instrument: no breath, bow or hammer noise.",),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).resolve().parents[1], help="where additive/ goes"
    )
    folder = parser.parse_args().out / CARD.name
    folder.mkdir(parents=True, exist_ok=True)
    write_card(folder, CARD)
    generator = registry.load(str(folder))
    sounds = generator.render([point_from_seed(generator.info, seed) for seed in CARD.preview_seeds])
    write_preview(folder, [sound[0] for sound in sounds], SAMPLE_RATE)


if __name__ == "__main__":
    main()
