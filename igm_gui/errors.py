"""Errors that a person reads: what was seen, what is supported, what to do."""

from __future__ import annotations


class IgmError(Exception):
    """A failure with a sentence for the person and, apart from it, the details.

    ``message`` says what was seen, ``hint`` what is supported and what to do next,
    ``details`` is anything longer (a traceback, a list of keys) shown on request.
    """

    def __init__(self, message: str, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[type[IgmError], tuple[str, str, str]]:
        return type(self), (self.message, self.hint, self.details)


class ModelError(IgmError):
    """A model file or folder can't be opened or can't run."""


class InputError(IgmError):
    """A value asked of a generator does not fit its inputs."""


class ProjectError(IgmError):
    """A project file or a recipe can't be read or written."""


class ExportError(IgmError):
    """A result can't be written."""


class DeviceError(IgmError):
    """A device is missing or ran out of memory."""


class Cancelled(IgmError):
    """The person stopped a long piece of work; nothing is wrong."""

    def __init__(self, message: str = "Cancelled.", hint: str = "", details: str = "") -> None:
        super().__init__(message, hint, details)
