"""The mapping network z -> w of the style family: an entropic optimal transport map.

It carries N(0, 1) to a cloud of anchors y_i in w, each with its label (Pooladian and Niles-Weed
2021, arXiv:2109.12004):

    w = sum_i p_i(z) y_i + spread * z,
    p(z) = softmax over i of (z . y_i + b_i) / epsilon + log label_i.

The biases b are Sinkhorn's potentials: with them every anchor is given the same mass. A small
epsilon keeps a sample near one anchor, a large one mixes neighbours. There is one epsilon for all
labels, or one for each: where anchors lie close together, as clocks do, what keeps hearts apart would
make one of them all. For given label weights the map is the gradient of a strongly convex function of
z, so it can be run backwards from any w: a picture that the encoder has placed in w also has a place
in z.
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
    epsilon: Tensor  # (), or (n_labels,)

    def __init__(self, n_anchors: int, dim: int, epsilons: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.zeros(n_anchors, dim))
        self.register_buffer("anchor_labels", torch.zeros(n_anchors, dtype=torch.long))
        self.register_buffer("bias", torch.zeros(n_anchors))
        self.register_buffer("spread", torch.ones(dim))
        self.register_buffer("epsilon", torch.ones(epsilons))

    def width(self, label: Tensor) -> Tensor:
        """The epsilon of label weights (B, n_labels): their labels' weighted mean, (B, 1) or ()."""
        if not self.epsilon.dim():
            return self.epsilon
        return (label @ self.epsilon / label.sum(1).clamp(min=1e-12))[:, None]

    def logits(self, z: Tensor, label: Tensor) -> Tensor:
        """Log weights of the anchors, up to a constant: (B, n_anchors)."""
        weight = label[:, self.anchor_labels]
        allowed = torch.where(weight > 0, weight.clamp(min=1e-12).log(), -1e6)
        return (z @ self.anchors.T + self.bias) / self.width(label) + allowed

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
        count, dim = state["anchors"].shape
        wide = TransportMapping(count, dim, tuple(state["epsilon"].shape)).double()
        wide.load_state_dict(state)
        return wide

    def _potential(self, z: Tensor, w: Tensor, label: Tensor, epsilon: Tensor) -> Tensor:
        lse = torch.logsumexp(self.logits(z[None], label[None])[0], 0)
        return epsilon * lse + 0.5 * (self.spread * z * z).sum() - w @ z

    def _solve(self, w: Tensor, label: Tensor) -> Tensor:
        z = torch.zeros_like(w)
        epsilon = self.width(label[None]).reshape(())
        value = self._potential(z, w, label, epsilon)
        for _ in range(NEWTON_STEPS):
            p = self.logits(z[None], label[None])[0].softmax(0)
            mean = p @ self.anchors
            gradient = mean + self.spread * z - w
            if float(gradient.abs().max()) < TOLERANCE:
                break
            centred = self.anchors - mean
            hessian = (centred.T * p) @ centred / epsilon + torch.diag(self.spread)
            step = torch.linalg.solve(hessian, gradient)
            # Armijo's rule; p can change abruptly, and a full step then overshoots.
            scale, slope = 1.0, float(gradient @ step)
            while scale > 1e-8:
                trial = z - scale * step
                trial_value = self._potential(trial, w, label, epsilon)
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
    z = _draws(mapping, samples)
    for label, one in enumerate(torch.eye(n_labels)):
        members = mapping.anchor_labels == label
        epsilon = mapping.width(one[None]).reshape(())
        mapping.bias[members] = _potentials(
            z @ mapping.anchors[members].T, mapping.anchors[members], epsilon, rounds
        )


def share(mapping: TransportMapping, n_labels: int, anchors: float, samples: int = 2048) -> None:
    """Set each label's epsilon so that a sample mixes `anchors` anchors in the median, then balance.

    So many as 2 to the entropy of its weights in bits (their perplexity). `mapping` has an epsilon for
    each label. A label with fewer anchors than that mixes all it has.
    """
    z = _draws(mapping, samples)
    for label in range(n_labels):
        own = mapping.anchors[mapping.anchor_labels == label]
        scores = z @ own.T
        low, high = 1e-2, 1e2
        for _ in range(14):
            epsilon = torch.tensor((low * high) ** 0.5)
            p = ((scores + _potentials(scores, own, epsilon, 40)) / epsilon).softmax(1)
            mixed = torch.special.entr(p).sum(1).exp().median()
            low, high = (low, float(epsilon)) if float(mixed) > anchors else (float(epsilon), high)
        mapping.epsilon[label] = (low * high) ** 0.5
    balance(mapping, n_labels)


def _draws(mapping: TransportMapping, samples: int) -> Tensor:
    return torch.randn(samples, mapping.anchors.shape[1], generator=torch.Generator().manual_seed(0))


def _potentials(scores: Tensor, anchors: Tensor, epsilon: Tensor, rounds: int) -> Tensor:
    """Scores z . y of draws and anchors (samples, n), and the anchors (n, dim), to biases (n,)."""
    bias = -0.5 * anchors.square().sum(1)
    for _ in range(rounds):
        mass = ((scores + bias) / epsilon).softmax(1).mean(0)
        bias = bias - epsilon * (mass.clamp(min=1e-12) * len(anchors)).log()
    return bias - bias.mean()
