"""Before a model is opened: its hash and, for a file not seen before, a trial in a child process.

Both happen on a thread of their own while the old model stays live, say how far they are and can be
cancelled. Only then does the session change to the new model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from igm_gui.errors import Cancelled, IgmError
from igm_gui.formats import library
from igm_gui.formats.hashes import cached_sha256, known_sha256
from igm_gui.formats.known_models import weights_file
from igm_gui.formats.plain_folder import has_card
from igm_gui.generators import probe

if TYPE_CHECKING:
    from igm_gui.gui.studio import Studio


def ready(path: Path) -> bool:
    """Whether a model can be opened at once: bundled, or known by its hash to open well."""
    if not probe.needed(path):
        return True
    sha256 = known_sha256(weights_file(path))
    return sha256 is not None and probe.seen(probe.identity(path, sha256))


class Opener(QObject):
    """Prepares one model at a time; a newer one cancels the one before."""

    began = Signal()  # a model is asked for: what was said of the one before is past
    stepped = Signal(int, str, float)  # number, what is being done, fraction or -1
    _ended = Signal(int, object)  # number, None or IgmError

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._studio = studio
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._then: Callable[[str], object] = studio.open_now
        self._again: Callable[[str], object] = studio.open_model
        self.number = 0
        self.model = ""
        self._ended.connect(self._on_end)
        studio.closing.connect(self.cancel)

    @property
    def busy(self) -> bool:
        """Whether a model is being prepared."""
        return bool(self.model)

    def open(
        self,
        model: str,
        then: Callable[[str], object] | None = None,
        again: Callable[[str], object] | None = None,
    ) -> bool:
        """Prepare ``model`` and then change to it. False where it can be opened at once instead.

        ``then`` is done with the model instead of changing to it, and ``again`` where it is tried once more.
        """
        self.cancel()
        self.began.emit()
        self._then, self._again = then or self._studio.open_now, again or self._studio.open_model
        try:
            path = library.find(model)
            if ready(path) or (path.is_dir() and not has_card(path)):
                return False
        except (IgmError, OSError):
            return False  # opening it says what is wrong
        self.number += 1
        self.model, self._stop = model, threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self.number, path, self._stop), name="open", daemon=True
        )
        self._thread.start()
        return True

    def cancel(self) -> None:
        """Give up what is being prepared; the model that is open stays."""
        self.model = ""
        self.number += 1
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
            self._thread = None
            self.stepped.emit(self.number, "", 1.0)

    # -- on the thread

    def _run(self, number: int, path: Path, stop: threading.Event) -> None:
        def progress(done: float) -> None:
            if stop.is_set():
                raise Cancelled()
            self.stepped.emit(number, "reading", done)

        error: IgmError | None = None
        try:
            sha256 = cached_sha256(weights_file(path), progress)
            identity = probe.identity(path, sha256)
            if not probe.seen(identity):
                self.stepped.emit(number, "trying it in a process of its own", -1.0)
                probe.probe(path, stop=stop)
                probe.remember(identity)
        except IgmError as raised:
            error = raised
        except OSError as raised:
            error = IgmError(f"{path.name} can't be read: {raised.strerror}.", "Check that it may be read.")
        if not stop.is_set():
            self._ended.emit(number, error)

    # -- on the interface's thread

    def _on_end(self, number: int, error: IgmError | None) -> None:
        if number != self.number:
            return
        model, self.model = self.model, ""
        self.stepped.emit(number, "", 1.0)
        if error is not None:
            again = self._again
            self._studio.fail(error, lambda: again(model), model)
            return
        self._then(model)
