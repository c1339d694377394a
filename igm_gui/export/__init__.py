"""Results on disk: pictures, sheets, single files, frames, films, sound.

Every ``save_*`` function answers a piece of work: ``work(renderer)`` is an iterator that yields its
progress from 0 to 1 after each step. The window runs it between two pictures (``Studio.run``), the command
line with :func:`finish`. All of a result appears, or nothing: closing the iterator removes what was begun.
"""

from igm_gui.export.film import save_film, save_frames
from igm_gui.export.pace import Paced, constant_pace
from igm_gui.export.pictures import save_picture, save_sheet, save_singles
from igm_gui.export.samples import Samples, save_comparison, save_samples
from igm_gui.export.sound import save_sound, save_timeline_sound
from igm_gui.export.work import Work, finish

__all__ = [
    "Paced",
    "Samples",
    "Work",
    "constant_pace",
    "finish",
    "save_comparison",
    "save_film",
    "save_frames",
    "save_picture",
    "save_samples",
    "save_sheet",
    "save_singles",
    "save_sound",
    "save_timeline_sound",
]
