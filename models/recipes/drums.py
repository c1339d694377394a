"""drums: a conditional variational autoencoder of drum hits whose decoder is a synthesiser.

Sohn et al. 2015 (conditional VAE); Engel et al. 2020, arXiv:2001.04643 (differentiable synthesis). As in
timbre, the decoder first learns the measured numbers and is then corrected by the spectra of its sound.

    python -m models.recipes.drums

Needs FluidSynth (apt-get install fluidsynth); the sets are fetched as packages.
"""

from __future__ import annotations

import torch
from torch import Tensor

from igm_gui.formats.card import Card, Data, Distance
from igm_gui.generators import registry
from igm_gui.generators.drums.analysis import BANDS, FLOOR, POINTS, SAMPLE_RATE, SAMPLES, Hit
from igm_gui.generators.drums.network import DrumNetwork, band_noise, synthesise
from igm_gui.info import InputSpec, OutputSpec
from igm_gui.latent.point import point_from_seed
from models.recipes.common.folder import half_precision, training
from models.recipes.common.run import Ema, Run, options, prepare
from models.recipes.drums_data import CLASSES, Hits, load_hits
from models.recipes.sound_loss import multi_scale_spectral
from models.recipes.sound_preview import write_preview, write_sound_model

NAME = "drums"
Z_DIM = 16
BATCH, HEARD_BATCH = 96, 5
BY_EAR = 0.15  # the last part of the steps
BETA = 0.2
AXES = ("decay", "brightness", "noisiness", "pitch")


def augment(vector: Tensor) -> Tensor:
    """Half of the hits die away faster or slower, half are tilted by up to some dB from low to high."""
    hit = Hit.from_vector(vector)
    count = len(vector)
    stretch = torch.exp(0.25 * torch.randn(count, 1, 1) * (torch.rand(count, 1, 1) < 0.5))
    tilt = (
        5.0
        * torch.randn(count, 1, 1)
        * (torch.rand(count, 1, 1) < 0.5)
        * torch.linspace(0, 1, BANDS)[:, None]
    )

    def change(level: Tensor, lift: Tensor | float) -> Tensor:
        top = level.amax(-1, keepdim=True)
        return (
            ((level - top) * stretch + top + lift).clamp(FLOOR, 6).where(level > FLOOR, torch.tensor(FLOOR))
        )

    return Hit(
        change(hit.body_level[:, None], 0.0)[:, 0],
        hit.body_hertz,
        change(hit.tone_level, tilt),
        hit.tone_hertz,
        change(hit.noise_level, tilt),
    ).vector()


def measured_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Weighted mean error: levels in dB where audible, frequencies by the level they have."""
    a, b = Hit.from_vector(found), Hit.from_vector(wanted)
    total = torch.zeros(())
    for x, y in ((a.tone_level, b.tone_level), (a.noise_level, b.noise_level), (a.body_level, b.body_level)):
        weight = torch.sigmoid((torch.maximum(x.detach(), y) + 55) / 7) + 0.01
        total = total + ((x.clamp_min(FLOOR) - y).abs() * weight).sum() / weight.sum()
    levels = BANDS * POINTS
    loud = torch.sigmoid((b.tone_level.amax(-1) + 40) / 6)
    within = (found - wanted)[:, 2 * levels : 2 * levels + BANDS].abs()
    bend = (found - wanted)[:, -POINTS:].abs()
    body = torch.sigmoid((b.body_level + 45) / 6)
    return total + 4 * (within * loud).sum() / loud.sum() + 40 * (bend * body).sum() / body.sum()


def heard_loss(vector: Tensor, real: Tensor) -> Tensor:
    """Multi-scale spectral distance of the sound that the numbers make to the recording."""
    noise = band_noise(int(torch.randint(0, 2**31, ())))
    return multi_scale_spectral(synthesise(Hit.from_vector(vector), noise), real).mean()


def train(network: DrumNetwork, hits: Hits, run: Run, optimiser: torch.optim.Optimizer, ema: Ema) -> None:
    rows_all, _ = hits.split()
    # Each class is seen equally often, whatever the number of its recordings.
    share = torch.bincount(hits.label[rows_all], minlength=len(CLASSES)).float()
    weights = 1 / share[hits.label[rows_all]]
    network.centre.copy_(hits.vector[rows_all].mean(0))
    turn = int(run.args.steps * (1 - BY_EAR))
    for step in run.steps():
        by_ear = step >= turn
        rows = rows_all[torch.multinomial(weights, HEARD_BATCH if by_ear else BATCH, replacement=True)]
        wanted = hits.vector[rows]
        if not by_ear:
            wanted = augment(wanted)
        label = torch.nn.functional.one_hot(hits.label[rows], len(CLASSES)).float()
        mean, log_variance = network.encode(wanted, label)
        found = network.decode(mean + torch.randn_like(mean) * (0.5 * log_variance).exp(), label)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        measured = measured_loss(found, wanted)
        judged = torch.nn.functional.cross_entropy(
            network.classify(wanted), hits.label[rows], label_smoothing=0.05
        )
        loss = measured + BETA * min(1.0, step / 1000) * kl + judged
        if by_ear:
            real = torch.from_numpy(hits.sound[rows.numpy()]).float() / 32767
            heard = heard_loss(found, real)
            loss = 0.3 * loss + 4.0 * heard
            run.log(heard=heard.detach())
        progress = (step - turn) / max(1, run.args.steps - turn) if by_ear else step / turn
        for group in optimiser.param_groups:
            group["lr"] = (2e-4 if by_ear else 1e-3) * min(1.0, (step + 1) / 100) * (1 - 0.95 * progress)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        ema.update(step)
        run.log(error=measured.detach(), kl=kl.detach(), judged=judged.detach())


def descriptors(vector: Tensor) -> Tensor:
    """Numbers of hits (N, SIZE) -> one column for each of AXES."""
    hit = Hit.from_vector(vector)

    def power(level: Tensor) -> Tensor:
        return 10 ** (level / 10)

    total = power(hit.body_level) + power(hit.tone_level).sum(1) + power(hit.noise_level).sum(1)
    decay = torch.log((total * (total > total.amax(1, keepdim=True) * 1e-3)).gt(0).float().sum(1) + 1)
    bands = torch.cat(
        [power(hit.body_level)[:, None], power(hit.tone_level) + power(hit.noise_level)], 1
    ).mean(2)
    place = torch.arange(BANDS + 1).float()
    brightness = (bands.sqrt() * place).sum(1) / bands.sqrt().sum(1)
    hiss = 10 * torch.log10(power(hit.noise_level).mean((1, 2)) / total.mean(1) + 1e-4)
    body = power(hit.body_level)
    pitch = (body * hit.body_hertz.log2()).sum(1) / body.sum(1)
    return torch.stack([decay, brightness, hiss, pitch], 1)


@torch.no_grad()
def fit_space(network: DrumNetwork, hits: Hits) -> None:
    """Whiten the training codes of each class, and turn the axes to the descriptors in AXES.

    A class has about as many hits as a covariance has numbers, so each is drawn a little towards a ball.
    """
    rows, _ = hits.split()
    for kind in range(len(CLASSES)):
        members = rows[hits.label[rows] == kind]
        one_hot = torch.nn.functional.one_hot(hits.label[members], len(CLASSES)).float()
        code, log_variance = network.encode(hits.vector[members], one_hot)
        centre = code.mean(0)
        covariance = torch.cov(code.T) + torch.diag(log_variance.exp().mean(0))
        ball = torch.diagonal(covariance).mean() * torch.eye(Z_DIM)
        root = torch.linalg.cholesky(0.9 * covariance + 0.1 * ball)
        white = torch.linalg.solve_triangular(root, (code - centre).T, upper=False).T
        wanted = descriptors(hits.vector[members])
        wanted = (wanted - wanted.mean(0)) / wanted.std(0).clamp_min(1e-3)
        towards = torch.linalg.lstsq(white, wanted).solution
        turn, triangle = torch.linalg.qr(torch.cat([towards, torch.eye(Z_DIM)[:, : Z_DIM - len(AXES)]], 1))
        turn = turn * torch.where(torch.diagonal(triangle) < 0, -1.0, 1.0)
        network.mean[kind] = centre
        network.basis[kind] = (root @ turn).T


def write(run: Run, network: DrumNetwork, hits: Hits) -> None:
    """Weights, card, preview."""
    trained, held = hits.split()
    sources = len(torch.unique(hits.source[trained]))
    dimensions = (*AXES, *(f"character {i}" for i in range(len(AXES) + 1, Z_DIM + 1)))
    card = Card(
        name=NAME,
        family="drums",
        title="Drums",
        description=(
            "Drum hits of one second at 44.1 kHz: choose a kind, and sixteen numbers shape it. "
            "Kinds can be mixed. "
            "A network steers a gliding low tone and twenty-four bands of tone and noise."
        ),
        licence="Apache-2.0",
        output=OutputSpec("sound", sample_rate=SAMPLE_RATE, samples=SAMPLES),
        inputs=(
            InputSpec("z", "latent", "Character", shape=(Z_DIM,), dimensions=dimensions),
            InputSpec("label", "label", "Kind", classes=CLASSES),
            InputSpec(
                "tune", "scalar", "Tune", "of the tones", minimum=-12, maximum=12, default=0, unit="semitones"
            ),
            InputSpec(
                "length", "scalar", "Length", "of the hit, as a factor", minimum=0.25, maximum=2, default=1
            ),
            InputSpec("noise_seed", "seed", "Noise", "which noise: the same hit, struck again"),
        ),
        hyperparameters={"z_dim": Z_DIM, "width": 384},
        data=Data(
            name="Drum hits of sonic-pi-samples, the kits rumpf_kit_z01 and Audiophob, and FluidR3 GM",
            licence="CC0, CC-BY 3.0, CC0, MIT",
            source="Debian packages sonic-pi-samples, hydrogen-drumkits, fluid-soundfont-gm",
            attribution="rumpf_kit_z01 by Emanuel Rumpf (CC-BY 3.0); FluidR3 GM by Frank Wen (MIT)",
            note=f"{sources} recordings, each at three speeds, to train on; {len(held)} held out.",
        ),
        training=training(run, "drums"),
        distance=Distance(
            name="Evidence lower bound",
            formula=f"|decibels - decoder(z)| + {BETA} KL(q(z|x, y) | N(0, I)), "
            "then the multi-scale spectral distance",
            paper="Sohn et al. 2015, NeurIPS 28; Engel et al. 2020, arXiv:2001.04643",
        ),
        preview_seeds=(0, 1, 2, 3, 4, 5),
        faults=(
            "Cymbals are bands of noise with one tone in each: less metallic than recorded ones.",
            "Hits end after one second: long crashes are faded.",
        ),
    )
    folder = write_sound_model(run.args.out, card, half_precision(network))
    generator = registry.load_here(folder)  # made here: needs no trial
    points = [point_from_seed(generator.info, seed, seed % len(CLASSES)) for seed in card.preview_seeds]
    write_preview(folder, [sound[0, : SAMPLES * 2 // 3] for sound in generator.render(points)], SAMPLE_RATE)


def main() -> None:
    args = options(__doc__, steps=2_400)
    prepare(args)
    hits = load_hits(args.work)
    network, average = DrumNetwork(Z_DIM, len(CLASSES)), DrumNetwork(Z_DIM, len(CLASSES))
    ema = Ema(network, average, 0.998)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, betas=(0.9, 0.99), weight_decay=1e-2)
    run = Run(NAME, args, network=network, average=average, optimiser=optimiser)
    train(network, hits, run, optimiser, ema)
    average.centre.copy_(network.centre)
    average.eval()
    fit_space(average, hits)
    write(run, average, hits)


if __name__ == "__main__":
    main()
