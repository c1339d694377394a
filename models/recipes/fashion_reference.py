"""A small part of Fashion-MNIST's test set, bundled to compare models with: 100 pictures of each class.

Writes models/reference/fashion-mnist-test/: test.npz (images uint8 (1000, 28, 28, 1), labels uint8 (1000,),
classes), about.json, preview.png and the data set's LICENCE.

    python -m models.recipes.fashion_reference
"""

from __future__ import annotations

import io
import json

import numpy as np
import torch

from igm_gui.formats.files import atomic_path, write_atomic
from models.recipes.common import fashion_data
from models.recipes.common.fashion_card import DATA
from models.recipes.common.folder import sheet
from models.recipes.common.run import options

PER_CLASS = 100
LICENCE = """The MIT License (MIT)

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def main() -> None:
    args = options(__doc__, steps=0)
    images, labels = fashion_data.load("test", args.work, args.data)
    rows = [torch.nonzero(labels == k)[:PER_CLASS, 0] for k in range(10)]
    index = torch.stack(rows, dim=1).flatten()  # classes take turns
    pictures = images[index].permute(0, 2, 3, 1).contiguous().numpy()
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        images=pictures,
        labels=labels[index].numpy().astype(np.uint8),
        classes=np.array(fashion_data.CLASSES),
    )
    about = {
        "name": "fashion-mnist-test",
        "title": "Fashion-MNIST, part of the test set",
        "media": "image",
        "file": "test.npz",
        "count": len(pictures),
        "split": "test; no bundled model has seen it in training",
        "chosen": f"the first {PER_CLASS} of each class, classes taking turns",
        "licence": DATA.licence,
        "source": DATA.source,
        "attribution": DATA.attribution,
        "command": "python -m models.recipes.fashion_reference",
    }
    folder = args.out / "reference" / "fashion-mnist-test"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "test.npz", buffer.getvalue())
    write_atomic(folder / "LICENCE", LICENCE.encode())
    with atomic_path(folder / "preview.png") as temporary:
        sheet(pictures[:100], columns=10, scale=2).save(temporary, optimize=True)
    write_atomic(folder / "about.json", (json.dumps(about, indent=2) + "\n").encode())
    print(f"wrote {folder}")


if __name__ == "__main__":
    main()
