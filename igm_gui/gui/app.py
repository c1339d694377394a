"""Starting the window: ``main(argv)``."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from igm_gui.engine.allocator import keep_freed_memory
from igm_gui.paths import assets_folder, data_folder

log = logging.getLogger("igm_gui")
SWITCH_SECONDS = 5e-4
LATEST_START_MS = 700  # a window that starts minimised is never exposed


def has_display() -> bool:
    """Whether a window can be shown: always but on a Linux without a display server."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def start_log() -> Path | None:
    """Write warnings and errors to ``igm-studio.log`` in the data folder; None where that can't be."""
    try:
        path = data_folder() / "igm-studio.log"
        handler = RotatingFileHandler(path, maxBytes=500_000, backupCount=1, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return path


def catch_everything(studio: object) -> None:
    """An exception nobody caught becomes a notice and a line in the log; the program goes on."""
    from igm_gui.gui.studio import Notice, Studio

    assert isinstance(studio, Studio)
    busy = threading.local()

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            raise SystemExit(130)
        details = "".join(traceback.format_exception(kind, error, trace))
        log.error("%s", details)
        if getattr(busy, "telling", False):
            return
        busy.telling = True
        try:
            text = f"Something went wrong in the program: {error or kind.__name__}."
            studio.notice.emit(
                Notice(text, "Nothing you made is lost. The log has the details.", details, "error")
            )
        finally:
            busy.telling = False

    sys.excepthook = tell
    threading.excepthook = lambda args: (
        tell(args.exc_type, args.exc_value, args.exc_traceback) if args.exc_value is not None else None
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window on ``argv`` (without the program's name): a model, a project or an exported result.

    The answer is the exit status: 0, or 2 where there is no display.
    """
    files = list(sys.argv[1:] if argv is None else argv)
    if not has_display():
        print(
            "There is no display here (DISPLAY and WAYLAND_DISPLAY are not set), so no window can be opened. "
            "Use the command line, which needs none: igm --help",
            file=sys.stderr,
        )
        return 2
    # The render thread holds the interpreter in short turns, so that the window answers in between.
    sys.setswitchinterval(SWITCH_SECONDS)
    keep_freed_memory()
    from PySide6.QtCore import QCoreApplication, Qt, QTimer
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from igm_gui.gui import theme
    from igm_gui.gui.first_expose import FirstExpose
    from igm_gui.gui.garbage import Collector
    from igm_gui.gui.main_window import MainWindow
    from igm_gui.gui.settings import Settings
    from igm_gui.gui.signals import SignalWatch
    from igm_gui.gui.studio import Studio

    QCoreApplication.setApplicationName("igm-studio")
    QCoreApplication.setOrganizationName("igm-studio")
    app = QApplication.instance() or QApplication(["igm-studio"])
    assert isinstance(app, QApplication)
    app.setApplicationDisplayName("IGM Studio")
    app.setWindowIcon(QIcon(str(assets_folder() / "theme" / "igm-studio.svg")))
    collector = Collector()
    start_log()
    if sys.stderr is not None:
        faulthandler.enable()
    settings = Settings()
    theme.load_fonts(app)
    wanted = settings.text("theme", "dark")
    theme.apply(app, next((known for known in theme.CHOICES if known == wanted), "dark"))
    theme.follow_system(app)
    studio = Studio()
    catch_everything(studio)
    _first_model(studio, settings, files)
    window = MainWindow(studio, settings)
    studio.rendered.connect(collector.settle, Qt.ConnectionType.SingleShotConnection)

    begun = False

    def begin() -> None:
        nonlocal begun
        if begun:
            return
        begun = True
        studio.start()
        window.begin(bool(files))
        for name in files:
            window.open_path(name)

    watch = SignalWatch(window.close_now)
    window.show()
    # After the first paint: torch is imported by the render thread, and competes for the interpreter.
    handle = window.windowHandle()
    waiter = FirstExpose(begin)
    if handle is not None:
        handle.installEventFilter(waiter)
    QTimer.singleShot(LATEST_START_MS, begin)
    try:
        return app.exec()
    finally:
        watch.close()
        studio.close()
        collector.end()


def _first_model(studio: object, settings: object, files: list[str]) -> None:
    """The model to start on: one named on the command line, the last one used, or the default."""
    from igm_gui.formats import library
    from igm_gui.gui.settings import Settings
    from igm_gui.gui.studio import Studio

    assert isinstance(studio, Studio)
    assert isinstance(settings, Settings)
    bundled = library.bundled()
    if len(files) == 1 and files[0] in bundled:
        studio.open_model(files.pop())
        return
    last = settings.text("model")
    if not (last in bundled or (last and Path(last).exists())):
        last = library.DEFAULT_MODEL if library.DEFAULT_MODEL in bundled else next(iter(bundled), "")
    if last:
        studio.open_model(last)


if __name__ == "__main__":
    raise SystemExit(main())
