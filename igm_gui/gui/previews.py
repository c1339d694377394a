"""A small picture of each model, rendered once and kept in the cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
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


def preview_point(info: GeneratorInfo) -> LatentPoint:
    """The point that shows a model best: the first of its card's preview seeds."""
    return point_from_seed(info, next(iter(info.preview_seeds), 0))


class Previews(QObject):
    """Asks the render thread for one preview at a time, when nothing more urgent waits."""

    ready = Signal(str)  # model

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._images: dict[str, QImage] = {}
        self._queue: list[tuple[str, Path]] = []
        self._busy = False

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

    def kept(self, model: str) -> QImage:
        """A picture made before, or the ``preview.png`` of a model folder; null where there is neither.
        Nothing is rendered: a file that was never opened stays unopened."""
        known = self._images.get(model)
        if known is not None and not known.isNull():
            return known
        try:
            path = Path(model).resolve()
            for file in (self._file(path), path / "preview.png"):
                if file.is_file() and file.stat().st_size <= MAX_BYTES:
                    return QImage(str(file))
        except OSError:
            pass
        return QImage()

    @staticmethod
    def _file(path: Path) -> Path:
        # A model that was trained again, or another file of the same name, has another preview.
        newest = max((p.stat().st_mtime_ns for p in path.glob("*.*")), default=0) if path.is_dir() else 0
        stamp = f"{path}|{newest or path.stat().st_mtime_ns}|{SIDE}"
        return cache_folder() / "previews" / f"{hashlib.sha256(stamp.encode()).hexdigest()[:24]}.png"

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
