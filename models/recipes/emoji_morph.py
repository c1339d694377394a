"""What should be seen between several emoji: a shape between their shapes, in colours between theirs.

The mean of pictures is a pale ghost of each. So shapes and colours are mixed apart: the outline is
where the mean of the signed distances to their outlines is zero (shape-based interpolation, Raya and
Udupa 1990, doi:10.1109/42.52980), and the colours, carried on beyond each outline, fill it. The
networks learn from these pictures what lies between the training pictures.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

MOST = 12  # pictures in one mixture; the others' weights are next to nothing
# Colours follow the largest weight more than shapes do: a face with two pairs of eyes is no face.
DECIDED = 1.6
REACH = 3.0  # pixels beyond its outline after which a picture's colours have little say


def signed_distance(alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Opacity (H, W) in 0..1 -> pixels to the outline, positive inside; and the row and column of the
    nearest pixel inside, all (H, W). At the outline itself opacity tells the distance, as a share of a pixel.
    """
    inside = alpha >= 0.5 * alpha.max()
    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    height, (rows, columns) = distance_transform_edt(~inside, return_indices=True)
    distance = np.where(inside, depth - 0.5, 0.5 - height)
    at_outline = (np.maximum(depth, height) <= 1.5) & (alpha > 0.02) & (alpha < 0.98)
    return np.where(at_outline, alpha - 0.5, distance), rows, columns


class Morphs:
    """The training pictures, ready to be mixed."""

    def __init__(self, cut_out: np.ndarray, pictures: Tensor) -> None:
        """uint8 (N, H, W, 4) with transparency; the same on white, (N, 3, H, W) in -1..1."""
        distances, colours = [], []
        for one, flat in zip(cut_out, pictures, strict=True):
            distance, rows, columns = signed_distance(one[:, :, 3] / 255)
            # Near the outline white shines through the picture on white, further in it belongs to it.
            pure = torch.from_numpy(one[:, :, :3].astype(np.float32)).permute(2, 0, 1) / 127.5 - 1
            deep = torch.from_numpy(distance > 1.5)
            colours.append(torch.where(deep, flat, pure)[:, rows, columns])
            distances.append(torch.from_numpy(distance).float())
        self.distances, self.colours = torch.stack(distances), torch.stack(colours)

    def __call__(self, weights: Tensor) -> Tensor:
        """Weights of all pictures (B, N), which sum to 1 -> mixtures (B, 3, H, W) in -1..1."""
        weight, index = weights.topk(min(MOST, weights.shape[1]), 1)
        weight = (weight / weight.sum(1, keepdim=True))[:, :, None, None]
        distance = self.distances[index]
        cover = ((weight * distance).sum(1) + 0.5).clamp(0, 1)[:, None]
        say = weight**DECIDED * torch.exp(distance.clamp(max=0) / REACH)
        say = say / say.sum(1, keepdim=True).clamp(min=1e-12)
        colour = (say[:, :, None] * self.colours[index]).sum(1)
        return (colour - 1) * cover + 1
