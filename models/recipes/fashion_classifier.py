"""The judge: a classifier trained on Fashion-MNIST's training set alone.

It names the class of generated pictures, and its last hidden layer is the space in which
benchmarks/fashion_quality.py measures distances.  Writes models/reference/fashion-classifier.*.

    python -m models.recipes.fashion_classifier
"""

from __future__ import annotations

import json

import torch
from safetensors.torch import save
from torch.nn import functional as F

from igm_gui.formats.files import write_atomic
from models.recipes.common import fashion_data
from models.recipes.common.classifier import FashionClassifier, judge
from models.recipes.common.folder import half_precision
from models.recipes.common.run import Run, options, prepare

NAME = "fashion-classifier"
BATCH, LR = 128, 2e-3


def main() -> None:
    args = options(__doc__, steps=2800)
    prepare(args)
    images, labels = fashion_data.load("train", args.work, args.data)
    network = FashionClassifier()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), LR, weight_decay=0.01, foreach=True)
    run = Run(NAME, args, network=network, optimiser=optimiser)
    for step in run.steps():
        optimiser.param_groups[0]["lr"] = LR * (1 - step / args.steps)
        index = torch.randint(len(images), (BATCH,))
        # A random shift of up to two pixels, so that a garment's exact place does not count.
        top, left = torch.randint(5, (2,)).tolist()
        x = F.pad(images[index], (2, 2, 2, 2))[:, :, top : top + 28, left : left + 28]
        _, logits = network(fashion_data.to_unit(x))
        loss = F.cross_entropy(logits, labels[index], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        run.log(loss=loss.detach())

    network.eval()
    tensors = half_precision(network)
    accuracy = {}
    for split in ("train", "test"):  # the test set is only looked at
        pictures, truth = fashion_data.load(split, args.work, args.data)
        accuracy[split] = float((judge(network, pictures)[1] == truth).float().mean())
    print({key: round(value, 4) for key, value in accuracy.items()})
    folder = args.out / "reference"
    about = {
        "name": NAME, "licence": "Apache-2.0", "data": "Fashion-MNIST, training set (MIT, Zalando SE)",
        "command": "python -m models.recipes.fashion_classifier", "seed": args.seed, "steps": args.steps,
        "seconds": round(run.seconds), "accuracy": {key: round(value, 4) for key, value in accuracy.items()},
    }  # fmt: skip
    write_atomic(folder / f"{NAME}.safetensors", save(tensors))
    write_atomic(folder / f"{NAME}.json", (json.dumps(about, indent=2) + "\n").encode())
    print(f"wrote {folder / NAME}.safetensors")


if __name__ == "__main__":
    main()
