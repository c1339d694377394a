"""The time axis: seconds to pixels and back, ticks, snapping, and times as text. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from igm_gui.timeline.timeline import Timeline

# Steps between numbered ticks, in seconds.
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MAX_ZOOM = 400.0


@dataclass(frozen=True)
class Axis:
    """Which part of ``length`` seconds is seen on ``width`` pixels that start at ``left``.

    ``zoom`` 1 shows all of it, 2 half of it, and so on; ``start`` is the first second seen.
    """

    length: float = 8.0
    width: float = 800.0
    left: float = 0.0
    zoom: float = 1.0
    start: float = 0.0

    @property
    def span(self) -> float:
        """Seconds that are seen."""
        return self.length / self.zoom

    @property
    def scale(self) -> float:
        """Pixels for one second."""
        return max(self.width, 1.0) / self.span

    def x(self, seconds: float) -> float:
        """Where ``seconds`` lies, in pixels."""
        return self.left + (seconds - self.start) * self.scale

    def seconds(self, x: float) -> float:
        """The time at pixel ``x``, kept within the timeline."""
        return min(max(self.start + (x - self.left) / self.scale, 0.0), self.length)

    def clamped(self) -> Axis:
        """The same with zoom and start in range, so that no empty space is scrolled in."""
        zoom = min(max(self.zoom, 1.0), MAX_ZOOM)
        start = min(max(self.start, 0.0), self.length - self.length / zoom)
        return replace(self, zoom=zoom, start=start)

    def zoomed(self, factor: float, x: float) -> Axis:
        """Zoomed by ``factor`` while the time under pixel ``x`` stays where it is."""
        zoom = min(max(self.zoom * factor, 1.0), MAX_ZOOM)
        held = self.start + (x - self.left) / self.scale
        scale = max(self.width, 1.0) * zoom / self.length
        return replace(self, zoom=zoom, start=held - (x - self.left) / scale).clamped()

    def scrolled(self, seconds: float) -> Axis:
        """Moved on by ``seconds``."""
        return replace(self, start=self.start + seconds).clamped()

    def showing(self, seconds: float) -> Axis:
        """Moved by a page where ``seconds`` is out of sight."""
        if self.start - 1e-9 <= seconds <= self.start + self.span + 1e-9:
            return self
        return replace(self, start=seconds - 0.02 * self.span).clamped()

    def step(self, least: float = 64.0) -> float:
        """Seconds between numbered ticks that are at least ``least`` pixels apart."""
        return next((step for step in STEPS if step * self.scale >= least), STEPS[-1])

    def ticks(self) -> Iterator[tuple[float, bool]]:
        """The ticks in sight as (seconds, numbered): five to each numbered one."""
        part = self.step() / 5
        first = max(0, int(self.start / part))
        last = int(min(self.start + self.span, self.length) / part + 1e-6)
        for i in range(first, last + 1):
            yield i * part, i % 5 == 0


def snapped(
    axis: Axis, fps: float, seconds: float, marks: Iterable[float] = (), reach: float = 6.0, on: bool = True
) -> float:
    """``seconds`` drawn to the nearest of ``marks`` or of the ticks within ``reach`` pixels; otherwise
    to the nearest frame. With ``on`` False only frames count. Kept within the timeline."""
    if on:
        part = axis.step() / 5
        near = [round(seconds / part) * part, axis.length, *marks]
        best = min((t for t in near if 0 <= t <= axis.length), key=lambda t: abs(t - seconds), default=None)
        if best is not None and abs(best - seconds) * axis.scale <= reach:
            return best
    return min(max(round(seconds * fps) / fps, 0.0), axis.length)


def clock(seconds: float) -> str:
    """``mm:ss.cc``, as on the transport."""
    hundredths = round(max(seconds, 0.0) * 100)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes:02d}:{rest // 100:02d}.{rest % 100:02d}"


def parse_clock(text: str) -> float | None:
    """Seconds from ``mm:ss.cc``, ``h:mm:ss`` or plain seconds; None where it is none of them."""
    total = 0.0
    try:
        for part in text.strip().removesuffix("s").split(":"):
            number = float(part)
            if not 0 <= number < 1e6:
                return None
            total = total * 60 + number
    except ValueError:
        return None
    return total


def tick_text(seconds: float, step: float) -> str:
    """A tick's number: ``3s``, ``0.4s`` or ``2:30``."""
    whole = round(seconds)
    if step < 1 and abs(seconds - whole) > 1e-6:
        return f"{seconds:.1f}s"
    return f"{whole}s" if step < 60 and whole < 60 else f"{whole // 60}:{whole % 60:02d}"


def place_text(timeline: Timeline, seconds: float) -> str:
    """``frame 313 of 840 · between key 3 and 4 (11 %)``: where a moment lies."""
    keys = timeline.keyframes
    frame = f"frame {timeline.frame_at(seconds) + 1} of {timeline.frames}"
    if not keys:
        return f"{frame} · no keyframes"
    wrapped = timeline.wrapped(seconds)
    on = next((i for i, key in enumerate(keys, 1) if abs(key.time - wrapped) < 0.5 / timeline.fps), None)
    if on is not None:
        return f"{frame} · on key {on}"
    if wrapped < keys[0].time:
        return f"{frame} · before key 1"
    a, b, t = timeline.segment(wrapped)
    if a == b:
        return f"{frame} · after key {a + 1}"
    return f"{frame} · between key {a + 1} and {b + 1} ({100 * t:.0f} %)"
