"""What a generator is, as plain data: its inputs, its output, where it comes from.

These types are leaves: they import nothing of the program, no torch and no Qt, so that the
command line, the session and every panel can be built from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    (psi, a scalar), ``cutoff`` (layers that truncation reaches), ``pitch`` (MIDI note number)
    and ``loudness`` (dB below full scale), ``noise`` (strength), ``noise_seed``.
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
    warnings: tuple[str, ...] = ()
    delay: float = 0.0  # of live sound: seconds from a moved input until half of the change is heard
    card: dict[str, object] = field(default_factory=dict, compare=False)

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
