"""What torch.load would be asked to do, looked at beforehand: names, absurd sizes, claims beyond the file.

``torch.load(weights_only=True)`` names what it refuses and runs nothing. It does not look at sizes, though:
it reserves what a file claims, and a tensor may claim the same few bytes a million times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from igm_gui.formats.pickle_inert import claimed_numbers
from igm_gui.formats.pickle_scan import HINT, Refused, scan_next

if TYPE_CHECKING:
    import torch

SLACK = 1 << 20
PICKLES = (
    5  # of a file from before the archives: magic number, version, system, the object, the storages' keys
)


def check_stream(stream: BinaryIO, size: int) -> None:
    """The pickles of a torch file from before the archives, ``size`` bytes long in all.

    Refused where one is damaged, absurd, or claims more numbers than there are bytes."""
    for _ in range(PICKLES):
        check_pickle(stream, size)


def check_pickle(stream: BinaryIO, size: int) -> None:
    """One pickle that begins where ``stream`` stands, of a file of ``size`` bytes. Refused as above."""
    start = stream.tell()
    scan_next(stream, outside=True)
    stream.seek(start)
    claimed = claimed_numbers(stream)
    if claimed > size + SLACK:
        raise Refused(f"The file claims to hold {claimed:,} numbers and is {size:,} bytes long.", HINT)


def check_tensors(value: Any, size: int) -> None:
    """Every tensor in nested dicts and lists is plain, lies within its storage, and all together are no more
    than twice the ``size`` of the file. Refused otherwise."""
    import torch

    total = 0
    seen: set[int] = set()
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, torch.Tensor):
            total += _bytes(item)
            if total > 2 * size + SLACK:
                raise Refused(f"The file's tensors claim more than {total:,} bytes; it has {size:,}.", HINT)
        elif isinstance(item, dict | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            stack.extend(item.values() if isinstance(item, dict) else item)


def _bytes(tensor: torch.Tensor) -> int:
    """Bytes that a tensor claims. Refused where it is of an odd kind or larger than what it lies in."""
    import torch

    plain = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    if not plain or tensor.is_complex():
        raise Refused("The file holds tensors of another kind than plain numbers.", HINT)
    claimed = tensor.numel() * tensor.element_size()
    if claimed > tensor.untyped_storage().nbytes():
        raise Refused(f"A tensor of the file claims {claimed:,} bytes over fewer stored ones.", HINT)
    return claimed
