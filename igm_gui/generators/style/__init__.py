"""The style family: small style-based generators with an invertible mapping and an encoder."""

from igm_gui.generators.style.family import StyleGenerator, StyleNetwork, detect, load

__all__ = ["StyleGenerator", "StyleNetwork", "detect", "load"]
