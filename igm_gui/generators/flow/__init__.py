"""Flow matching: noise becomes a picture in a few steps, and the way there can be watched."""

from igm_gui.generators.flow.family import FlowModel, detect, load

__all__ = ["FlowModel", "detect", "load"]
