"""timbre: a variational autoencoder of musical notes whose decoder is a synthesiser.

Engel et al. 2020, "DDSP: Differentiable Digital Signal Processing", arXiv:2001.04643, and Kingma and
Welling 2014, arXiv:1312.6114. Two stages: first the decoder learns the harmonics and noise measured in
each note (cheap: no sound is made), then it is corrected by ear, that is by the spectra of the sound it
makes, at several resolutions.

    python -m models.recipes.timbre

Needs FluidSynth (apt-get install fluidsynth); the soundfont is fetched as a package.
"""

from __future__ import annotations

import torch
from torch import Tensor

from igm_gui.formats.card import Card, Data, Distance
from igm_gui.generators.ddsp.analysis import (
    BANDS,
    FLOOR_HARMONIC,
    FLOOR_NOISE,
    HARMONICS,
    HOP,
    SAMPLE_RATE,
    frequency,
    grid,
)
from igm_gui.generators.ddsp.network import SOFTEST, TimbreNetwork
from igm_gui.generators.ddsp.oscillators import decibels
from igm_gui.info import InputSpec, OutputSpec
from models.recipes.common.run import Ema, Run, options, prepare
from models.recipes.sound_loss import multi_scale_mel
from models.recipes.timbre_data import Notes, load_notes
from models.recipes.timbre_space import AXES, fit_space

NAME = "timbre"
Z_DIM = 16
BATCH, FRAMES = 40, 14
WIDTH, DEPTH = 320, 3
BETA = 0.06
BY_EAR = 0.15  # the last part of the steps
CROP_FRAMES = 94  # half a second


def augment(harmonic: Tensor, noise: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
    """Tilt half of the notes' spectra by a few dB an octave, level kept: more timbres than instruments."""
    count = len(pitch)
    slope = torch.randn(count, 1, 1) * 2.0 * (torch.rand(count, 1, 1) < 0.5)
    k = torch.arange(1, HARMONICS + 1)
    octaves = torch.log2(frequency(pitch)[:, None] * k / 1000.0)[:, None]
    mel_octaves = torch.linspace(-4.6, 3.5, BANDS)
    tilted = harmonic + slope * octaves

    def power(level: Tensor) -> Tensor:
        return 10 * torch.log10((10 ** (level / 10)).sum(-1)).amax(1)

    change = (power(tilted) - power(harmonic))[:, None, None]
    silent = harmonic <= FLOOR_HARMONIC
    tilted = (tilted - change).clamp(FLOOR_HARMONIC, 20).masked_fill(silent, FLOOR_HARMONIC)
    return tilted, (noise + slope * mel_octaves - change).clamp(FLOOR_NOISE, 0)


def measured_loss(
    network: TimbreNetwork, notes: Notes, rows: Tensor, z: Tensor, targets: tuple[Tensor, Tensor]
) -> Tensor:
    """Mean error in dB of harmonics and noise at random frames, the inaudible counted little."""
    harmonic, noise = targets
    pitch, dynamics = notes.pitch[rows], notes.dynamics[rows].clamp(SOFTEST, 0)
    pick = torch.randint(0, harmonic.shape[1], (len(rows), FRAMES))
    time = grid()[pick] * (HOP / SAMPLE_RATE)
    wide = (len(rows), FRAMES)
    found = network.decoder(
        z[:, None].expand(*wide, -1), pitch[:, None].expand(wide), dynamics[:, None].expand(wide), time
    )
    row = torch.arange(len(rows))[:, None]
    wanted, wanted_noise = harmonic[row, pick], noise[row, pick]

    k = torch.arange(1, HARMONICS + 1)
    there = k * frequency(pitch)[:, None] < 0.98 * SAMPLE_RATE / 2
    weight = torch.sigmoid((torch.maximum(found.harmonic.detach(), wanted) + 55) / 8) * k**-0.5
    weight = (weight + 0.003) * there[:, None]
    tones = ((found.harmonic.clamp_min(FLOOR_HARMONIC) - wanted).abs() * weight).sum() / weight.sum()
    weight = torch.sigmoid((torch.maximum(found.noise.detach(), wanted_noise) + 95) / 8) + 0.02
    hiss = ((found.noise.clamp_min(FLOOR_NOISE) - wanted_noise).abs() * weight).sum() / weight.sum()
    release = (found.release[:, 0].log() - (-notes.release[rows]).log()).abs().mean()
    return tones + hiss + release


def heard_loss(network: TimbreNetwork, notes: Notes, rows: Tensor, z: Tensor) -> Tensor:
    """Multi-scale mel distance of half a second, made from z, to the recorded note."""
    pitch, dynamics = notes.pitch[rows], notes.dynamics[rows].clamp(SOFTEST, 0)
    start = torch.randint(0, 300, (len(rows),)) * (torch.rand(len(rows)) < 0.6)
    time = (start[:, None] + torch.arange(CROP_FRAMES + 1)) * (HOP / SAMPLE_RATE)
    wide = time.shape
    found = network.decoder(
        z[:, None].expand(*wide, -1), pitch[:, None].expand(wide), dynamics[:, None].expand(wide), time
    )
    gate = (time * (SAMPLE_RATE / HOP)).clamp(0, 1)[..., None]
    hertz = frequency(pitch)[:, None].expand(wide)
    phases = torch.rand(len(rows), HARMONICS, dtype=torch.float64) * 6.2831853
    first = int(torch.randint(0, 500, ()))
    made, _ = network.synthesise(
        decibels(found.harmonic) * gate, decibels(found.noise).square() * gate.square(), hertz, phases, first
    )
    real = torch.stack(
        [
            torch.from_numpy(notes.sound[int(row), int(s) * HOP : (int(s) + CROP_FRAMES) * HOP].copy())
            for row, s in zip(rows, start, strict=True)
        ]
    )
    real = real.float() / 32767 * decibels(-notes.level[rows])[:, None]
    return multi_scale_mel(made * 0.1, real * 0.1, SAMPLE_RATE).mean()


def train(network: TimbreNetwork, notes: Notes, run: Run, optimiser: torch.optim.Optimizer, ema: Ema) -> None:
    rows_all, _ = notes.split()
    turn = int(run.args.steps * (1 - BY_EAR))
    for step in run.steps():
        by_ear = step >= turn
        rows = rows_all[torch.randint(0, len(rows_all), (10 if by_ear else BATCH,))]
        harmonic, noise = notes.harmonic[rows].float(), notes.noise[rows].float()
        if not by_ear:
            harmonic, noise = augment(harmonic, noise, notes.pitch[rows])
        dynamics = notes.dynamics[rows].clamp(SOFTEST, 0)
        mean, log_variance = network.encoder(harmonic, noise, notes.pitch[rows], dynamics)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        beta = BETA * min(1.0, step / 2000)
        measured = measured_loss(network, notes, rows, z, (harmonic, noise))
        loss = measured + beta * kl
        if by_ear:
            heard = heard_loss(network, notes, rows, z)
            loss = 0.3 * loss + 3.0 * heard
            run.log(heard=heard.detach())
        progress = (step - turn) / max(1, run.args.steps - turn) if by_ear else step / turn
        rate = (3e-4 if by_ear else 1e-3) * min(1.0, (step + 1) / 200) * (1 - 0.95 * progress)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        ema.update(step)
        run.log(dB=measured.detach(), kl=kl.detach())


def card(run: Run, hyperparameters: dict[str, object]) -> Card:
    from models.recipes.common.folder import training

    dimensions = (*AXES, *(f"timbre {i}" for i in range(len(AXES) + 1, Z_DIM + 1)))
    scalar = "scalar"
    return Card(
        name=NAME,
        family="ddsp",
        title="Timbre",
        description=(
            "Musical notes of two seconds: sixteen numbers of timbre between and beyond "
            "about ninety instruments, "
            "played at any pitch and loudness. A network steers 128 harmonics and filtered noise."
        ),
        licence="Apache-2.0",
        output=OutputSpec("sound", sample_rate=SAMPLE_RATE, samples=2 * SAMPLE_RATE),
        inputs=(
            InputSpec("z", "latent", "Timbre", shape=(Z_DIM,), dimensions=dimensions),
            InputSpec(
                "pitch",
                "scalar",
                "Pitch",
                "MIDI note; 60 is middle C",
                minimum=33,
                maximum=96,
                default=60,
                unit="MIDI",
            ),
            InputSpec(
                "loudness",
                "scalar",
                "Loudness",
                "soft notes are duller, as on the instruments",
                minimum=-45,
                maximum=-9,
                default=-15,
                unit="dB",
            ),
            InputSpec(
                "hold",
                scalar,
                "Hold",
                "when the key is let go",
                minimum=0.05,
                maximum=2.0,
                default=1.4,
                unit="s",
            ),
            InputSpec(
                "vibrato",
                scalar,
                "Vibrato",
                "depth, at 5.5 Hz",
                minimum=0,
                maximum=100,
                default=0,
                unit="cents",
            ),
            InputSpec(
                "noise",
                scalar,
                "Noise",
                "breath, bow and hammer, as a factor",
                minimum=0,
                maximum=2,
                default=1,
            ),
        ),
        hyperparameters=hyperparameters,
        data=Data(
            name="Notes of FluidR3 GM, rendered with FluidSynth",
            licence="MIT",
            source="Debian package fluid-soundfont-gm",
            attribution="Copyright 2000-2002, 2008 Frank Wen; 2008 Toby Smithe",
            note="101 melodic programs, 22 pitches, 3 velocities; 14 instruments held out.",
        ),
        training=training(run, "timbre"),
        distance=Distance(
            name="Evidence lower bound",
            formula="|decibels - decoder(z)| + 0.06 KL(q(z|x) | N(0, I)), "
            "then the multi-scale mel distance of the sound",
            paper="Kingma and Welling 2014, arXiv:1312.6114; Engel et al. 2020, arXiv:2001.04643",
        ),
        preview_seeds=(0, 1, 2, 3, 4, 5),
        faults=(
            "Each note is strictly harmonic: bells, gongs and stretched piano strings lose their "
            "inharmonic partials.",
            "One smooth course for each note: the beating of choruses and the irregularity of real "
            "vibrato are averaged.",
            "The axes noisiness and even harmonics move what they name in most sounds, not in all.",
        ),
    )


def main() -> None:
    args = options(__doc__, steps=6_400)
    prepare(args)
    notes = load_notes(args.work)
    network = TimbreNetwork(Z_DIM, WIDTH, DEPTH)
    average = TimbreNetwork(Z_DIM, WIDTH, DEPTH)
    ema = Ema(network, average, 0.998)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, betas=(0.9, 0.99), weight_decay=1e-3)
    run = Run(NAME, args, network=network, average=average, optimiser=optimiser)
    train(network, notes, run, optimiser, ema)
    fit_space(average, notes)
    write(run, average)


def write(run: Run, network: TimbreNetwork) -> None:
    """Weights, card, preview."""
    from igm_gui.generators import registry
    from igm_gui.latent.point import point_from_seed
    from models.recipes.common.folder import half_precision
    from models.recipes.sound_preview import write_preview, write_sound_model

    tensors = half_precision(network)
    made = card(run, {"z_dim": Z_DIM, "width": WIDTH, "depth": DEPTH})
    folder = write_sound_model(run.args.out, made, tensors)
    generator = registry.load_here(folder)  # made here: needs no trial
    pitches = (60, 48, 67, 55, 72, 64)
    points = [
        point_from_seed(generator.info, seed).with_value("pitch", float(pitch))
        for seed, pitch in zip(made.preview_seeds, pitches, strict=True)
    ]
    sounds = [sound[0] for sound in generator.render(points)]
    write_preview(folder, sounds, SAMPLE_RATE)


if __name__ == "__main__":
    main()
