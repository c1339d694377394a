"""The networks of the fashion-* family: 28x28 grey pictures of clothes, one class at a time.

All fashion-* models that transport one z to one picture share :class:`FashionGenerator`, so that the
only thing that differs between them is the distance they were trained with.  Nothing here depends on the
rest of the batch (no batch norm), so a picture is the same alone and in a grid.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Z_DIM = 64
N_CLASSES = 10
SIZE = 28


class StyledNorm(nn.Module):
    """Group normalisation whose gain and bias come from a style vector (conditional affine).

    The style holds z and the class; it tells each layer how strong every feature map is
    (FiLM, Perez et al. 2018, arXiv:1709.07871; self-modulation, Chen et al. 2019, arXiv:1810.01365).
    """

    def __init__(self, channels: int, style_dim: int, groups: int = 8) -> None:
        super().__init__()
        self.groups = groups
        self.affine = nn.Linear(style_dim, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W), (B, style_dim) -> (B, C, H, W)."""
        gain, bias = self.affine(style)[:, None].chunk(2, dim=2)  # (B, 1, C)
        batch, channels, height, width = x.shape
        x = F.group_norm(x, self.groups).permute(0, 2, 3, 1)  # to channels last, where the product is fastest
        x = torch.addcmul(bias, x.reshape(batch, height * width, channels), 1 + gain)
        return x.view(batch, height, width, channels).permute(0, 3, 1, 2)


class FashionGenerator(nn.Module):
    """z (B, 64) from a standard normal and class weights (B, 10) -> pictures (B, 1, 28, 28) in [-1, 1]."""

    def __init__(
        self, z_dim: int = Z_DIM, n_classes: int = N_CLASSES, width: int = 64, style_dim: int = 128
    ) -> None:
        super().__init__()
        self.z_dim, self.n_classes, self.width = z_dim, n_classes, width
        self.class_embedding = nn.Embedding(n_classes, z_dim)
        self.style = nn.Linear(2 * z_dim, style_dim)
        self.start = nn.Linear(2 * z_dim, 2 * width * 7 * 7)
        self.norm7 = StyledNorm(2 * width, style_dim)
        self.up14 = nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1)
        self.norm14 = StyledNorm(width, style_dim)
        self.conv14 = nn.Conv2d(width, width, 3, padding=1)
        self.up28 = nn.Conv2d(width, 4 * 8, 3, padding=1)  # four sub-pixels of 8 maps each
        self.out28 = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """z (B, z_dim), label (B, n_classes) weights that sum to 1 -> pictures (B, 1, 28, 28) in [-1, 1].

        A one-hot row is a class; a mixture meets in the embedding, halfway between the classes.
        """
        code = torch.cat([z, label @ self.class_embedding.weight], dim=1)  # (B, 2 * z_dim)
        style = F.leaky_relu(self.style(code), 0.2)
        x = self.start(code).view(-1, 7, 7, 2 * self.width).permute(0, 3, 1, 2)  # channels last in memory
        x = F.leaky_relu(self.norm7(x, style), 0.2)
        x = self.up14(x)  # (B, width, 14, 14)
        x = F.leaky_relu(self.norm14(x, style), 0.2)
        x = F.leaky_relu(x + self.conv14(x), 0.2)
        x = F.leaky_relu(F.pixel_shuffle(self.up28(x), 2), 0.2)  # (B, 8, 28, 28)
        return torch.tanh(self.out28(x))


class FashionEncoder(nn.Module):
    """Pictures (B, 1, 28, 28) in [-1, 1] -> mean and log variance of z (B, 64 each), class logits (B, 10).

    z is what the class does not say: its moments depend on the class too, given or else guessed.
    """

    def __init__(self, z_dim: int = Z_DIM, n_classes: int = N_CLASSES, width: int = 64) -> None:
        super().__init__()
        self.z_dim = z_dim
        self.conv14 = nn.Conv2d(1, width, 4, stride=2, padding=1)
        self.conv7 = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
        self.conv3 = nn.Conv2d(2 * width, 2 * width, 4, stride=2, padding=1)
        self.dense = nn.Linear(2 * width * 9, 128)
        self.moments = nn.Linear(128 + n_classes, 2 * z_dim)
        self.classes = nn.Linear(128, n_classes)

    def forward(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """label: class weights (B, n_classes), or None for the most probable class."""
        for layer in (self.conv14, self.conv7, self.conv3):
            x = F.leaky_relu(layer(x), 0.2)
        h = F.leaky_relu(self.dense(x.flatten(1)), 0.2)
        logits = self.classes(h)
        if label is None:
            label = F.one_hot(logits.argmax(dim=1), logits.shape[1]).to(h.dtype)
        mean, log_variance = self.moments(torch.cat([h, label], dim=1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 4), logits


class ClassPrior(nn.Module):
    """Standard normal z (B, 64) -> the z that a class uses, mean_y + factor_y z; and back.

    An autoencoder's classes need not each fill the whole prior.  The Gaussian that fits a class's own codes
    is the best prior for it (Hoffman and Johnson 2016, "ELBO surgery"), and z stays standard normal outside.
    """

    def __init__(self, z_dim: int = Z_DIM, n_classes: int = N_CLASSES) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(n_classes, z_dim))
        self.factor = nn.Parameter(torch.eye(z_dim).repeat(n_classes, 1, 1))  # lower triangular

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """label (B, n_classes): class weights; a mixture lies between the classes' Gaussians."""
        factor = torch.einsum("bk,kij->bij", label, self.factor)
        return label @ self.mean + (factor @ z[:, :, None])[:, :, 0]

    def inverse(self, code: Tensor, label: Tensor) -> Tensor:
        factor = torch.einsum("bk,kij->bij", label, self.factor)
        centred = (code - label @ self.mean)[:, :, None]
        return torch.linalg.solve_triangular(factor, centred, upper=False)[:, :, 0]
