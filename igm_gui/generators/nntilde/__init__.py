"""RAVE and other nn~ exports (TorchScript ``.ts``): latents as sliders, live decoding, encoding.

The interface is nn~'s (Caillon and Esling 2021, "RAVE", arXiv:2111.05011; 2022, "Streamable neural audio
synthesis"): a method ``decode`` (1, D, T) -> (1, channels, T * ratio) described by an integer buffer
``decode_params`` [channels in, ratio in, channels out, ratio out], and perhaps ``encode`` the other way.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace

import torch

from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.nntilde import declared as declaration
from igm_gui.generators.nntilde import measure
from igm_gui.generators.nntilde.declared import HINT, Declared
from igm_gui.generators.nntilde.decoder import Decoder
from igm_gui.generators.nntilde.generator import FRESH_NOISE, NnTildeGenerator, NnTildeStream
from igm_gui.generators.nntilde.measure import Measured
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec

__all__ = ["NnTildeGenerator", "NnTildeStream", "detect", "load"]

SECONDS = 3.0
MARKS = (b"decode_params", b"encode_params", b"get_methods")


def detect(checkpoint: Checkpoint) -> bool:
    """Whether a TorchScript declares nn~'s interface; its code is read as text."""
    if checkpoint.kind != "torchscript":
        return False
    with zipfile.ZipFile(checkpoint.path) as archive:
        code = [name for name in archive.namelist() if "/code/" in name and name.endswith(".py")]
        return any(mark in text for text in map(archive.read, code) for mark in MARKS)


def load(checkpoint: Checkpoint) -> NnTildeGenerator:
    """Open an nn~ export after the person's yes. TrustNeeded before it; ModelError says why not."""
    content = trust.content(checkpoint.path, "an nn~ export in TorchScript")
    try:
        program = torch.jit.load(content.stream(), map_location="cpu").eval()
    except Exception as error:
        raise ModelError(
            f"{checkpoint.path.name} can't be opened as TorchScript.", HINT, str(error)
        ) from error
    card = checkpoint.card
    declared = declaration.read(program, checkpoint.path.name, card.output.sample_rate if card else 0)
    decoder = Decoder(program)
    measured = measure.remembered(checkpoint.sha256, declared)
    if measured is None:
        measured = measure.measure(decoder, declared, checkpoint.name)
        measure.remember(checkpoint.sha256, measured)
    else:
        _check_runs(decoder, measured, checkpoint.name)
    idle = tuple(a.name for a in declared.attributes if a.name not in measured.settings)
    declared = replace(
        declared, attributes=tuple(a for a in declared.attributes if a.name in measured.settings)
    )
    ratio, rate = declared.ratio, declared.rate
    info = GeneratorInfo(
        name=checkpoint.name,
        title=(card.title if card else "") or checkpoint.name,
        family="nntilde",
        output=OutputSpec(
            "sound",
            channels=declared.channels,
            sample_rate=rate,
            samples=max(1, round(SECONDS * rate / ratio)) * ratio,
        ),
        inputs=_inputs(program, declared, measured),
        description=_description(declared, measured, idle),
        path=str(checkpoint.path),
        sha256=checkpoint.sha256,
        parameters=sum(p.numel() for p in program.parameters()),
        abilities=("stream", "encode") if declared.encode else ("stream",),
        licence=card.licence if card else "",
        preview_seeds=tuple(range(8)),
        warnings=tuple(_warnings(declared, measured)),
        delay=measured.half / rate,
    )
    return NnTildeGenerator(info, program, decoder, declared, measured)


def _check_runs(decoder: Decoder, measured: Measured, name: str) -> None:
    try:
        measure.warm_up(decoder, measured.size)
    except Exception as error:
        raise ModelError(f"{name}'s decoder does not run.", HINT, str(error)) from error


def _inputs(program: torch.nn.Module, declared: Declared, measured: Measured) -> tuple[InputSpec, ...]:
    names = [*declared.labels, *(f"residual {i}" for i in range(declared.size, measured.size))]
    bounded = measured.space.kind != "plain"
    parts = () if bounded else declaration.shares(program, measured.size)
    if parts:
        names = [f"{name} · {part:.1%}" for name, part in zip(names, parts, strict=True)]
    inputs = [
        InputSpec(
            "z",
            "latent",
            description=measured.space.text(declared.labels),
            shape=(measured.size,),
            dimensions=tuple(names),
            prior="uniform" if bounded else "normal",
        )
    ]
    if measured.size > declared.size:
        inputs.append(
            InputSpec(
                FRESH_NOISE,
                "scalar",
                title="Fresh noise",
                description=f"The export keeps {declared.size} of {measured.size} dimensions and fills the "
                "rest with noise. At 0 the sliders hold them still; at 1 they are noise, as in nn~.",
                default=0.0,
            )
        )
    for attribute in declared.attributes:
        inputs += attribute.inputs()
    if measured.noisy or measured.size > declared.size:
        inputs.append(
            InputSpec(
                "noise_seed",
                "seed",
                title="Noise seed",
                description="Fixes the noise that the export draws.",
            )
        )
    return tuple(inputs)


def _description(declared: Declared, measured: Measured, idle: tuple[str, ...]) -> str:
    kinds = {"plain": "", "codes": f" of {measured.space.codes} codes", "angles": " of angles"}
    text = (
        f"An nn~ export: {declared.rate / declared.ratio:.1f} latent steps{kinds[measured.space.kind]} "
        f"a second, {declared.ratio} samples each; methods {', '.join(declared.methods)}."
    )
    if measured.half > 0:
        audible, half = (1000 * samples / declared.rate for samples in (measured.audible, measured.half))
        text += (
            f" A moved slider is first heard after {audible:.0f} ms and half of it after {half:.0f} ms: "
            "the decoder's own delay, measured."
        )
    if idle:
        text += f" Settings that don't reach the decoder: {', '.join(idle[:8])}."
    return text


def _warnings(declared: Declared, measured: Measured) -> list[str]:
    warnings = []
    if not declared.rate_known:
        warnings.append(
            f"The export does not say its sample rate; {declared.rate} Hz is assumed. "
            "Model information can set another."
        )
    if not measured.streams:
        warnings.append(
            "This export was not made for streaming: live sound will have seams where blocks meet "
            f"({measured.seam:.0%} difference). Export it again with --streaming."
        )
    if declared.unset:
        warnings.append(f"Settings that are not numbers stay as they are: {', '.join(declared.unset[:8])}.")
    return warnings
