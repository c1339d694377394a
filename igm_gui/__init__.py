"""IGM Studio: explore what an implicit generative model has learnt.

    import igm_gui
    g = igm_gui.load("fashion-gan")
    pictures = g.sample(seed=0, n=4)      # uint8 (4, 28, 28, 1)

Importing this package imports neither Qt nor torch.
"""

from igm_gui.api import Generator, export_generator, load
from igm_gui.errors import IgmError
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent import LatentPoint, Vector
from igm_gui.version import __version__

__all__ = [
    "Generator",
    "GeneratorInfo",
    "IgmError",
    "InputSpec",
    "LatentPoint",
    "OutputSpec",
    "Vector",
    "__version__",
    "export_generator",
    "load",
]
