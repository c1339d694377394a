"""fashion-vae: a variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114).

Likelihood needs a density, which a generator alone has not; the evidence lower bound gives one:
    log p(x|y) >= E_q(z|x) log N(x; G(z, y), s^2) - KL(q(z|x) | N(0, I)).
s says how exactly a picture must be told, and so how much z holds.  The s that is best for the bound (the
root of the mean squared error, about 0.2; sigma-VAE, Rybkin et al. 2021, arXiv:2006.13202) packs 86 nats into
z: sharp reconstructions, but each class then lies in a small part of the prior, which a z drawn at random
misses; the judge named only 40 % of such samples rightly.  With s^2 = 0.4 the encoder fills the prior.
The encoder comes with the model, and names the class of a picture too.

    python -m models.recipes.fashion_vae
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from igm_gui.formats.card import Distance
from igm_gui.generators.fashion.network import N_CLASSES, FashionEncoder, FashionGenerator
from models.recipes.common import fashion_data
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.run import Ema, Run, options, prepare

NAME = "fashion-vae"
BATCH, LR, LR_END = 64, 1.5e-3, 1e-4
VARIANCE = 0.4  # s^2, for pixels in [-1, 1]


def main() -> None:
    args = options(__doc__, steps=1200)
    prepare(args)
    images, labels = fashion_data.load("train", args.work, args.data)
    model = torch.nn.ModuleDict({"generator": FashionGenerator(), "encoder": FashionEncoder()})
    generator, encoder = FashionGenerator(), FashionEncoder()  # their averages
    average = torch.nn.ModuleDict({"generator": generator, "encoder": encoder})
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(model, average)
    optimiser = torch.optim.Adam(model.parameters(), LR, betas=(0.9, 0.99), foreach=True)
    run = Run(NAME, args, model=model, average=average, optimiser=optimiser)

    for step in run.steps():
        optimiser.param_groups[0]["lr"] = LR + (LR_END - LR) * step / args.steps
        index = torch.randint(len(images), (BATCH,))
        x, label = fashion_data.to_unit(images[index]), labels[index]
        y = F.one_hot(label, N_CLASSES).float()
        mean, log_variance, logits = model["encoder"](x, y)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        error = F.mse_loss(model["generator"](z, y), x)
        nll = x[0].numel() * error / (2 * VARIANCE)  # per picture, up to a constant
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        named = F.cross_entropy(logits, label)
        warm = min(1.0, (step + 1) / 300)  # the KL comes in gently, so that z is used
        loss = nll + warm * kl + 10 * named
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 200.0)
        optimiser.step()
        ema.update(step)
        run.log(error=error.detach(), kl=kl.detach(), named=named.detach())

    write_fashion(
        run,
        generator,
        encoder,
        module="fashion_vae",
        title="Fashion, VAE",
        description="The same generator as a variational autoencoder's decoder: soft, safe pictures, no "
        "class or style left out, and an encoder that finds the place of a dropped picture at once.",
        distance=Distance(
            name="Kullback-Leibler divergence, by a bound on the likelihood",
            formula="KL(p | q) = E_p[log p(x)] - E_p[log q(x)], "
            "log q(x) >= E_{q(z|x)} log N(x; G(z), s^2) - KL(q(z|x) | N(0, I)), s^2 = 0.4",
            paper="Kingma and Welling 2014, arXiv:1312.6114",
        ),
        faults=(
            "Blurred: the mean of all pictures that a z may stand for is drawn, without s's pixel noise.",
        ),
    )


if __name__ == "__main__":
    main()
