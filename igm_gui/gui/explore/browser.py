"""The model browser: a popover with every bundled and recent model, its preview and what it is."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from igm_gui.formats import library
from igm_gui.formats.card import card_info
from igm_gui.gui import theme
from igm_gui.gui.models.watched import WatchedFolders, size_of, size_text
from igm_gui.gui.previews import Previews
from igm_gui.gui.widgets.buttons import flat_button
from igm_gui.gui.widgets.scrolling import Combo
from igm_gui.info import GeneratorInfo

MODEL_ROLE = Qt.ItemDataRole.UserRole
WORDS_ROLE = Qt.ItemDataRole.UserRole + 1
IMAGE_ROLE = Qt.ItemDataRole.UserRole + 2
BYTES_ROLE = Qt.ItemDataRole.UserRole + 3
MEDIA_ROLE = Qt.ItemDataRole.UserRole + 4
NOTHING = (
    "No model here is like that. Other words may find one; Open… (Ctrl+O) opens any file, and Folders ▾ "
    "has folders of your own looked through."
)
KINDS = (("Any kind", ""), ("Images", "image"), ("Sounds", "sound"))
SIZES = (
    ("Any size", 0, 1 << 62),
    ("Up to 10 MB", 0, 10_000_000),
    ("10 to 100 MB", 10_000_000, 100_000_000),
    ("Over 100 MB", 100_000_000, 1 << 62),
)


def model_line(info: GeneratorInfo) -> str:
    """Such as ``image 32×32 grey · z∈ℝ⁶⁴ · 2.1 M parameters``."""
    parts = [info.output.text, info.latent_text]
    if info.parameters >= 1_000_000:
        parts.append(f"{info.parameters / 1e6:.1f} M parameters")
    elif info.parameters:
        parts.append(f"{info.parameters / 1e3:.0f} k parameters")
    # A line breaks between the parts, never inside one.
    return " · ".join(part.replace(" ", "\u00a0") for part in parts if part)


def info_path(model: str, info: GeneratorInfo | None) -> Path:
    """Where a model of the list lies."""
    return Path(info.path) if info is not None and info.path else Path(model)


def likeness(info: GeneratorInfo, other: GeneratorInfo) -> int:
    """How far two models are from being held against each other, 0 to 3.

    In this order: the same output and latent, so that one z drives both; the same output; the same medium;
    nothing in common.
    """
    if info.media != other.media:
        return 3
    if info.output.text != other.output.text:
        return 2
    return int(info.latent_text != other.latent_text)


class ModelDelegate(QStyledItemDelegate):
    """A row of the browser: preview, title, what it gives, and a sentence."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(2, 1, -2, -1)
        state = option.state
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            ground = "hover" if state & QStyle.StateFlag.State_Selected else "raised"
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(ground))
            painter.drawRoundedRect(area, 6, 6)
        frame = QRectF(area.left() + 7, area.center().y() - 24, 48, 48)
        painter.fillRect(frame, theme.colour("canvas"))
        image: QImage = index.data(IMAGE_ROLE)
        if image is not None and not image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > 48)
            size = image.size().scaled(48, 48, Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF(0, 0, size.width(), size.height())
            place.moveCenter(frame.center())
            painter.drawImage(place, image)
        font = QFont(option.font)
        left, width = frame.right() + 11, area.right() - frame.right() - 18
        for line, text in enumerate(str(index.data(Qt.ItemDataRole.DisplayRole)).split("\n")[:3]):
            font.setWeight(QFont.Weight.DemiBold if line == 0 else QFont.Weight.Normal)
            painter.setFont(font)
            painter.setPen(theme.colour("text" if line == 0 else "quiet"))
            row = QRectF(left, area.top() + 6 + line * 17, width, 17)
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


class ModelBrowser(QFrame):
    """Search by name, kind, size or words of the description; Return or a click opens.

    With ``watched``, the models of the person's own folders stand under the others as they are found.
    With ``beside``, bundled models that can be held against that one come first (:func:`likeness`); those
    ``without`` names are not listed.
    """

    chosen = Signal(str)
    folders_asked = Signal()

    def __init__(
        self,
        previews: Previews,
        recent: list[str],
        current: str,
        parent: QWidget,
        watched: WatchedFolders | None = None,
        beside: GeneratorInfo | None = None,
        without: Collection[str] = (),
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("popover")
        self._previews = previews
        self._current = current
        self._watched = watched
        self.kind = Combo()
        self.kind.setAccessibleName("Kind")
        self.kind.setToolTip("Show only models of this kind")
        self.kind.addItems([text for text, _ in KINDS])
        self.size_box = Combo()
        self.size_box.setAccessibleName("Size of the weights")
        self.size_box.setToolTip("Show only models whose weights are of this size")
        self.size_box.addItems([text for text, _, _ in SIZES])
        self.folders = flat_button("Folders ▾", tip="Folders of your own that are looked through")
        self.folders.setVisible(watched is not None)
        self.folders.clicked.connect(self.folders_asked)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search models: a name, image, sound, …")
        self.search.setAccessibleName("Search models")
        self.search.setToolTip("Words of the name, the family or the description. Arrows walk, Return opens.")
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setAccessibleName("Models")
        self.list.setToolTip("A click opens the model")
        self.list.setItemDelegate(ModelDelegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.search)
        row = QHBoxLayout()
        row.addWidget(self.kind)
        row.addWidget(self.size_box)
        row.addStretch(1)
        row.addWidget(self.folders)
        column.addLayout(row)
        column.addWidget(self.list)
        self.nothing = QLabel(NOTHING)
        self.nothing.setWordWrap(True)
        self.nothing.setProperty("role", "quiet")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.nothing.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.nothing, 1)
        self._fill([model for model in recent if model not in without], current, beside, without)
        self._add_watched()
        self._filter()
        self.search.textChanged.connect(self._filter)
        self.kind.currentIndexChanged.connect(self._filter)
        self.size_box.currentIndexChanged.connect(self._filter)
        if watched is not None:
            watched.scanned.connect(self._add_watched)
        self.search.installEventFilter(self)
        self.list.itemClicked.connect(self._open)
        self.list.itemActivated.connect(self._open)
        previews.ready.connect(self._preview_ready)

    def popup(self, where: QPoint, height: int) -> None:
        """Show at a global place, no higher than ``height``."""
        self.setFixedSize(400, min(max(66 * self.list.count() + 98, 160), height))
        self.move(where)
        self.show()
        self.search.setFocus()

    def _fill(
        self, recent: list[str], current: str, beside: GeneratorInfo | None, without: Collection[str]
    ) -> None:
        models = [(path.name, card_info(card, path)) for path, card in library.cards()]
        if beside is not None:
            models.sort(key=lambda model: likeness(model[1], beside))
        for name, info in models:
            if name not in without:
                self._add(name, info, current)
        bundled = library.bundled()
        for model in recent:
            if model not in bundled and Path(model).exists():
                self._add(model, None, current)

    def _add_watched(self) -> None:
        if self._watched is None:
            return
        listed = {self.list.item(row).data(MODEL_ROLE) for row in range(self.list.count())}
        for model in self._watched.models:
            if str(model.path) not in listed:
                self._add(str(model.path), model.info, self._current, "")
        self._filter()

    def _add(
        self, model: str, info: GeneratorInfo | None, current: str, where: str = "opened recently"
    ) -> None:
        count = size_of(info_path(model, info))
        if info is not None:
            title = info.title or info.name
            line = " · ".join(part for part in (model_line(info), size_text(count)) if part)
            about = info.description.split(". ")[0].rstrip(".")
        else:
            title, about = Path(model).name, str(Path(model).parent)
            line = " · ".join(part for part in (size_text(count), where) if part)
        if len(about) > 110:
            about = about[:108].rsplit(" ", 1)[0] + "…"
        item = QListWidgetItem(f"{title}\n{line}\n{about}")  # what a screen reader says
        item.setData(MODEL_ROLE, model)
        item.setSizeHint(QSize(360, 66))
        item.setData(WORDS_ROLE, f"{model} {title} {line} {about} {info.family if info else ''}".lower())
        item.setToolTip(info.description if info else model)
        item.setData(BYTES_ROLE, count)
        item.setData(MEDIA_ROLE, info.media if info else "")
        bundled = info is not None and not Path(model).is_absolute()
        path = info_path(model, info)
        tile = (
            (info.output.width, info.output.height) if info is not None and info.media == "image" else (0, 0)
        )
        if bundled and not (path / "preview.png").is_file():
            image = self._previews.get(model)
        else:
            image = self._previews.kept(model, path, tile)
        item.setData(IMAGE_ROLE, image)
        self.list.addItem(item)
        if model == current:
            self.list.setCurrentItem(item)

    def _preview_ready(self, model: str) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item.data(MODEL_ROLE) == model:
                item.setData(IMAGE_ROLE, self._previews.known(model))

    def _filter(self) -> None:
        words = self.search.text().lower().split()
        kind = KINDS[self.kind.currentIndex()][1]
        _, low, high = SIZES[self.size_box.currentIndex()]
        first = None
        for row in range(self.list.count()):
            item = self.list.item(row)
            shown = (
                all(word in item.data(WORDS_ROLE) for word in words)
                and (not kind or item.data(MEDIA_ROLE) == kind)
                and low <= item.data(BYTES_ROLE) <= high
            )
            item.setHidden(not shown)
            if shown and first is None:
                first = item
        self.list.setVisible(first is not None)
        self.nothing.setVisible(first is None)
        now = self.list.currentItem()
        if first is not None and (words or now is None or now.isHidden()):
            self.list.setCurrentItem(first)

    def _open(self, item: QListWidgetItem | None) -> None:
        if item is not None and not item.isHidden():
            model = item.data(MODEL_ROLE)
            self.close()
            self.chosen.emit(model)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The field keeps the focus; the arrows walk the list under it.
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._walk(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._open(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _walk(self, step: int) -> None:
        row = self.list.currentRow() + step
        while 0 <= row < self.list.count():
            if not self.list.item(row).isHidden():
                self.list.setCurrentRow(row)
                return
            row += step
