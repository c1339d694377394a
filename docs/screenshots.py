"""Make the pictures of the README: ``.venv/bin/python docs/screenshots.py``.

The real window is driven through its session, without a display, on the bundled models; what it shows is
written to docs/pictures. The same command gives the same pictures, but for the times in the status line.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HOME = tempfile.TemporaryDirectory(prefix="igm-screenshots-")
os.environ["IGM_HOME"] = HOME.name  # not the settings of whoever runs this

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from igm_gui.formats.library import bundled
from igm_gui.gui import theme
from igm_gui.gui.explore.hints import SEEN
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.latent.point import one_hot, point_from_seed
from igm_gui.session import actions

PICTURES = ROOT / "docs" / "pictures"
SIZE = (1280, 800)
QUIET_MS = 1500  # nothing asked for and nothing arrived for so long: all is painted
CALM_LOOKS = 5
LONGEST_MS = 180_000


class Scene:
    """A window on ``model``; leaving the block takes its picture."""

    def __init__(self, name: str, model: str, workspace: str = "explore") -> None:
        self.name = name
        settings = Settings()
        settings.put(SEEN, True)
        self.studio = Studio()
        self._rendering = 0
        renderer, render = self.studio.loop.renderer, self.studio.loop.renderer.render

        def counted(request):  # type: ignore[no-untyped-def]
            # The loop's idle says that nothing waits; a slow picture may still be on its way.
            self._rendering += 1
            try:
                return render(request)
            finally:
                self._rendering -= 1

        renderer.render = counted  # type: ignore[method-assign]
        self.studio.open_model(model)
        self.window = MainWindow(self.studio, settings)
        self.window.resize(*SIZE)
        self.window.show()
        self.studio.start()
        self.settle()
        self.workspace = workspace

    @property
    def session(self):  # type: ignore[no-untyped-def]
        return self.studio.session

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            self.window.show_workspace(self.workspace)
            self.settle()
            if (focus := self.window.focusWidget()) is not None:
                focus.clearFocus()  # its ring is for who works with the keys
            path = PICTURES / f"{self.name}.png"
            self.window.grab().save(str(path))
            print(path.relative_to(ROOT), flush=True)
        self.studio.close()
        self.window.hide()  # close() would ask whether to save
        self.window.deleteLater()

    def settle(self) -> None:
        """Run the event loop until what was asked for has arrived and is painted."""
        loop = QEventLoop()
        quiet = QTimer(singleShot=True, interval=QUIET_MS)

        calm = 0

        def look() -> None:
            # Idle once may be between two small pictures; idle several times in a row is done.
            nonlocal calm
            calm = calm + 1 if self.studio.loop.idle and not self._rendering else 0
            if calm >= CALM_LOOKS:
                loop.quit()
            else:
                quiet.start(QUIET_MS // CALM_LOOKS)

        quiet.timeout.connect(look)

        def again(_result: object) -> None:
            quiet.start(QUIET_MS)

        self.studio.rendered.connect(again)
        QTimer.singleShot(LONGEST_MS, loop, loop.quit)
        quiet.start()
        loop.exec()
        self.studio.rendered.disconnect(again)


def explore(model: str) -> None:
    with Scene("explore", model) as scene:
        for seed in (4, 1, 7, 2):
            actions.set_seed(scene.session, seed)
            scene.settle()
            actions.keep(scene.session)


def timeline(model: str) -> None:
    with Scene("timeline", model, "timeline") as scene:
        info = scene.session.info
        for number, seed in enumerate((12, 4, 7, 1)):
            actions.add_keyframe(scene.session, 2.0 * number, point_from_seed(info, seed))
        scene.window.show_workspace("timeline")
        scene.settle()
        scene.studio.set_playhead(3.0)


def compare(models: list[str]) -> None:
    with Scene("compare", models[0], "compare") as scene:
        info = scene.session.info
        boots = {"label": 9} if info.of_kind("label") else {}
        scene.session.update(compare=tuple(models[1:]), point=point_from_seed(info, 3, **boots))


def grid(model: str) -> None:
    with Scene("grid", model, "grid") as scene:
        info = scene.session.info
        label = next(iter(info.of_kind("label")), None)
        if label is not None:
            point = scene.session.state.point.with_value(label.name, one_hot(label.size, 0))
            scene.session.update(point=point)
        mode = "classes" if label is not None and label.size <= 16 else "seeds"
        scene.session.update(grid=replace(scene.session.state.grid, mode=mode, columns=12))


def sound(model: str) -> None:
    with Scene("sound", model) as scene:
        actions.set_seed(scene.session, 5)


def first_of(*names: str) -> str:
    """The first of these models that is bundled."""
    return next(name for name in names if name in bundled())


def _some(fashion: list[str]) -> list[str]:
    """Three of the family that look different, led by the GAN."""
    liked = ["fashion-gan", "fashion-wgan-gp", "fashion-vae", "fashion-flow", "fashion-sinkhorn"]
    return [name for name in liked if name in fashion][:3]


def main() -> None:
    app = QApplication.instance() or QApplication(["igm-studio"])
    assert isinstance(app, QApplication)
    theme.load_fonts(app)
    theme.apply(app, "dark")
    PICTURES.mkdir(exist_ok=True)
    fashion = [name for name in bundled() if name.startswith("fashion-")]
    scenes: dict[str, Callable[[], None]] = {
        "explore": lambda: explore(first_of("emoji-64", "fashion-gan")),
        "timeline": lambda: timeline(first_of("emoji-64", "fashion-gan")),
        "compare": lambda: compare([*_some(fashion), "uniform-pixels"]),
        "grid": lambda: grid("fashion-gan"),
        "sound": lambda: sound(first_of("timbre", "additive")),
    }
    for name in sys.argv[1:] or scenes:
        scenes[name]()


if __name__ == "__main__":
    main()
    HOME.cleanup()
