"""Keyframes and the points between them."""

from igm_gui.timeline.timeline import EASINGS, Easing, Keyframe, Timeline

__all__ = ["EASINGS", "Easing", "Keyframe", "Timeline"]
