"""What was measured of a model on this machine, kept so that it is measured once."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import torch

from igm_gui.errors import IgmError
from igm_gui.formats.files import write_atomic
from igm_gui.paths import cache_folder

MOST = 500
_here: dict[str, dict[str, Any]] = {}  # what could not be written


def key(sha256: str, rules: int) -> str:
    """A model's contents, the release of torch, what this processor can do, and the ``rules`` of the module
    that measures: raised when what was kept should be measured again."""
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{sha256}:{rules}:{torch.__version__}:{capability}:{has_bfloat16()}"


def has_bfloat16() -> bool:
    """Whether this processor computes in bfloat16 itself. Elsewhere it is slower than float32."""
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    try:
        return bool(supported()) if supported is not None else False
    except RuntimeError:
        return False


def _read(file: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode((cache_folder() / file).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return {}


def kept(file: str, name: str) -> Any:
    """What was kept in ``file`` of the cache folder as ``name``; None where nothing was, or it is damaged."""
    return _read(file).get(name, _here.get(file, {}).get(name))


def keep(file: str, name: str, value: Any) -> None:
    """Keep ``value``, anything that JSON holds. Where the folder can't be written it is kept for this run."""
    known = _read(file)
    known.pop(name, None)
    known[name] = value
    try:
        write_atomic(cache_folder() / file, json.dumps(dict(list(known.items())[-MOST:])).encode())
    except (IgmError, OSError):
        _here.setdefault(file, {})[name] = value
