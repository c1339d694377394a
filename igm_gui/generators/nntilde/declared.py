"""What an nn~ export says of itself: methods, sizes, sample rate, kind of latent, attributes.

Exports of different years say it differently, so every question has a fall-back, and every value is checked
before it is used as a size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from igm_gui.errors import ModelError
from igm_gui.info import InputSpec

Kind = Literal["plain", "codes", "angles"]

HINT = "Supported are nn~ exports with a decode method, such as RAVE's."
USUAL_RATE = 44_100
USUAL_CODES = 1024
MOST_CHANNELS, MOST_RATIO = 4096, 1 << 20
MOST_ATTRIBUTES = 64
BOOL, INT, FLOAT = 0, 1, 2  # nn~'s type codes; 3 is text, 4 a tensor, 5 a buffer
_PARAMS = "_params"


@dataclass(frozen=True)
class Method:
    """``<name>_params``: channels and samples per step that go in, and that come out."""

    in_channels: int
    in_ratio: int
    out_channels: int
    out_ratio: int


@dataclass(frozen=True)
class Attribute:
    """A setting of the export: its type codes and its values at opening, one for each part."""

    name: str
    kinds: tuple[int, ...]
    values: tuple[float, ...]

    def inputs(self) -> Iterator[InputSpec]:
        """A scalar input for each part. Exports don't tell ranges: they are wide around the first value,
        and other numbers can be typed."""
        for part, (kind, value) in enumerate(zip(self.kinds, self.values, strict=True)):
            name, title = f"attribute:{self.name}", self.name.replace("_", " ").capitalize()
            if len(self.kinds) > 1:
                name, title = f"{name}:{part}", f"{title} {part + 1}"
            low, high = _reach(kind, value)
            yield InputSpec(
                name, "scalar", title=title, description=f"The export's own setting {self.name}.",
                minimum=low, maximum=high, default=value, step=0.0 if kind == FLOAT else 1.0,
            )  # fmt: skip

    def names(self) -> tuple[str, ...]:
        """The names of :meth:`inputs`."""
        return tuple(spec.name for spec in self.inputs())

    def set(self, program: Any, values: list[float]) -> None:
        """Give ``values`` to the export's setter, as the types it wants. Raises what it raises."""
        casts = {BOOL: lambda v: v >= 0.5, INT: lambda v: round(v), FLOAT: float}
        typed = [casts[kind](value) for kind, value in zip(self.kinds, values, strict=True)]
        getattr(program, f"set_{self.name}")(*typed)


@dataclass(frozen=True)
class Declared:
    """An export's interface. ``size`` is what decode declares, ``full_size`` the latent before an export
    left out its least telling dimensions (the same where none were)."""

    decode: Method
    encode: Method | None
    methods: tuple[str, ...]
    size: int
    full_size: int
    rate: int
    rate_known: bool
    kind: Kind
    codes: int
    labels: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    unset: tuple[str, ...]  # attributes that are no numbers

    @property
    def ratio(self) -> int:
        """Samples in a latent step."""
        return max(self.decode.in_ratio // self.decode.out_ratio, 1)

    @property
    def channels(self) -> int:
        return self.decode.out_channels


def read(program: Any, name: str, rate: int = 0) -> Declared:
    """Ask ``program``, called ``name``. ``rate`` in Hz is the person's own answer; 0 where there is none.

    ModelError where there is no decode method or a declaration is absurd.
    """
    methods = _methods(program)
    decode = _method(program, "decode") if "decode" in methods else None
    if decode is None:
        raise ModelError(
            f"{name} has no decode method.", HINT, f"Its methods: {', '.join(methods) or 'none'}"
        )
    if decode.out_channels > 2:
        raise ModelError(f"The decode method of {name} declares {decode.out_channels} channels.", HINT)
    found = rate or _sample_rate(program)
    full = _integer(getattr(program, "full_latent_size", None))
    kind = _kind(program)
    attributes, unset = _attributes(program)
    return Declared(
        decode=decode,
        encode=_method(program, "encode") if "encode" in methods else None,
        methods=methods,
        size=decode.in_channels,
        # Codes and angles fill a space of their own: theirs can't be lengthened by more of them.
        full_size=full
        if kind == "plain" and decode.in_channels < full <= MOST_CHANNELS
        else decode.in_channels,
        rate=found or USUAL_RATE,
        rate_known=bool(found),
        kind=kind,
        codes=_codes(program) if kind == "codes" else 0,
        labels=_labels(program, decode.in_channels),
        attributes=attributes,
        unset=unset,
    )


def _methods(program: Any) -> tuple[str, ...]:
    """``get_methods()``, else every name that declares parameters. A ``prior`` stands on every RAVE export
    as a function; only the list, or ``_has_prior``, says that it works."""
    listed = _ask(program, "get_methods")
    if isinstance(listed, list | tuple) and all(isinstance(item, str) for item in listed):
        return tuple(item for item in listed if hasattr(program, item))
    found = [
        key.removesuffix(_PARAMS)
        for key, buffer in program.named_buffers()
        if key.endswith(_PARAMS) and "." not in key and buffer.numel() == 4
    ]
    prior = bool(getattr(program, "_has_prior", False))
    return tuple(item for item in found if hasattr(program, item) and (item != "prior" or prior))


def _method(program: Any, name: str) -> Method | None:
    buffer = getattr(program, f"{name}{_PARAMS}", None)
    if not isinstance(buffer, Tensor) or buffer.numel() != 4:
        return None
    a, b, c, d = (int(value) for value in buffer.tolist())
    sane = all(1 <= v <= MOST_CHANNELS for v in (a, c)) and all(1 <= v <= MOST_RATIO for v in (b, d))
    if not sane:
        raise ModelError(f"The {name} method declares {[a, b, c, d]}.", HINT)
    return Method(a, b, c, d)


def _ask(program: Any, name: str) -> Any:
    """What a getter of the export answers; None where it has none or fails."""
    try:
        return getattr(program, name)()
    except Exception:
        return None


def _integer(value: Any) -> int:
    """A number or a tensor of one number, as an int; 0 for anything else."""
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        return 0
    return int(value)


def _sample_rate(program: Any) -> int:
    """``sr``, else ``sampling_rate``, else the buffer ``_rave.sampling_rate`` of older exports; 0 where the
    export is silent. ``set_sample_rate`` is not called: it overwrites ``sr`` and resamples nothing."""
    answers = [getattr(program, name, None) for name in ("sr", "sampling_rate")]
    answers += [b for key, b in program.named_buffers() if key.rpartition(".")[2] == "sampling_rate"]
    return next((n for n in map(_integer, answers) if 1000 <= n <= 384_000), 0)


def _kind(program: Any) -> Kind:
    """Codes of a quantiser, angles on a sphere (from -1 to 1), or plain numbers, by the class's name."""
    name = str(getattr(program, "original_name", ""))
    if "Discrete" in name or hasattr(program, "quantizer"):
        return "codes"
    return "angles" if "Spherical" in name else "plain"


def _codes(program: Any) -> int:
    """How many codes each quantiser knows."""
    for module in program.modules():
        for name in ("n_codes", "codebook_size"):
            count = _integer(getattr(module, name, None))
            if 2 <= count <= MOST_RATIO:
                return count
    return USUAL_CODES


def _labels(program: Any, size: int) -> tuple[str, ...]:
    """Names of the dimensions: the export's own, without nn~'s type marks, or numbers."""
    labels = getattr(program, "decode_input_labels", None)
    if not (isinstance(labels, list | tuple) and len(labels) == size):
        return tuple(f"latent {i}" for i in range(size))
    plain = [re.sub(r"^\(\w+\)\s*", "", str(label))[:40] for label in labels]
    return tuple(re.sub(r"^[Ll]atent dimension (\d+)$", r"latent \1", text) for text in plain)


def shares(program: Any, size: int) -> tuple[float, ...]:
    """What part of the latents' variance each dimension carries, by the export's cumulative ``fidelity``."""
    buffer = getattr(program, "fidelity", None)
    if not isinstance(buffer, Tensor) or buffer.ndim != 1 or buffer.numel() < 2:
        return ()
    values = np.asarray(buffer.detach().cpu().numpy(), np.float64)
    steps = np.diff(values, prepend=0.0)
    if not np.isfinite(values).all() or steps.min() < -1e-3 or not 0 < values[-1] < 1.01:
        return ()
    padded = np.pad(np.clip(steps, 0, 1), (0, max(0, size - len(steps))))
    return tuple(float(v) for v in padded[:size])


def _attributes(program: Any) -> tuple[tuple[Attribute, ...], tuple[str, ...]]:
    names = _ask(program, "get_attributes")
    found: list[Attribute] = []
    unset: list[str] = []
    for name in names if isinstance(names, list | tuple) else ():
        codes = getattr(program, f"{name}{_PARAMS}", None)
        values = current(program, str(name))
        kinds = tuple(int(v) for v in codes.flatten().tolist()) if isinstance(codes, Tensor) else ()
        numbers = all(kind in (BOOL, INT, FLOAT) for kind in kinds)
        if not kinds or not numbers or len(values) != len(kinds) or not hasattr(program, f"set_{name}"):
            unset.append(str(name))
        elif len(found) < MOST_ATTRIBUTES:
            found.append(Attribute(str(name), kinds, values))
    return tuple(found), tuple(unset)


def current(program: Any, name: str) -> tuple[float, ...]:
    """An attribute's values now; empty where they are no numbers."""
    value = _ask(program, f"get_{name}")
    parts = value if isinstance(value, list | tuple) else (value,)
    numbers = [float(part) for part in parts if isinstance(part, bool | int | float)]
    return tuple(numbers) if len(numbers) == len(parts) and bool(np.isfinite(numbers).all()) else ()


def _reach(kind: int, value: float) -> tuple[float, float]:
    if kind == BOOL:
        return 0.0, 1.0
    if kind == INT:
        return (0.0 if value >= 0 else 4 * value), max(8.0, 4 * abs(value))
    if 0 <= value <= 1:
        return 0.0, 1.0
    return min(0.0, 4 * value), max(1.0, 4 * abs(value))


def state(program: torch.nn.Module) -> list[Tensor]:
    """The memory of the streaming layers: cached paddings and delays."""
    return [b for name, b in program.named_buffers() if name.rpartition(".")[2] in ("pad", "cache")]
