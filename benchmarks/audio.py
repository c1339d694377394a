"""How well sound keeps up: ``python -m benchmarks.audio [--model additive] [--seconds 6] [--json]``.

1. Bare: blocks of a streaming generator one after the other, one torch thread, no sound output.
2. Live: the sound view in a window that repaints 60 times a second, moves every latent at each frame (so that
   the render thread works too) and burns ``--busy`` milliseconds of Python in each, while the stream plays
   on the default device, or on the null output where there is none (which keeps the same time).
3. Views: what painting costs the interface's thread.

``--latency`` is what the device is asked to hold: 0.06 (short), 0.15 (normal) or 0.3 (long) in the window.
Underruns are gaps that were heard. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

import numpy as np

from igm_gui.engine.audio.live import WARM_UP_BLOCKS, load_generator, one_torch_thread
from igm_gui.engine.audio.status import block_for
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector


def percent(values: list[float], part: float) -> float:
    return float(np.percentile(values, part)) if values else 0.0


def moved(point: LatentPoint, name: str, step: int) -> LatentPoint:
    """The point with every dimension of a latent on a slow way of its own."""
    vector = point.vector(name)
    wave = np.sin(0.05 * step + np.arange(vector.size)).reshape(vector.shape)
    return point.with_value(name, Vector(wave))


def bare(model: str, seconds: float) -> dict[str, Any]:
    """Real-time factor of blocks made back to back."""
    generator: Any = load_generator(model)
    one_torch_thread()
    info = generator.info
    rate = info.output.sample_rate
    block = block_for(rate)
    point = point_from_seed(info)
    stream = generator.stream()
    factors: list[float] = []
    for step in range(WARM_UP_BLOCKS + int(seconds * rate / block)):
        here = moved(point, info.latent.name, step) if info.latent is not None else point
        start = time.perf_counter()
        stream.block(here, block)
        if step >= WARM_UP_BLOCKS:
            factors.append((time.perf_counter() - start) * rate / block)
    return {
        "rate": rate,
        "block": block,
        "median": percent(factors, 50),
        "p95": percent(factors, 95),
        "worst": max(factors),
    }


def live(model: str, seconds: float, busy: float, latency: float) -> dict[str, Any]:
    """Underruns and pace with a busy window."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from igm_gui.gui import theme
    from igm_gui.gui.commands import Commands
    from igm_gui.gui.sound.view import SoundView
    from igm_gui.gui.studio import Studio

    sys.setswitchinterval(5e-4)  # as the window does at its start
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.apply(app)
    studio = Studio()
    studio.open_model(model)
    view = SoundView(studio, Commands())
    view.resize(820, 720)
    view.show()
    studio.start()
    while studio.last is None:
        app.processEvents()
    engine = view.hub.engine
    engine.set_latency(latency)
    view.toggle_live()
    while (status := engine.status()).live is None or not status.live.ready:
        app.processEvents()
    gaps: list[float] = []
    fills: list[float] = []
    latencies: list[float] = []
    factors: list[float] = []
    steps = 0
    last = begin = time.perf_counter()
    info = studio.session.info
    assert info is not None

    def frame() -> None:
        nonlocal steps, last
        now = time.perf_counter()
        gaps.append(now - last)
        last = now
        if info.latent is not None:
            studio.session.update(point=moved(studio.state.point, info.latent.name, steps), merge="bench")
        steps += 1
        view.update()
        status = engine.status()
        if status.live is not None:
            fills.append(status.live.fill)
            latencies.append(status.player.latency)
            factors.append(status.live.real_time_factor)
        while time.perf_counter() - now < busy / 1000:
            pass
        if now - begin > seconds:
            loop.quit()

    loop = QEventLoop()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(frame)
    timer.start(16)
    loop.exec()
    timer.stop()
    final = engine.status()
    result = {
        "device": final.player.device,
        "seconds": time.perf_counter() - begin,
        "underruns": final.player.underruns,
        "real_time_factor": percent(factors, 50),
        "latency_ms": 1000 * percent(latencies, 50),
        "lead_ms": 1000 * (final.live.lead if final.live is not None else 0.0),
        "fill_ms_lowest": 1000 * min(fills, default=0.0),
        "frames_per_second": len(gaps) / (time.perf_counter() - begin),
        "frame_gap_ms_p95": 1000 * percent(gaps, 95),
        "frame_gap_ms_worst": 1000 * max(gaps, default=0.0),
    }
    view.stop()
    studio.close()
    view.close()
    return result


def views() -> dict[str, Any]:
    """Milliseconds for a new sound of two seconds at 48 kHz."""
    from PySide6.QtGui import QColor

    from igm_gui.engine.audio.analysis import spectrogram
    from igm_gui.gui.sound.waveform import waveform_picture

    sound = np.random.default_rng(0).standard_normal((1, 96_000)).astype(np.float32) * 0.2

    def best(call: Any) -> float:
        times = []
        for _ in range(9):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return 1000 * percent(times, 50)

    return {
        "waveform_1640x300_ms": best(lambda: waveform_picture(sound, 1640, 300, QColor("#e3b557"))),
        "spectrogram_beside_the_interface_ms": best(lambda: spectrogram(sound, 48_000)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="additive")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--busy", type=float, default=6.0, help="milliseconds of Python in each frame")
    parser.add_argument("--latency", type=float, default=0.15, help="seconds that the device holds")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    result = {
        "model": chosen.model,
        "live": live(chosen.model, chosen.seconds, chosen.busy, chosen.latency),
        "bare": bare(chosen.model, chosen.seconds),
        "views": views(),
    }
    if chosen.json:
        print(json.dumps(result, indent=1))
        return 0
    print(f"model {chosen.model}")
    for part in ("bare", "live", "views"):
        print(part)
        for name, value in result[part].items():  # type: ignore[attr-defined]
            print(f"  {name:40} {value:.3f}" if isinstance(value, float) else f"  {name:40} {value}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
