"""Light and dark, the tokens, the fonts and the icons."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtGui import QColor, QFontMetricsF
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui import theme
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.settings import Settings
from igm_gui.gui.tokens import DARK, LIGHT, Tokens
from igm_gui.gui.workspaces import ENTRIES
from igm_gui.paths import assets_folder
from igm_gui.requests import RenderResult

NextPicture = Callable[[Callable[[], object]], RenderResult]


# Paint themselves, or show nothing of their own.
PAINTED_OR_EMPTY = ("DropVeil", "WorkspaceStack", "QWidget")


def share(widget: QWidget, tokens: Tokens) -> float:
    """How much of what ``widget`` shows has exactly the panels' colour, 0 to 1."""
    image = widget.grab().toImage()
    wanted = QColor(tokens.panel).rgb()
    places = [(x, y) for x in range(0, image.width(), 8) for y in range(0, image.height(), 8)]
    return sum(image.pixel(x, y) == wanted for x, y in places) / len(places)


class TestTheme:
    def test_light_and_dark_and_remembered(
        self, qtbot: QtBot, window: MainWindow, qapp: QApplication
    ) -> None:
        window.set_theme("light")
        try:
            assert theme.tokens() is LIGHT
            assert Settings().text("theme") == "light"
            qtbot.waitUntil(lambda: share(window, LIGHT) > 0.2, timeout=20_000)
        finally:
            window.set_theme("dark")
        assert theme.tokens() is DARK
        qtbot.waitUntil(lambda: share(window, DARK) > 0.2, timeout=20_000)

    def test_what_is_hidden_changes_too(self, qtbot: QtBot, window: MainWindow) -> None:
        for entry in ENTRIES:
            assert window.show_workspace(entry.name)
        try:
            window.set_theme("light")
            window.set_theme("dark")
            window.set_theme("light")
            for entry in ENTRIES:
                place = window.stack.widget_of(entry.name)
                assert place is not None
                qtbot.waitUntil(lambda p=place: share(p, LIGHT) > 0.05, timeout=20_000)  # type: ignore[misc]
            assert window.updatesEnabled()
        finally:
            window.set_theme("dark")

    def test_every_widget_is_dressed(self, window: MainWindow) -> None:
        """One outside of the pieces would have the look of the desktop."""
        for entry in ENTRIES:
            assert window.show_workspace(entry.name)
        window.hints.show()
        window.open_palette()
        undressed = []
        for widget in window.findChildren(QWidget):
            at: QWidget | None = widget
            while at is not None and not at.styleSheet():
                at = at.parentWidget()
            if at is None and type(widget).__name__ not in PAINTED_OR_EMPTY:
                undressed.append(f"{type(widget).__name__} {widget.objectName()!r}")
        assert not undressed

    @pytest.mark.parametrize("tokens", [DARK, LIGHT])
    def test_text_has_a_contrast_of_four_and_a_half(self, tokens: object) -> None:
        def luminance(text: str) -> float:
            def linear(c: float) -> float:
                return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

            colour = QColor(text)
            red, green, blue = colour.redF(), colour.greenF(), colour.blueF()
            return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)

        def contrast(a: str, b: str) -> float:
            one, two = sorted((luminance(a), luminance(b)), reverse=True)
            return (one + 0.05) / (two + 0.05)

        pairs = [
            (text, ground)
            for text in ("text", "quiet")
            for ground in ("canvas", "background", "panel", "raised")
        ]
        pairs += [("on_accent", "accent"), ("accent", "panel"), ("good", "panel"), ("bad", "raised")]
        for text, ground in pairs:
            assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= 4.5, (text, ground)

    def test_figures_have_equal_width(self, qapp: QApplication) -> None:
        metrics = QFontMetricsF(qapp.font())
        assert len({metrics.horizontalAdvance(d) for d in "0123456789"}) == 1

    def test_every_icon_in_the_folder_is_drawn(self, qapp: QApplication) -> None:
        for path in (assets_folder() / "icons").glob("*.svg"):
            image = theme.icon_pixmap(path.stem).toImage()
            side = range(image.width())
            inked = any(image.pixelColor(x, y).alpha() > 0 for x in side for y in side)
            assert inked, path.name
