"""Whatever can be pressed, typed into or dragged says what it is, to the eye and to a screen reader."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollBar,
    QSplitterHandle,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.workspaces import ENTRIES
from igm_gui.session import actions

PASSIVE = (QScrollBar, QHeaderView, QSplitterHandle, QLabel)
ACTIVE = (QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit)


def interactive(root: QWidget) -> Iterator[QWidget]:
    """Widgets below ``root`` that take clicks or keys; the inner parts of a composite belong to it."""
    for widget in root.findChildren(QWidget):
        parent = widget.parentWidget()
        inner = isinstance(parent, QAbstractSpinBox | QComboBox | QAbstractItemView | QLineEdit | QTabBar)
        inner = inner or (isinstance(parent, QAbstractScrollArea) and parent.viewport() is widget)
        inner = inner or (parent is not None and isinstance(parent.parentWidget(), QComboBox))
        if inner or isinstance(widget, PASSIVE) or type(widget).__name__.startswith("QComboBoxPrivate"):
            continue
        takes_keys = widget.focusPolicy() != Qt.FocusPolicy.NoFocus and type(widget) is not QWidget
        if isinstance(widget, ACTIVE) or takes_keys:
            yield widget


def tip(widget: QWidget) -> str:
    """The tooltip that Qt shows over ``widget``: its own, or the nearest one around it."""
    at: QWidget | None = widget
    while at is not None and not at.toolTip():
        at = None if at.isWindow() else at.parentWidget()
    return at.toolTip() if at is not None else ""


def complaints(root: QWidget) -> list[str]:
    """What lacks a name or a tooltip, with where it is."""
    found = []
    for widget in interactive(root):
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        place = f"{type(widget).__name__} {text or widget.objectName()!r} in {type(widget.parent()).__name__}"
        if not (widget.accessibleName() or text):
            found.append(f"no name: {place}")
        # Over the output itself a tooltip would be in the way; a screen reader is told all the same.
        if not (tip(widget) or widget.accessibleDescription()):
            found.append(f"no tooltip: {place}")
    return found


@pytest.fixture
def busy_window(window: MainWindow, toy_studio: Studio) -> MainWindow:
    """Every workspace built, every panel open, a notice shown."""
    actions.keep(toy_studio.session)
    actions.add_keyframe(toy_studio.session, 0.0)
    for entry in ENTRIES:
        assert window.show_workspace(entry.name)
    window.show_workspace("explore")
    window.toast.show_notice(Notice("Something.", "A hint.", "Details.", "error", lambda: None))
    window.hints.show()
    window.commands.run("model.information")
    return window


def test_everything_in_the_window_has_a_name_and_a_tooltip(busy_window: MainWindow) -> None:
    assert not (found := complaints(busy_window)), "\n".join(found)


def test_the_popups_too(qtbot: QtBot, window: MainWindow, toy_studio: Studio) -> None:
    window.open_palette()
    assert window.palette_popup is not None
    assert not (found := complaints(window.palette_popup)), "\n".join(found)
    window.palette_popup.close()
    explore = window.stack.widget_of("explore")
    assert explore is not None
    card = explore.model_card  # type: ignore[attr-defined]
    card.show_browser()
    assert not (found := complaints(card.browser)), "\n".join(found)
    card.browser.close()


def test_one_that_lacks_them_is_found(qtbot: QtBot) -> None:
    root = QWidget()
    qtbot.addWidget(root)
    QLineEdit(root)
    assert len(complaints(root)) == 2
