"""DCGAN-like and fully connected generators from bare state dicts, whatever their keys are called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from igm_gui.errors import ModelError
from igm_gui.formats.card import Card
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.base import TorchGenerator
from igm_gui.generators.dcgan.layout import HINT, Layout, peak_bytes, read_layout, stack_tensors
from igm_gui.generators.dcgan.network import HIDDEN, JOINS, LAST, NORMS, WEIGHTED, Guess, PlainNetwork
from igm_gui.generators.dcgan.weights import plain_weights
from igm_gui.generators.roles import classes
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec

__all__ = ["PlainNetwork", "detect", "load"]

MAX_PEAK = 250_000_000  # bytes between layers while one picture is made; torch takes some times that


def detect(checkpoint: Checkpoint) -> bool:
    """Whether the file is a state dict; ModelError (from the layout) says why it is no plain stack."""
    return checkpoint.kind == "state_dict"


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """Build the generator; what was guessed is among ``info.warnings``. ModelError says why not."""
    card = checkpoint.card
    settings = card.hyperparameters if card else {}
    tensors = plain_weights(checkpoint.tensors)
    upsample = settings.get("upsample")
    if upsample is not None and not (
        isinstance(upsample, list) and all(isinstance(n, int) and n >= 0 for n in upsample)
    ):
        raise ModelError("The card's upsample is no list of convolutions.", "Such as [0, 1]; 0 is the first.")
    layout = read_layout(tensors, checkpoint.ordered, card.output if card else None, upsample)
    if peak_bytes(layout) > MAX_PEAK:
        raise ModelError(
            f"One picture of {layout.width}×{layout.height} would need {peak_bytes(layout) / 1e9:.1f} GB.",
            "No plain generator needs so much: the sizes were read wrongly. " + HINT,
        )
    linear = all(layer.kind in ("linear", "norm", "scaled", "prelu") for layer in layout.layers)
    guess = _guess(settings, layout, Guess("leaky_relu" if linear or _upsamples(layout) else "relu"))
    output = OutputSpec("image", layout.height, layout.width, layout.channels)
    if card is not None:
        output = card.output
        if (output.height, output.width, output.channels) != (layout.height, layout.width, layout.channels):
            raise ModelError(
                f"The card's output is {output.text}; the weights give {layout.width}×{layout.height} with "
                f"{layout.channels} channels.",
                HINT,
            )
    inputs = _inputs(layout, card, guess)
    table = tensors[f"{layout.table}.weight"] if layout.table else None
    network = PlainNetwork(layout, stack_tensors(layout, tensors), guess, table, checkpoint.half).eval()
    depth = sum(what in WEIGHTED for what, _, _ in network.steps)
    info = GeneratorInfo(
        name=checkpoint.name,
        title=(card.title if card else "") or checkpoint.name,
        family="dcgan",
        output=output,
        inputs=inputs,
        description=(card.description if card else "")
        or f"A plain generator of {depth} layers, read from its weights' shapes.",
        path=str(checkpoint.path),
        sha256=checkpoint.sha256,
        parameters=sum(t.numel() for t in tensors.values() if t.is_floating_point()),
        licence=card.licence if card else "",
        warnings=() if card else _told(layout, guess, output),
        preview_seeds=tuple(range(16)),
    )
    generator = TorchGenerator(info, network)
    generator.reentrant = True
    return generator


def _upsamples(layout: Layout) -> bool:
    return any(layer.double for layer in layout.layers)


def _guess(settings: dict[str, Any], layout: Layout, guess: Guess) -> Guess:
    """The guess with what the card says in its place. ModelError where that can't be."""
    if layout.table and layout.table_shape[1] == layout.into:
        guess = replace(guess, join="multiply")
    choices = {"hidden": HIDDEN, "last": LAST, "norm": NORMS, "join": JOINS}
    words = {}
    for name, known in choices.items():
        value = settings.get(name, getattr(guess, name))
        if value not in known:
            raise ModelError(f"The card's {name} is {value!r}.", f"Known are {', '.join(known)}.")
        words[name] = str(value)
    numbers: dict[str, tuple[float, ...]] = {}
    for name, usual in (("slope", guess.slope), ("eps", guess.eps[0]), ("groups", guess.groups)):
        value = settings.get(name, usual)
        many = value if isinstance(value, list) and name == "eps" else [value]
        for number in many:
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1e6:
                raise ModelError(f"The card's {name} is {value!r}.", "It is a number of at least 0.")
        numbers[name] = tuple(float(number) for number in many) or (float(usual),)
    groups = max(1, round(numbers["groups"][0]))
    return Guess(**words, slope=numbers["slope"][0], eps=numbers["eps"], groups=groups)


def _inputs(layout: Layout, card: Card | None, guess: Guess) -> tuple[InputSpec, ...]:
    """z, and a label where there is an embedding or the card says that classes are joined to z."""
    rows, width = layout.table_shape
    given = {spec.kind: spec for spec in card.inputs} if card else {}
    label = given.get("label")
    if label is not None and rows and label.size != rows:
        raise ModelError(f"The card has {label.size} classes, and the weights {rows}.", HINT)
    if label is None and rows:
        label = InputSpec("label", "label", title="Class", classes=classes(rows))
    taken = 0 if label is None or guess.join == "multiply" else width or label.size
    size = layout.into - taken
    if size < 1:
        raise ModelError(f"The first layer takes {layout.into} numbers, and a class gives {taken}.", HINT)
    z = given.get("latent") or InputSpec("z", "latent", shape=(size,))
    if z.size != size:
        raise ModelError(f"The card's latent has {z.size} numbers; the first layer takes {size}.", HINT)
    # The network names its arguments itself.
    z = replace(z, name="z", title=z.title or ("" if z.name == "z" else z.name))
    return (z,) if label is None else (z, replace(label, name="label"))


def _told(layout: Layout, guess: Guess, output: OutputSpec) -> tuple[str, ...]:
    """Sentences about what was guessed."""
    notes = [
        f"Guessed from the weights: hidden activation {guess.hidden}, last {guess.last}, "
        f"range {output.low:g} to {output.high:g}.",
        *layout.notes,
    ]
    if any(layer.kind == "scaled" for layer in layout.layers):
        notes.append("A normalisation without statistics is taken for instance normalisation.")
    if layout.table:
        how = {"after": "joined after z", "before": "joined before z", "multiply": "multiplied with z"}
        notes.append(f"The class is taken to be {how[guess.join]}.")
    return tuple(notes)
