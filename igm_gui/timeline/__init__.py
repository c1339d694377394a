"""Keyframes and the points between them."""

from igm_gui.timeline.fitting import fitted, is_stranger, strangers
from igm_gui.timeline.timeline import EASINGS, WAYS, Easing, Keyframe, Timeline, Way

__all__ = ["EASINGS", "WAYS", "Easing", "Keyframe", "Timeline", "Way", "fitted", "is_stranger", "strangers"]
