"""How far each transposed convolution enlarges its picture: what kernels can't say is chosen so that the
whole comes out right."""

from __future__ import annotations

from collections.abc import Sequence

from igm_gui.errors import ModelError

MAX_SIDE = 4096
# Kernel -> (stride, padding, output padding) and how unusual that is. The first is the field's usual choice.
STRIDES: dict[int, tuple[tuple[tuple[int, int, int], int], ...]] = {
    1: (((1, 0, 0), 0),),
    2: (((2, 0, 0), 0),),
    3: (((2, 1, 1), 0), ((2, 1, 0), 1), ((1, 1, 0), 1), ((2, 0, 0), 2), ((1, 0, 0), 3)),
    4: (((2, 1, 0), 0), ((2, 0, 0), 2), ((1, 0, 0), 2), ((1, 1, 0), 3), ((4, 0, 0), 3)),
    5: (((2, 2, 1), 0), ((2, 2, 0), 1), ((1, 2, 0), 1), ((2, 0, 0), 2), ((1, 0, 0), 3)),
    6: (((2, 2, 0), 0), ((2, 0, 0), 2), ((1, 0, 0), 3)),
    7: (((1, 3, 0), 0), ((2, 3, 1), 1), ((1, 0, 0), 2)),
    8: (((4, 2, 0), 0), ((2, 3, 0), 1)),
    9: (((1, 4, 0), 0), ((2, 4, 1), 1)),
}
USUAL = (8, 16, 28, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096)
KEEPING = ((1, 1, 0), 0)
BARE = (((2, 0, 0), 0), ((1, 0, 0), 1))  # no padding anywhere
OTHERWISE = "Bring this network as ONNX or TorchScript, or export it with igm_gui.export_generator."

Step = tuple[int, int, int]  # stride, padding, output padding


def choose(
    start: int, layers: Sequence[tuple[int, bool]], wanted: int = 0, grey: bool = False
) -> tuple[list[Step], int]:
    """The steps of transposed convolutions after a picture of side ``start``, and the side that comes out.

    ``layers`` are (kernel, whether channels stay the same). ``wanted`` is a side that must come out (0: the
    usual steps where they give a usual side, else no padding at all, else the least unusual steps that do).
    ModelError where a kernel's step can't be guessed or the side can't be had.
    """
    options = [_options(kernel, same) for kernel, same in layers]
    usual = start
    for (kernel, _), possible in zip(layers, options, strict=True):
        usual = _after(usual, kernel, possible[0][0])
    best = _reachable(start, layers, options)
    if wanted:
        if wanted not in best:
            raise ModelError(
                f"These layers give pictures of {usual}×{usual}, and can't give {wanted}×{wanted}.",
                "Correct the output's size in the card.",
            )
        return best[wanted][1], wanted
    # One kernel of 3 among others, in a grey network: 4 -> 7 -> 14 -> 28, as for MNIST.
    if grey and [kernel for kernel, _ in layers].count(3) == 1 and best.get(28, (9,))[0] == 1:
        return best[28][1], 28
    if usual in USUAL or usual == start:
        return best[usual][1], usual
    bare = _reachable(start, layers, [BARE] * len(layers))
    for sides in (bare, best):
        # Grey pictures are mostly MNIST's, of 28: 3 -> 6 -> 13 -> 28 without padding is such a network.
        likely = [
            (sides[side][0], -side) for side in ([28] if grey and 28 in sides else USUAL) if side in sides
        ]
        if likely:
            side = -min(likely)[1]
            return sides[side][1], side
    if usual not in best or usual < 4:
        raise ModelError(f"The picture would be {usual} pixels wide.", OTHERWISE)
    return best[usual][1], usual


def _options(kernel: int, same: bool) -> list[tuple[Step, int]]:
    known = STRIDES.get(kernel)
    if known is None:
        raise ModelError(f"A layer has a kernel of {kernel}, whose stride can't be guessed.", OTHERWISE)
    return [KEEPING, *known] if kernel == 3 and same else list(known)


def _reachable(
    start: int, layers: Sequence[tuple[int, bool]], options: Sequence[Sequence[tuple[Step, int]]]
) -> dict[int, tuple[int, list[Step]]]:
    """Side that can come out -> (how unusual, steps), the least unusual for each."""
    best: dict[int, tuple[int, list[Step]]] = {start: (0, [])}
    for (kernel, _), possible in zip(layers, options, strict=True):
        after: dict[int, tuple[int, list[Step]]] = {}
        for side, (cost, steps) in best.items():
            for step, unusual in possible:
                new = _after(side, kernel, step)
                if 1 <= new <= MAX_SIDE and (new not in after or after[new][0] > cost + unusual):
                    after[new] = cost + unusual, [*steps, step]
        best = after
    return best


def _after(side: int, kernel: int, step: Step) -> int:
    stride, padding, extra = step
    return (side - 1) * stride - 2 * padding + kernel + extra
