"""Data sets that come as Debian packages, read without installing them and without root."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path


class DataMissing(RuntimeError):
    """The training data is not on this machine and could not be fetched; the message says what to do."""


def package_root(package: str, work: Path) -> Path:
    """Folder that holds the files of a Debian package as if it were the root of the disk.

    An installed package is used where it is.  Otherwise `apt-get download` fetches the .deb into
    `work/packages` and `dpkg-deb -x` unpacks it there; a second call finds it unpacked.
    """
    if Path(f"/var/lib/dpkg/info/{package}.list").exists():
        return Path("/")
    folder = work / "packages"
    root = folder / package
    if root.exists():
        return root
    folder.mkdir(parents=True, exist_ok=True)
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise DataMissing(
            f"Debian package {package} is needed; this system has no apt-get. Use --data FOLDER."
        )
    archives = sorted(folder.glob(f"{package}_*.deb"))
    if not archives:
        print(f"fetching Debian package {package} ...", flush=True)
        result = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True)
        archives = sorted(folder.glob(f"{package}_*.deb"))
        if result.returncode or not archives:
            lines = [line for line in result.stderr.splitlines() if line.startswith("E:")]  # W: are warnings
            reason = (lines or result.stderr.strip().splitlines() or ["no file arrived"])[-1]
            raise DataMissing(f"apt-get download {package} failed: {reason}. Use --data FOLDER.")
    # A folder of this call's own: two recipes may unpack the same package at once.
    with tempfile.TemporaryDirectory(dir=folder) as own:
        unpacked = Path(own) / package
        subprocess.run(["dpkg-deb", "-x", str(archives[-1]), str(unpacked)], check=True)
        try:
            unpacked.rename(root)
        except OSError:
            if not root.exists():
                raise
    return root
