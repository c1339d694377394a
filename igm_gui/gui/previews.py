"""A small picture of each model, rendered once and kept in the cache folder."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage

from igm_gui.errors import IgmError
from igm_gui.formats import library
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.thumbnail import media_image
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.paths import cache_folder
from igm_gui.requests import RenderResult

SIDE = 96
MAX_BYTES = 20_000_000
READER_WAITS = 0.1  # seconds for more before the thread ends


def preview_point(info: GeneratorInfo) -> LatentPoint:
    """The point that shows a model best: the first of its card's preview seeds."""
    return point_from_seed(info, next(iter(info.preview_seeds), 0))


def corner(image: QImage, width: int, height: int) -> QImage:
    """The first quarter of a sheet of pictures of ``width`` by ``height`` pixels (or whole multiples), which
    is still told apart when it is small, no larger than a preview; the whole of what is no such sheet."""
    columns, rows = (image.width() // max(width, 1), image.height() // max(height, 1))
    if (
        width
        and height
        and columns > 1
        and rows > 1
        and image.size() == QSize(columns * width, rows * height)
    ):
        image = image.copy(0, 0, image.width() // 2, image.height() // 2)
    if max(image.width(), image.height()) > SIDE:
        image = image.scaled(
            SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
    return image


class Previews(QObject):
    """Asks the render thread for one preview at a time, when nothing more urgent waits."""

    ready = Signal(str)  # model
    _was_read = Signal(str, QImage)

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._images: dict[str, QImage] = {}
        self._queue: list[tuple[str, Path]] = []
        self._busy = False
        self._read: set[str] = set()
        self._to_read: queue.SimpleQueue[tuple[str, Path, tuple[int, int]]] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None
        self._closing = threading.Event()
        self._was_read.connect(self._on_read)
        studio.closing.connect(self.stop)

    def get(self, model: str) -> QImage:
        """The preview of a bundled name or path; a null image until ``ready`` tells otherwise."""
        known = self._images.get(model)
        if known is not None:
            return known
        try:
            file = self._file(library.find(model))
        except (IgmError, OSError):
            return QImage()
        image = QImage(str(file)) if file.is_file() else QImage()
        self._images[model] = image
        if image.isNull():
            self._queue.append((model, file))
            self._work()
        return image

    def known(self, model: str) -> QImage:
        """What is there already; a null image where that is nothing."""
        return self._images.get(model, QImage())

    def kept(self, model: str, path: Path, tile: tuple[int, int] = (0, 0)) -> QImage:
        """A picture made before, or one that lies in the model's folder; null until ``ready`` tells
        otherwise. Nothing is rendered: a file that was never opened stays unopened.

        ``tile`` is the size of one picture where ``preview.png`` is a sheet of them: see :func:`corner`.
        """
        known = self._images.get(model)
        if known is not None and not known.isNull():
            return known
        if model not in self._read:
            self._read.add(model)
            self._to_read.put((model, path, tile))
            if self._reader is None or not self._reader.is_alive():
                self._reader = threading.Thread(target=self._read_all, name="previews", daemon=True)
                self._reader.start()
        return QImage()

    def _read_all(self) -> None:
        # Pictures of a megapixel take tens of milliseconds to decode: not on the interface's thread.
        while not self._closing.is_set():
            try:
                model, path, tile = self._to_read.get(timeout=READER_WAITS)
            except queue.Empty:
                return
            try:
                here = path.resolve()
                for file in (self._file(here), here / "preview.png"):
                    if file.is_file() and file.stat().st_size <= MAX_BYTES:
                        image = corner(QImage(str(file)), *tile)
                        self._was_read.emit(model, image)
                        break
            except (OSError, RuntimeError):
                continue  # the window is gone, or the folder is

    def stop(self) -> None:
        """Read nothing more: a thread must not tell of a picture when there is nobody left to tell."""
        self._closing.set()
        if self._reader is not None:
            self._reader.join(5.0)

    def _on_read(self, model: str, image: QImage) -> None:
        known = self._images.get(model)
        if not image.isNull() and (known is None or known.isNull()):
            self._images[model] = image
            self.ready.emit(model)

    @staticmethod
    def _file(path: Path) -> Path:
        # A model that was trained again, or another file of the same name, has another preview.
        newest = max((p.stat().st_mtime_ns for p in path.glob("*.*")), default=0) if path.is_dir() else 0
        stamp = f"{path}|{newest or path.stat().st_mtime_ns}|{SIDE}"
        # A file's name on Linux is any bytes.
        name = hashlib.sha256(stamp.encode("utf-8", "surrogateescape")).hexdigest()[:24]
        return cache_folder() / "previews" / f"{name}.png"

    def _work(self) -> None:
        if self._busy or not self._queue:
            return
        model, file = self._queue.pop(0)
        info = self._studio.card_of(model)
        points = (preview_point(info),) if info is not None else ()
        if not points:
            # Its inputs are not known yet: it may be asked for again when they are.
            self._images.pop(model, None)
            self._work()
            return
        self._busy = True
        done: Callable[[RenderResult], None] = partial(self._arrived, model, file)
        self._studio.thumbnail("preview", model, points, SIDE, done)

    def _arrived(self, model: str, file: Path, result: RenderResult) -> None:
        self._busy = False
        image = media_image(result, 0, SIDE)
        if not image.isNull():
            self._images[model] = image
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                image.save(str(file))
            except OSError:
                pass  # it is only a cache; the preview is made again next time
            self.ready.emit(model)
        self._work()
