"""What is asked before the window closes: of work that runs, and of changes that are not saved."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QMessageBox, QWidget

from igm_gui.engine.loop import Job
from igm_gui.gui import theme


def may_give_up(parent: QWidget, jobs: Iterable[Job]) -> bool:
    """Whether the work that runs may be ended: an export takes longer than a careless click."""
    job = next((job for job in jobs if not job.done), None)
    if job is None:
        return True
    box = QMessageBox(parent)
    box.setWindowTitle("IGM Studio")
    box.setText(f"{job.name} is not finished.")
    box.setInformativeText("Closing now gives it up, and nothing of it is written.")
    theme.dress(box)
    stay = box.addButton("Go on with it", QMessageBox.ButtonRole.RejectRole)
    leave = box.addButton("Close", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(stay)
    box.exec()
    return job.done or box.clickedButton() is leave


def what_of_changes(parent: QWidget, project: str) -> str:
    """``save`` or ``discard`` the changes of ``project``, or ``stay``."""
    box = QMessageBox(parent)
    box.setWindowTitle("IGM Studio")
    box.setText(f"{project} has changes that are not saved.")
    box.setInformativeText("Saved points and the timeline would be lost.")
    theme.dress(box)
    buttons = QMessageBox.StandardButton
    box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
    box.setDefaultButton(buttons.Save)
    answer = box.exec()
    if answer == buttons.Save:
        return "save"
    return "discard" if answer == buttons.Discard else "stay"
