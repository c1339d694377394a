"""The session: one frozen state, its history, and the actions on it."""

from igm_gui.session.session import Session
from igm_gui.session.state import GridSpec, SavedPoint, SessionState

__all__ = ["GridSpec", "SavedPoint", "Session", "SessionState"]
