"""A PulseAudio of the test's own with a null sink, and what that sink plays."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

RATE = 48_000
WAIT = 20.0


def be_urgent(process: subprocess.Popen[bytes]) -> None:
    """Real-time scheduling where it is allowed, as a desktop's audio server has it: else a machine that
    is busy with other tests makes gaps that are not the program's."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(2))


class Server:
    """A PulseAudio of its own: no other server is touched."""

    def __init__(self, folder: Path, rate: int = RATE) -> None:
        missing = [name for name in ("pulseaudio", "pactl", "parec") if shutil.which(name) is None]
        if missing:
            pytest.fail(
                f"{', '.join(missing)} not found: the sound tests need a real audio server. On Debian: "
                "apt-get install pulseaudio pulseaudio-utils libportaudio2 libasound2-plugins"
            )
        folder.chmod(0o700)
        socket = folder / "p.sock"
        self.variables = {
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_COOKIE": str(folder / "cookie"),
        }
        self.environment = {**os.environ, **self.variables}
        self.rate = rate
        self.start()

    def start(self) -> None:
        socket = self.variables["PULSE_SERVER"].removeprefix("unix:")
        self.process = subprocess.Popen(
            [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
                "--disable-shm=yes",
                "-L", f"module-null-sink sink_name=ci rate={self.rate} format=float32le norewinds=1",
                "-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1",
            ],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        be_urgent(self.process)
        answer = 1
        deadline = time.monotonic() + WAIT
        while answer and time.monotonic() < deadline:
            answer = subprocess.run(
                ["pactl", "info"], env=self.environment, capture_output=True, check=False
            ).returncode
        assert answer == 0, "the private PulseAudio does not answer"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Recorder:
    """What the sink plays, as it comes."""

    def __init__(self, server: Server) -> None:
        self._process = subprocess.Popen(
            ["parec", "-d", "ci.monitor", "--format=float32le", f"--rate={server.rate}", "--channels=2",
             "--latency-msec=20", "--raw"],
            env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        be_urgent(self._process)
        self._data = bytearray()
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        self.until(lambda sound: len(sound) > 0)

    def _read(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read(1920):
            with self._arrived:
                self._data += data
                self._arrived.notify_all()

    def sound(self) -> np.ndarray:
        """Float32 (n, 2) so far."""
        whole = len(self._data) // 8 * 8
        return np.frombuffer(bytes(self._data[:whole]), np.float32).reshape(-1, 2)

    def until(self, enough: Callable[[np.ndarray], bool], timeout: float = WAIT) -> np.ndarray:
        """Wait for more until ``enough`` of it."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            while not enough(sound := self.sound()):
                assert self._arrived.wait(deadline - time.monotonic()), "the recording stopped"
        return sound

    def seconds(self, seconds: float) -> np.ndarray:
        """What comes in the next ``seconds``."""
        start = len(self.sound())
        return self.until(lambda sound: len(sound) >= start + seconds * RATE)[start:]

    def stop(self) -> np.ndarray:
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self.sound()


def enter(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
