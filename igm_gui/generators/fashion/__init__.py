"""The fashion-* family: one generator network for Fashion-MNIST, trained with several distances."""

from igm_gui.generators.fashion.family import FashionModel, detect, load

__all__ = ["FashionModel", "detect", "load"]
