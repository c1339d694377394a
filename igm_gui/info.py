"""What a generator is, as plain data: its inputs, its output, where it comes from.

These types are leaves: they import nothing of the program, no torch and no Qt, so that the
command line, the session and every panel can be built from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

InputKind = Literal["latent", "label", "scalar", "seed"]
PriorKind = Literal["normal", "uniform", "sphere"]
Media = Literal["image", "sound"]


@dataclass(frozen=True)
class InputSpec:
    """One input of a generator.

    - ``latent``: a float32 array of ``shape``, drawn from ``prior`` ("normal" N(0, 1),
      "uniform" U(-1, 1), "sphere" uniform on the sphere of radius sqrt(dim)).
      ``dimensions`` may name its dimensions.
    - ``label``: weights over ``classes``, non-negative and summing to 1; one-hot for a single
      class, anything between for a mixture.
    - ``scalar``: a number from ``minimum`` to ``maximum`` in ``unit``; ``default`` is where a
      double click returns to. With ``step`` 1 it is a whole number.
    - ``seed``: a non-negative integer below 2**32 that fixes a source of noise.

    Names with a meaning of their own: ``z`` and ``w`` (latents), ``label``, ``truncation``
    (psi, a scalar), ``cutoff`` (layers that truncation reaches), ``coarse_layers`` (how many
    layers follow z; the others follow the latent ``fine``, which does nothing at the maximum),
    ``pitch`` (MIDI note number) and ``loudness`` (dB below full scale), ``noise`` (strength),
    ``noise_seed``.
    """

    name: str
    kind: InputKind
    title: str = ""
    description: str = ""
    shape: tuple[int, ...] = ()
    prior: PriorKind = "normal"
    dimensions: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = 1.0
    default: float = 0.0
    step: float = 0.0
    unit: str = ""

    @property
    def size(self) -> int:
        """Numbers in a latent, classes in a label, otherwise 1."""
        if self.kind == "label":
            return len(self.classes)
        total = 1
        for side in self.shape:
            total *= side
        return total

    @property
    def label_text(self) -> str:
        """The title, or the name where there is none."""
        return self.title or self.name


@dataclass(frozen=True)
class OutputSpec:
    """What a generator gives.

    An image is ``height`` x ``width`` x ``channels`` (1, 3 or 4); ``low`` and ``high`` are the
    network's values for black and white. A sound has ``sample_rate`` in Hz, ``channels`` and
    ``samples`` per rendering (0 where the length is not fixed: it streams).
    """

    media: Media
    height: int = 0
    width: int = 0
    channels: int = 1
    low: float = -1.0
    high: float = 1.0
    sample_rate: int = 0
    samples: int = 0

    @property
    def text(self) -> str:
        """A few words for a label, such as ``image 64×64 RGB`` or ``sound 24 kHz``."""
        if self.media == "image":
            colour = {1: "grey", 3: "RGB", 4: "RGBA"}.get(self.channels, f"{self.channels} channels")
            return f"image {self.width}×{self.height} {colour}"
        return f"sound {self.sample_rate / 1000:g} kHz" + (" stereo" if self.channels == 2 else "")


@dataclass(frozen=True)
class Direction:
    """A named direction in an input's space; ``vector`` has that latent's size, unit length."""

    name: str
    input: str
    vector: tuple[float, ...]
    minimum: float = -3.0
    maximum: float = 3.0
    description: str = ""


@dataclass(frozen=True)
class StyleSpace:
    """The space w between the prior and the picture: one row of ``size`` numbers for each of ``layers``,
    coarse to fine (w+; Karras et al. 2019, Abdal et al. 2019).

    ``principal`` holds the principal directions of mapped samples, largest variance first, each as long as
    the standard deviation along it (GANSpace, Härkönen et al. 2020). ``spread`` is the standard deviation of
    a single dimension of w, ``z`` the size of the latent that a second style is mapped from.
    """

    layers: tuple[str, ...]
    size: int
    z: int = 0
    spread: float = 1.0
    principal: tuple[tuple[float, ...], ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """That of w and of what is added to it: (layers, size)."""
        return len(self.layers), self.size

    @cached_property
    def edits(self) -> tuple[InputSpec, ...]:
        """What a point may hold beside its inputs; a value that is absent changes nothing.

        ``w``: w+ itself, in place of what z gives (z, class and truncation then do nothing). ``mix``: a
        second latent; ``mix_layers``: how much each layer follows it, 0 to 1. ``w_offset``: added to w.
        """
        found = [InputSpec("w", "latent", "Fixed w", shape=self.shape)]
        if self.z:
            found.append(InputSpec("mix", "latent", "Second style", shape=(self.z,)))
            found.append(InputSpec("mix_layers", "latent", "Mixed layers", shape=(len(self.layers),)))
        return (*found, InputSpec("w_offset", "latent", "Moved in w", shape=self.shape))


@dataclass(frozen=True)
class GeneratorInfo:
    """Everything the program shows or needs of a generator without its weights."""

    name: str
    family: str
    output: OutputSpec
    inputs: tuple[InputSpec, ...]
    title: str = ""
    description: str = ""
    path: str = ""
    sha256: str = ""
    parameters: int = 0
    precision: str = "float32"
    abilities: tuple[str, ...] = ()
    licence: str = ""
    distance: str = ""
    preview_seeds: tuple[int, ...] = ()
    directions: tuple[Direction, ...] = ()
    styles: StyleSpace | None = None
    warnings: tuple[str, ...] = ()
    delay: float = 0.0  # of live sound: seconds from a moved input until half of the change is heard
    card: dict[str, object] = field(default_factory=dict, compare=False)

    @property
    def edits(self) -> tuple[InputSpec, ...]:
        """What a point may hold beside the inputs (see :class:`StyleSpace`)."""
        return self.styles.edits if self.styles is not None else ()

    @property
    def media(self) -> Media:
        return self.output.media

    def input(self, name: str) -> InputSpec | None:
        """The input called ``name``, or None."""
        return next((spec for spec in self.inputs if spec.name == name), None)

    def of_kind(self, kind: InputKind) -> tuple[InputSpec, ...]:
        """The inputs of one kind, in their order."""
        return tuple(spec for spec in self.inputs if spec.kind == kind)

    @property
    def latent(self) -> InputSpec | None:
        """The first latent input: what the strip shows and the seed draws."""
        return next(iter(self.of_kind("latent")), None)

    @property
    def latent_text(self) -> str:
        """``z ∈ ℝ⁶⁴`` for a label; empty where there is no latent."""
        spec = self.latent
        if spec is None:
            return ""
        return f"{spec.name}∈ℝ{str(spec.size).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
