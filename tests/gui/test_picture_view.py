"""The view of a picture: exact pixels, zoom and pan."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.gui.widgets import PictureView
from tests.gui.pointer import LEFT, wheel


class TestPictureView:
    @pytest.fixture
    def view(self, qtbot: QtBot) -> PictureView:
        made = PictureView(margin=10)
        qtbot.addWidget(made)
        made.resize(340, 260)
        with qtbot.waitExposed(made):
            made.show()
        return made

    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_paints_exactly_the_pixels(self, view: PictureView, channels: int) -> None:
        pixels = np.zeros((4, 6, channels), np.uint8)
        pixels[..., 0] = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
        if channels == 4:
            pixels[..., 3] = 255
        view.set_picture(pixels)
        shot = view.grab().toImage()
        target, zoom = view.target(), view.zoom
        assert zoom == int(zoom)
        for row in range(4):
            for column in range(6):
                colour = shot.pixelColor(
                    int(target.x() + (column + 0.5) * zoom), int(target.y() + (row + 0.5) * zoom)
                )
                assert colour.red() == pixels[row, column, 0]

    def test_the_array_is_shared_not_copied(self, view: PictureView) -> None:
        pixels = np.zeros((8, 8, 3), np.uint8)
        view.set_picture(pixels)
        assert view.picture is pixels

    def test_wheel_zooms_about_the_pointer(self, view: PictureView) -> None:
        view.set_picture(np.zeros((64, 64, 3), np.uint8))
        at = QPoint(200, 100)
        before = view.target()
        u = (at.x() - before.x()) / before.width()
        wheel(view, at, 2)
        after = view.target()
        assert not view.fits
        assert (at.x() - after.x()) / after.width() == pytest.approx(u, abs=0.01)

    @pytest.mark.parametrize(("side", "closer"), [(4000, 1.0), (64, None)])
    def test_double_click_goes_between_fit_and_a_closer_look(
        self, view: PictureView, side: int, closer: float | None
    ) -> None:
        view.set_picture(np.zeros((side, side, 3), np.uint8))
        fit = view.zoom
        QTest.mouseDClick(view, LEFT, pos=view.rect().center())
        assert view.zoom == (closer or 2 * fit)
        assert view.zoom > fit
        QTest.mouseDClick(view, LEFT, pos=view.rect().center())
        assert view.fits

    def test_drag_pans_a_magnified_picture(self, view: PictureView) -> None:
        view.set_picture(np.zeros((64, 64, 3), np.uint8))
        view.set_zoom(20)
        before = view.target().x()
        QTest.mousePress(view, LEFT, pos=QPoint(100, 100))
        QTest.mouseMove(view, QPoint(70, 100))
        QTest.mouseRelease(view, LEFT, pos=QPoint(70, 100))
        assert view.target().x() == pytest.approx(before - 30, abs=1)

    def test_smooth_fits_without_whole_zooms(self, view: PictureView) -> None:
        view.set_picture(np.zeros((100, 100, 3), np.uint8))
        assert view.zoom == 2.0
        view.set_smooth(True)
        assert view.zoom == pytest.approx(2.4)
        assert "smooth" in view.info_text()

    def test_painted_is_told_once_for_a_picture(self, qtbot: QtBot, view: PictureView) -> None:
        told: list[int] = []
        view.painted.connect(lambda: told.append(1))
        with qtbot.waitSignal(view.painted, timeout=5000):
            view.set_picture(np.zeros((8, 8, 3), np.uint8))
        view.repaint()
        assert told == [1]

    def test_nothing_to_show(self, view: PictureView) -> None:
        view.set_picture(None)
        assert view.info_text() == ""
        assert view.image().isNull()
        view.grab()


def test_large_pictures_are_smooth_by_themselves(qtbot: QtBot) -> None:
    view = PictureView()
    qtbot.addWidget(view)
    view.set_picture(np.zeros((32, 32, 1), np.uint8))
    assert not view.smooth
    view.set_picture(np.zeros((256, 256, 3), np.uint8))
    assert view.smooth
    view.set_smooth(False)
    assert not view.smooth
