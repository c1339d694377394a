"""Controls shared by the workspaces."""

from igm_gui.gui.widgets.buttons import Button, IconButton, accent_button, flat_button
from igm_gui.gui.widgets.picture import PictureView, screen_image, to_qimage
from igm_gui.gui.widgets.point_strip import PointStrip
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.gui.widgets.slider import ValueSlider
from igm_gui.gui.widgets.thumbnail import Thumbnail, media_image

__all__ = [
    "Button",
    "IconButton",
    "PictureView",
    "PointStrip",
    "SectionHead",
    "Thumbnail",
    "ValueSlider",
    "accent_button",
    "flat_button",
    "media_image",
    "screen_image",
    "to_qimage",
]
