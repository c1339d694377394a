"""What easings and ways are called on screen."""

from __future__ import annotations

from igm_gui.timeline.timeline import Easing, Keyframe, Way

EASING_NAMES: dict[Easing, str] = {
    "linear": "Even",
    "ease": "Ease in-out",
    "in": "Ease in",
    "out": "Ease out",
    "hold": "Hold",
}
WAYS: tuple[tuple[str, Way], ...] = (
    ("Spherical (slerp)", "slerp"),
    ("Straight (lerp)", "lerp"),
    ("Smooth (spline)", "spline"),
)


def going_on(key: Keyframe) -> str:
    """How it goes on from a keyframe: ``ease in-out``, and its way where it has one of its own."""
    own = next((f", {title.lower()}" for title, way in WAYS if way == key.way), "")
    paced = ", at a constant pace" if key.pace else ""
    return EASING_NAMES[key.easing].lower() + own + paced
