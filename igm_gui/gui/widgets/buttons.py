"""Push buttons: with icons that follow the theme, and Space and Return when reached by Tab."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QWidget

from igm_gui.gui import theme

# An icon on the accent colour is dark, on a disabled button it is not.
_RETINT = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.EnabledChange)


class Button(QPushButton):
    """A push button with an optional icon.

    It takes the focus by Tab, not by a click, so that after a click Space and the letters still
    reach the window's shortcuts; with the focus, Space and Return press it.
    """

    def __init__(
        self, text: str = "", icon: str = "", tip: str = "", role: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._icon_name = ""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("role", role)
        self.setIconSize(QSize(15, 15))
        if tip:
            self.setToolTip(tip)
        self.setAccessibleName(text or tip)
        if icon:
            self.set_icon(icon)

    def set_icon(self, name: str) -> None:
        """Show the line icon ``name`` of assets/icons; an empty name shows none."""
        self._icon_name = name
        self._tint()

    def set_role(self, role: str) -> None:
        """Change the look: ``accent``, ``flat``, ``icon``, ``chip``, ``head``, ``card`` or none."""
        self.setProperty("role", role)
        self.style().unpolish(self)
        self.style().polish(self)
        self._tint()

    def _tint(self) -> None:
        role = self.property("role")
        if not self._icon_name:
            return
        tint = "on_accent" if role == "accent" and self.isEnabled() else "text"
        self.setIcon(theme.icon(self._icon_name, "quiet" if role in ("flat", "head") else tint))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in _RETINT:
            self._tint()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and not event.modifiers()
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)


class IconButton(Button):
    """A button that is only an icon; the tip is its accessible name."""

    def __init__(self, icon: str, tip: str, parent: QWidget | None = None, role: str = "icon") -> None:
        super().__init__("", icon, tip, role, parent)


def accent_button(text: str, icon: str = "", tip: str = "", parent: QWidget | None = None) -> Button:
    """The one button that matters most where it stands."""
    return Button(text, icon, tip, "accent", parent)


def flat_button(text: str, icon: str = "", tip: str = "", parent: QWidget | None = None) -> Button:
    """A quiet button without a frame, for heads and menus."""
    return Button(text, icon, tip, "flat", parent)
