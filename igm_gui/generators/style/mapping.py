"""The mapping network z -> w of the style family: an entropic optimal transport map.

It carries N(0, 1) to a cloud of anchors y_i in w, each with its label (Pooladian and Niles-Weed
2021, arXiv:2109.12004):

    w = sum_i p_i(z) y_i + spread * z,
    p(z) = softmax over i of (z . y_i + b_i) / epsilon + log label_i.

The biases b are Sinkhorn's potentials: with them every anchor is given the same mass. A small
epsilon keeps a sample near one anchor, a large one mixes neighbours. The map is the gradient of a
strongly convex function of z, so it can be run backwards from any w: a picture that the encoder
has placed in w also has a place in z.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

NEWTON_STEPS = 60
TOLERANCE = 1e-6


class TransportMapping(nn.Module):
    """z (N(0, 1)) and label weights to w, invertibly, through `n_anchors` points of w."""

    anchors: Tensor  # (n_anchors, dim)
    anchor_labels: Tensor  # (n_anchors,), whole numbers
    bias: Tensor  # (n_anchors,)
    spread: Tensor  # (dim,), positive
    epsilon: Tensor  # ()

    def __init__(self, n_anchors: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.zeros(n_anchors, dim))
        self.register_buffer("anchor_labels", torch.zeros(n_anchors, dtype=torch.long))
        self.register_buffer("bias", torch.zeros(n_anchors))
        self.register_buffer("spread", torch.ones(dim))
        self.register_buffer("epsilon", torch.ones(()))

    def logits(self, z: Tensor, label: Tensor) -> Tensor:
        """Log weights of the anchors, up to a constant: (B, n_anchors)."""
        weight = label[:, self.anchor_labels]
        allowed = torch.where(weight > 0, weight.clamp(min=1e-12).log(), -1e6)
        return (z @ self.anchors.T + self.bias) / self.epsilon + allowed

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """z (B, dim), label weights (B, n_labels) -> w (B, dim)."""
        return self.logits(z, label).softmax(1) @ self.anchors + self.spread * z

    def inverse(self, w: Tensor, label: Tensor) -> Tensor:
        """The z that gives w (B, dim), by a damped Newton method in float64.

        z is the minimum of epsilon logsumexp(logits(z)) + z . spread z / 2 - w . z, whose Hessian
        is the anchors' covariance under p, over epsilon, plus spread.
        """
        pairs = zip(w.cpu().double(), label.cpu().double(), strict=True)  # MPS has no float64
        rows = [self._wide(one)._solve(row, one) for row, one in pairs]
        return torch.stack(rows).to(w)

    def _wide(self, label: Tensor) -> TransportMapping:
        """A copy in float64 with only the anchors that the label weights (n_labels,) allow."""
        state = {name: tensor.cpu() for name, tensor in self.state_dict().items()}
        members = label[state["anchor_labels"]] > 0
        for name in ("anchors", "anchor_labels", "bias"):
            state[name] = state[name][members]
        wide = TransportMapping(*state["anchors"].shape).double()
        wide.load_state_dict(state)
        return wide

    def _potential(self, z: Tensor, w: Tensor, label: Tensor) -> Tensor:
        lse = torch.logsumexp(self.logits(z[None], label[None])[0], 0)
        return self.epsilon * lse + 0.5 * (self.spread * z * z).sum() - w @ z

    def _solve(self, w: Tensor, label: Tensor) -> Tensor:
        z = torch.zeros_like(w)
        value = self._potential(z, w, label)
        for _ in range(NEWTON_STEPS):
            p = self.logits(z[None], label[None])[0].softmax(0)
            mean = p @ self.anchors
            gradient = mean + self.spread * z - w
            if float(gradient.abs().max()) < TOLERANCE:
                break
            centred = self.anchors - mean
            hessian = (centred.T * p) @ centred / self.epsilon + torch.diag(self.spread)
            step = torch.linalg.solve(hessian, gradient)
            # Armijo's rule; p can change abruptly, and a full step then overshoots.
            scale, slope = 1.0, float(gradient @ step)
            while scale > 1e-8:
                trial = z - scale * step
                trial_value = self._potential(trial, w, label)
                if float(trial_value) <= float(value) - 1e-4 * scale * slope:
                    z, value = trial, trial_value
                    break
                scale /= 2
            else:
                break
        return z

    def nearest_label(self, w: Tensor, n_labels: int, neighbours: int = 5) -> Tensor:
        """Label weights (B, n_labels), one-hot: the label that most of the nearest anchors have.

        Distances are counted in spreads; near anchors count more, by the inverse distance.
        """
        distance = torch.cdist(w / self.spread, self.anchors / self.spread)
        near = distance.topk(min(neighbours, len(self.anchors)), largest=False)
        votes = torch.zeros(len(w), n_labels, dtype=w.dtype, device=w.device)
        votes.scatter_add_(1, self.anchor_labels[near.indices], 1 / near.values.clamp(min=1e-3))
        return torch.eye(n_labels, dtype=w.dtype, device=w.device)[votes.argmax(1)]


def balance(mapping: TransportMapping, n_labels: int, samples: int = 4096, rounds: int = 100) -> None:
    """Set the biases by Sinkhorn's iterations, so that a label's anchors share its z evenly.

    `samples` draws of z (seed 0) stand for N(0, 1); `rounds` half-steps are made for each label.
    """
    z = torch.randn(samples, mapping.anchors.shape[1], generator=torch.Generator().manual_seed(0))
    for label in range(n_labels):
        members = mapping.anchor_labels == label
        anchors = mapping.anchors[members]
        bias = -0.5 * anchors.square().sum(1)
        scores = z @ anchors.T
        for _ in range(rounds):
            mass = ((scores + bias) / mapping.epsilon).softmax(1).mean(0)
            bias = bias - mapping.epsilon * (mass.clamp(min=1e-12) * len(anchors)).log()
        mapping.bias[members] = bias - bias.mean()
