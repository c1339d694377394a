"""What the exports share: batches of renderings, whole folders, encoding beside the network."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.loop import Work
from igm_gui.engine.renderer import Renderer
from igm_gui.errors import DeviceError, ExportError
from igm_gui.export.parallel import batches_at_once, workers
from igm_gui.formats.files import OURS, check_name, claimed, explain_os_error
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import Priority, RenderRequest, RenderResult

__all__ = ["Work", "batches", "encoding", "finish", "folder_of_files", "info_of", "safe_name"]

BATCH_PIXELS = 32_768
# (pixels of a picture at most, pictures in a batch): their networks do it in a few hundredths of a second.
SMALL_BATCHES = ((32 * 32, 64), (64 * 64, 32))
GPU_FACTOR = 8
PATIENCE = 0.01  # seconds that a batch is waited for before whatever else there is to do has its turn
_NOTHING: NDArray[Any] = np.empty((0, 1, 1, 1), np.uint8)


def finish(work: Work, renderer: Renderer, progress: Callable[[float], None] | None = None) -> None:
    """Run ``work`` to its end here and now. Whatever it raises is raised, with nothing left behind."""
    with closing(work(renderer)) as steps:  # type: ignore[type-var]
        for done in steps:
            if progress is not None:
                progress(done)


def info_of(renderer: Renderer, model: str, device: str) -> GeneratorInfo:
    """The model's inputs and output, loading it where needed. ModelError or DeviceError."""
    return renderer.generator(model, device)[0].info


def batch_size(info: GeneratorInfo, device: str) -> int:
    """How many renderings go in one step.

    Large enough for the network to be as fast as it gets, small enough that a person who drags
    meanwhile does not wait for it. It depends on the model and the device alone, never on how fast
    the machine is just now: a network's last bits depend on the batch, and the same export is to give
    the same bytes.
    """
    if info.media == "sound":
        return 4
    pixels = info.output.height * info.output.width
    small = (count for most, count in SMALL_BATCHES if pixels <= most)
    batch = next(small, max(1, BATCH_PIXELS // max(pixels, 1)))
    return batch if device == "cpu" else batch * GPU_FACTOR


def batches(
    renderer: Renderer,
    model: str,
    points: Sequence[LatentPoint],
    device: str = "auto",
    batch: int = 0,
    together: bool = True,
) -> Iterator[tuple[int, NDArray[Any]]]:
    """(index of the first, media) for ``points`` in order, some at a time (``batch``; 0 chooses).

    The points must fit the model (:func:`igm_gui.latent.point.conform`). Media as in
    :class:`igm_gui.requests.RenderResult`. Where memory runs out, batches get smaller. A network that allows
    it makes several batches at once, if that may be (``together``; :mod:`igm_gui.export.parallel`): media of
    no samples then come in between, so that whoever asks is never kept waiting for long.
    """
    generator, _ = renderer.generator(model, device)
    batch = batch or batch_size(generator.info, generator.device.type)
    count, threads = batches_at_once(generator) if together and len(points) > batch else (1, 0)

    def render(start: int) -> RenderResult:
        part = tuple(points[start : start + batch])
        return renderer.render(RenderRequest(model, part, "export", Priority.BATCH, device=device))

    with workers(count, threads) if count > 1 else nullcontext(_at_once) as submit:
        begun: deque[tuple[int, Future[RenderResult]]] = deque()
        most = 2 * count if count > 1 else 1
        ahead = 0

        def begin() -> bool:
            nonlocal ahead
            while ahead < len(points) and len(begun) < most:
                begun.append((ahead, submit(render, ahead)))
                ahead += batch
            return bool(begun)

        while begin():
            start, future = begun.popleft()
            while not wait((future,), PATIENCE).done:
                yield start, _NOTHING
            result = future.result()
            if isinstance(result.error, DeviceError) and batch > 1:
                wait([other for _, other in begun])
                begun.clear()
                batch, ahead = (batch + 1) // 2, start
                continue
            if result.error is not None:
                raise result.error
            assert result.media is not None
            if count > 1:
                begin()  # no thread waits for what is done with the media
            yield start, result.media


def _at_once(call: Callable[[int], RenderResult], start: int) -> Future[RenderResult]:
    """``call(start)`` here and now, as a thread would answer it."""
    future: Future[RenderResult] = Future()
    future.set_result(call(start))
    return future


@contextmanager
def folder_of_files(path: Path) -> Iterator[Path]:
    """A temporary folder whose files are in ``path`` when the block ends well; else it is removed.

    A folder that is new appears at once, by renaming. In one that exists, files of the same names
    are replaced at the end and others are left alone. ExportError where writing fails.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        check_name(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        inside = path if path.is_dir() else path.parent
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}{OURS}", dir=inside))
        with claimed(temporary):
            yield temporary
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o777 & ~umask)
        if inside is path:
            for file in sorted(temporary.iterdir()):
                os.replace(file, path / file.name)
        else:
            os.replace(temporary, path)
            temporary = None
    except ExportError as error:
        if temporary is None or str(temporary) not in error.message:
            raise
        # A file in it failed: the person knows the folder by the name that was asked for.
        raise ExportError(
            error.message.replace(str(temporary), str(path)), error.hint, error.details
        ) from error
    except OSError as error:
        raise explain_os_error(path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


class Encoder:
    """Runs encoders on threads of their own while the network makes the next batch, in order.

    At most ``ahead`` pieces wait: a fast network must not fill the memory.
    """

    def __init__(self, pool: ThreadPoolExecutor, ahead: int) -> None:
        self._pool, self._ahead = pool, ahead
        self._waiting: deque[Future[None]] = deque()

    def add(self, call: Callable[..., None], *arguments: Any) -> None:
        """Queue ``call(*arguments)``; raises what an earlier call raised."""
        self._waiting.append(self._pool.submit(call, *arguments))
        while len(self._waiting) > self._ahead:
            self._waiting.popleft().result()

    @property
    def waiting(self) -> int:
        """How many calls are not known to be done."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft().result()
        return len(self._waiting)

    def room(self) -> Iterator[None]:
        """One step for each call that must end before another can be added: work that yields meanwhile
        can be cancelled, and whatever the person drags goes in between. Raises what a call raised."""
        while self.waiting >= self._ahead:
            self._waiting.popleft().result()
            yield

    def rest(self) -> Iterator[None]:
        """One step for each call that is left; raises what a call raised."""
        while self.waiting:
            self._waiting.popleft().result()
            yield

    def wait(self) -> None:
        """Until everything is done; raises what a call raised."""
        while self._waiting:
            self._waiting.popleft().result()


@contextmanager
def encoding(threads: int = 2, ahead: int = 64) -> Iterator[Encoder]:
    """An :class:`Encoder`, waited for at the end; what still waits is dropped when the block fails."""
    pool = ThreadPoolExecutor(threads, "encode")
    try:
        encoder = Encoder(pool, ahead)
        yield encoder
        encoder.wait()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def need_pictures(info: GeneratorInfo) -> None:
    """ExportError unless the model makes pictures."""
    if info.media != "image":
        raise ExportError(f"{info.name} makes sounds, not pictures.", "Export it as WAV.")


def check_pixels(info: GeneratorInfo, height: int, width: int, limit: int) -> None:
    """ExportError where a picture of this size would not fit in memory."""
    if height * width * info.output.channels > limit:
        raise ExportError(
            f"A picture of {width}×{height} pixels is too large.",
            "Use a smaller scale or fewer rows and columns, or export the single pictures.",
        )


def safe_name(text: str) -> str:
    """``text`` as part of a file name: letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:80] or "model"


def as_float(progress: int, total: int) -> float:
    """A fraction from 0 to 1."""
    return min(1.0, progress / max(total, 1))


def blank(height: int, width: int, channels: int, value: int = 0) -> NDArray[np.uint8]:
    """An even picture uint8 ``(height, width, channels)``; transparent where it has alpha."""
    sheet = np.full((height, width, channels), value, np.uint8)
    if channels == 4:
        sheet[..., 3] = 0
    return sheet
