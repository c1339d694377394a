"""Style, palette, fonts and icons, all made from the tokens; dark, light or the system's choice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import cache, partial
from typing import Literal, TypeVar
from weakref import WeakSet

from PySide6.QtCore import QByteArray, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from igm_gui.gui.tokens import BASE_PX, DARK, LIGHT, Tokens
from igm_gui.paths import assets_folder

Choice = Literal["dark", "light", "system"]
CHOICES: tuple[Choice, ...] = ("dark", "light", "system")
FONTS = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf")

# One application has one theme; painted widgets ask for its colours when they paint.
_current: Tokens = DARK
_choice: Choice = "dark"

Piece = TypeVar("Piece", bound=QWidget)
_pieces: WeakSet[QWidget] = WeakSet()
_turns: deque[Callable[[], None]] = deque()  # what a change of the theme still has to do
_held: set[QWidget] = set()  # windows that are not painted until then
_bare = False  # the output stands alone, on black


def tokens() -> Tokens:
    """The tokens of the theme in use."""
    return _current


def is_dark() -> bool:
    return _current is DARK


def choice() -> Choice:
    """What the person chose: ``dark``, ``light`` or ``system``."""
    return _choice


def colour(name: str, alpha: float = 1.0) -> QColor:
    """The colour of a token (``accent``, ``line``, ...) with an opacity from 0 to 1."""
    return _colour(getattr(_current, name), alpha)


def between(a: str, b: str, t: float) -> QColor:
    """The opaque colour that lies the fraction ``t`` of the way from the token ``a`` to ``b``."""
    return _colour(mix(getattr(_current, a), getattr(_current, b), t), 1.0)


def set_bare(bare: bool) -> None:
    """Whether the output stands alone on the screen; its ground is then black in every theme."""
    global _bare
    _bare = bare


def is_bare() -> bool:
    """Whether the output stands alone, on black."""
    return _bare


def ground() -> QColor:
    """The colour behind the output."""
    return _colour("#000000", 1.0) if _bare else colour("canvas")


@cache
def _colour(text: str, alpha: float) -> QColor:
    made = QColor(text)
    made.setAlphaF(alpha)
    return made


@cache
def mix(a: str, b: str, t: float) -> str:
    """The colour that lies the fraction ``t`` of the way from ``a`` to ``b``, as ``#rrggbb``."""
    one, two = QColor(a), QColor(b)
    parts = [
        round(x + (y - x) * t)
        for x, y in zip(
            (one.red(), one.green(), one.blue()), (two.red(), two.green(), two.blue()), strict=True
        )
    ]
    return "#{:02x}{:02x}{:02x}".format(*parts)


def apply(app: QApplication, wanted: Choice = "dark") -> None:
    """Dress the whole application; ``system`` follows the desktop and its later changes."""
    global _current, _choice
    _choice = wanted if wanted in CHOICES else "dark"
    if _choice == "system":
        light = app.styleHints().colorScheme() == Qt.ColorScheme.Light
        _current = LIGHT if light else DARK
    else:
        _current = LIGHT if _choice == "light" else DARK
    icon.cache_clear()
    _sheet.cache_clear()
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette(_current))
    _redress()


def dress(piece: Piece) -> Piece:
    """Give a piece of the window, and all in it, the theme's look, now and at each change. Returns it.

    Pieces are the bars, the workspaces and what lies over the window. The style sheet is theirs and not the
    application's: with that one Qt dresses every widget again for each of its ancestors, and all at once.
    """
    _pieces.add(piece)
    piece.setStyleSheet(_sheet())
    return piece


def _redress() -> None:
    """Dress one piece in each turn of the event loop. The window is painted once, when all of it that is seen
    has the new look; what is hidden follows."""
    pieces = [piece for piece in _pieces if isValid(piece)]
    running = bool(_turns)
    _turns.clear()
    seen = [piece for piece in pieces if piece.isVisible()]
    for window in {piece.window() for piece in seen}:
        window.setUpdatesEnabled(False)
        _held.add(window)
    _turns.extend(partial(_redress_one, piece) for piece in seen)
    _turns.append(_show_again)
    _turns.extend(partial(_redress_one, piece) for piece in pieces if piece not in seen)
    if not running:
        QTimer.singleShot(0, _next_turn)


def _next_turn() -> None:
    try:
        if _turns:
            _turns.popleft()()
    finally:
        if _turns:
            QTimer.singleShot(0, _next_turn)


def _redress_one(piece: QWidget) -> None:
    if isValid(piece):
        piece.setStyleSheet(_sheet())


def _show_again() -> None:
    while _held:
        window = _held.pop()
        if isValid(window):
            window.setUpdatesEnabled(True)
            # An update that was asked for meanwhile is lost, and Qt takes later ones for the same: now, then.
            window.repaint()


@cache
def _sheet() -> str:
    return style_sheet(_current)


def follow_system(app: QApplication) -> None:
    """Re-dress when the desktop changes between dark and light and the choice is ``system``."""

    def changed(_scheme: Qt.ColorScheme) -> None:
        if _choice == "system":
            apply(app, "system")

    app.styleHints().colorSchemeChanged.connect(changed)


def load_fonts(app: QApplication) -> None:
    """Use the bundled Inter at 12 pixels with figures of equal width."""
    families: list[str] = []
    for name in FONTS:
        number = QFontDatabase.addApplicationFont(str(assets_folder() / "fonts" / name))
        families += QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    font = QFont(families[0] if families else app.font().family())
    font.setPixelSize(BASE_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    app.setFont(font)


def palette(tokens: Tokens) -> QPalette:
    """Colours for what the style sheet does not reach."""
    made = QPalette()
    roles = QPalette.ColorRole
    table = {
        roles.Window: tokens.background,
        roles.WindowText: tokens.text,
        roles.Base: tokens.background,
        roles.AlternateBase: tokens.panel,
        roles.Text: tokens.text,
        roles.PlaceholderText: tokens.quiet,
        roles.Button: tokens.raised,
        roles.ButtonText: tokens.text,
        roles.BrightText: tokens.bad,
        roles.ToolTipBase: tokens.raised,
        roles.ToolTipText: tokens.text,
        roles.Highlight: tokens.value,
        roles.HighlightedText: "#ffffff",
        roles.Link: tokens.value,
        roles.Light: tokens.hover,
        roles.Mid: tokens.line,
        roles.Dark: tokens.canvas,
        roles.Shadow: tokens.shadow,
    }
    for role, value in table.items():
        made.setColor(role, QColor(value))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(mix(tokens.quiet, tokens.panel, 0.45)))
    return made


def style_sheet(tokens: Tokens) -> str:
    """assets/theme/style.qss with the tokens filled in."""
    text = (assets_folder() / "theme" / "style.qss").read_text(encoding="utf-8")
    dark = tokens is DARK
    words = {
        **asdict(tokens),
        "dim": mix(tokens.quiet, tokens.panel, 0.45),
        "accent_hover": mix(tokens.accent, "#ffffff", 0.16),
        "tab": tokens.hover if dark else tokens.raised,  # on the background, the one that is chosen
        "overlay": "rgba(20, 22, 26, 0.78)" if dark else "rgba(247, 248, 250, 0.82)",
        "assets": assets_folder().as_posix(),
        "name": "dark" if dark else "light",
    }
    for word, value in words.items():
        text = text.replace(f"${word}$", value)
    return text


@cache
def _svg(name: str) -> str:
    return (assets_folder() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def read_icons() -> None:
    """Read all icons from the disk ahead of their use; may run on any thread."""
    for path in (assets_folder() / "icons").glob("*.svg"):
        with suppress(OSError):
            _svg(path.stem)


def icon_pixmap(name: str, tint: str = "text", side: int = 16, ratio: float = 2.0) -> QPixmap:
    """A line icon of assets/icons as a picture of ``side`` device-independent pixels.

    ``tint`` is a token's name or a colour.
    """
    paint = getattr(_current, tint, tint)
    pixels = round(side * ratio)
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    renderer = QSvgRenderer(QByteArray(_svg(name).replace("currentColor", paint).encode()))
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


@cache
def icon(name: str, tint: str = "text") -> QIcon:
    """A tinted icon, quiet where its button is disabled. Ask again when the theme changes."""
    made = QIcon()
    for ratio in (1.0, 2.0):
        made.addPixmap(icon_pixmap(name, tint, 16, ratio))
        dim = mix(_current.quiet, _current.panel, 0.45)
        made.addPixmap(icon_pixmap(name, dim, 16, ratio), QIcon.Mode.Disabled)
    return made
