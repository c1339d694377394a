"""The child process in which a file not seen before is opened first, and what came of it as one line of JSON.

python -P -m igm_gui.generators.trial FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from igm_gui.errors import IgmError
from igm_gui.formats.checkpoint import open_checkpoint
from igm_gui.formats.trust import trusted
from igm_gui.generators.limits import MARK, MEMORY, PROGRAM_SECONDS, Allowance, too_much
from igm_gui.generators.roles import RolesNeeded


def answer_of(error: IgmError) -> dict[str, Any]:
    """An error as JSON can hold it: its words, its kind, and what a question needs."""
    answer: dict[str, Any] = {
        "kind": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "details": error.details[-4000:],
    }
    if sha256 := getattr(error, "sha256", ""):
        answer["sha256"] = sha256
    if isinstance(error, RolesNeeded):
        answer |= error.plain()
    return answer


def main(path: Path) -> None:
    """Open one file and say what came of it."""
    import torch  # before the limits: what the libraries take is not the file's doing

    from igm_gui.generators.registry import load_here

    torch.set_num_threads(1)
    try:
        allowance = Allowance(path)
        checkpoint = open_checkpoint(path)
        if checkpoint.kind in ("torchscript", "export") and checkpoint.sha256 in trusted():
            allowance.seconds += PROGRAM_SECONDS
        load_here(path)
        print(MARK + "{}", flush=True)
    except IgmError as error:
        print(MARK + json.dumps(answer_of(error)), flush=True)
    except MemoryError:
        print(too_much(path.name, MEMORY), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
