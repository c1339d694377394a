"""The command ``igm``: everything but the window, without Qt. See docs/command-line.md.

Exit status: 0 when done, 2 with one line on stderr when something can't be done, 130 when interrupted.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

DONE, REFUSED, INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (``sys.argv`` where ``arguments`` is None) and answer its exit status.

    Nothing is raised, whatever happens: a reason goes to stderr as one line. With IGM_TRACEBACK=1 in the
    environment a traceback follows it, for whoever mends the program.
    """
    from igm_gui.cli.parser import build_parser
    from igm_gui.engine.allocator import keep_freed_memory

    keep_freed_memory()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show "×" gets "?" instead of an error.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        options = build_parser().parse_args(arguments)
        options.run(options)
        sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE
    except KeyboardInterrupt:
        _say("Interrupted; nothing half-made is left behind.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (``igm models | head -1``). Python would complain again at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        _say(_reason(error))
        if os.environ.get("IGM_TRACEBACK") == "1":
            import traceback

            traceback.print_exc()
        return REFUSED
    return DONE


def _reason(error: Exception) -> str:
    from igm_gui.errors import IgmError

    if isinstance(error, IgmError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory. Ask for less at a time (--batch 1), or for a smaller model."
    if isinstance(error, OSError) and error.strerror:
        name = str(error.filename or "")
        return f"{name if len(name) <= 80 else f'{name[:77]}…'}: {error.strerror}.".removeprefix(": ")
    return f"{type(error).__name__}: {error} (IGM_TRACEBACK=1 shows where)."


def _say(reason: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print("igm:", " ".join(reason.split()), file=sys.stderr, flush=True)
