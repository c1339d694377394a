"""Opens hostile files one after the other, as the program would, and tells what each did.

    python hostile_child.py FOLDER < names

One line of JSON for each case: what was said, how many seconds of work it took, how much memory it took beyond the file's own
size, and what was executed or written outside. Whoever started this sees when it hangs or ends.
"""

# ruff: noqa: E501 - a table reads better in long lines
from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path

FOLDER = Path(sys.argv[1]).resolve()
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

# Whatever runs a program, opens a connection, or changes files elsewhere.
FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.remove", "os.rename", "os.rmdir", "os.kill",
    "shutil.rmtree", "subprocess.Popen", "socket.connect", "socket.bind", "ctypes.dlopen", "pty.spawn", "os.chmod",
)  # fmt: skip
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
seen: list[str] = []
watching = False


def hook(event: str, arguments: tuple[object, ...]) -> None:
    """Every event of Python's own audit; only while a case runs."""
    if not watching:
        return
    if event == "open":
        path, _, flags = arguments
        outside = isinstance(path, str) and not Path(path).resolve().is_relative_to(FOLDER)
        if isinstance(flags, int) and flags & WRITES and outside and path != os.devnull:
            seen.append(f"opened {path} for writing")
    elif event in FORBIDDEN:
        inside = event in ("os.remove", "os.rename", "os.rmdir", "os.chmod") and str(FOLDER) in str(
            arguments[0]
        )
        if not inside:
            seen.append(f"{event} {arguments!r}"[:300])


class Memory:
    """The most memory that this process took while a case ran."""

    def __init__(self) -> None:
        from igm_gui.generators import memory

        self._now = memory.resident
        self._stop = threading.Event()

    def __enter__(self) -> Memory:
        self.before = self.most = self._now()
        self._exact = True
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the kernel's own highest value starts anew
        except OSError:
            self._exact = False
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            self.most = max(self.most, self._now())

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(OSError, IndexError, ValueError):
            if self._exact:
                status = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
                self.most = max(self.most, int(status) * 1024)

    @property
    def taken(self) -> int:
        return self.most - self.before


def size_of(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(p.stat().st_size for p in path.iterdir() if p.is_file())
        return path.stat().st_size if path.is_file() else 0
    except (OSError, ValueError):
        return 0


def attempt(path: Path, trial: bool) -> dict[str, object]:
    """Open, describe and, where it opens, draw once."""
    from igm_gui.engine.renderer import Renderer
    from igm_gui.errors import IgmError
    from igm_gui.formats.contents import describe
    from igm_gui.latent.point import point_from_seed

    os.environ["IGM_PROBE"] = "on" if trial else "off"
    said, opened = "", False
    renderer = Renderer()
    try:
        generator, _ = renderer.generator(str(path), "cpu")
        opened = True
        renderer.media(str(path), [point_from_seed(generator.info, 0)], "cpu")
    except IgmError as error:
        said = error.message
    except Exception:
        return {"crash": traceback.format_exc()[-1500:]}
    try:
        describe(path)
    except IgmError:
        pass
    except Exception:
        return {"crash": "describe: " + traceback.format_exc()[-1500:]}
    return {"said": said, "opened": opened}


def warm_up() -> None:
    """Import and use once what every case uses, so that it is not counted."""
    import hostile_good
    import onnxruntime  # noqa: F401

    from igm_gui.generators.registry import FAMILIES

    for module in FAMILIES.values():
        __import__(module)
    for kind in hostile_good.SUFFIX:
        folder = FOLDER / f"warm-{kind}"
        folder.mkdir(exist_ok=True)
        done = attempt(hostile_good.damaged(kind, hostile_good.good(kind))(folder), False)
        assert done.get("opened"), f"the good {kind} file does not open: {done}"


def main() -> None:
    """Run the cases that are named on standard input."""
    import faulthandler

    from hostile_table import CANARIES, Entry, table

    names = [line.rstrip("\n") for line in sys.stdin]
    cases = table()
    sys.addaudithook(hook)
    warm_up()
    global watching
    for number, name in enumerate(names):
        canary = CANARIES.get(name)
        entry = cases[name] if canary is None else Entry(lambda folder: folder)
        folder = FOLDER / f"{os.getpid()}-{number}"
        folder.mkdir()
        print(json.dumps({"name": name, "begin": True}), flush=True)
        path = entry.write(folder)
        seen.clear()
        faulthandler.dump_traceback_later(170, exit=True)
        # Its own work: what other programs take of a busy machine is not the file's doing.
        start = time.process_time()
        with Memory() as used:
            watching = not entry.trial  # the trial starts a process itself
            result = attempt(path, entry.trial) if canary is None else {"canary": bool(canary(path) or True)}
            watching = False
        result |= {
            "name": name,
            "seconds": time.process_time() - start,
            "bytes": used.taken - size_of(path),
            "ran": (folder / "ran").exists() or Path("ran").exists(),
            "events": list(seen),
        }
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
