"""What a file that is no model looks like, by its first bytes: a refusal should say what was seen."""

from __future__ import annotations

# First bytes, what they are, what to do where that is known.
STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", ""),
    (b"\xff\xd8\xff", "a JPEG picture", ""),
    (b"GIF8", "a GIF picture", ""),
    (b"RIFF", "a sound or picture (RIFF)", ""),
    (b"OggS", "an Ogg sound or film", ""),
    (b"fLaC", "a FLAC sound", ""),
    (b"ID3", "an MP3 sound", ""),
    (b"%PDF", "a PDF document", ""),
    (
        b"version https://git-lfs",
        "a pointer to a file in Git LFS",
        "Get the file: git lfs pull, or the download button of its page.",
    ),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and open the model inside."),
    (b"BZh", "a bzip2 archive", "Unpack it and open the model inside."),
    (b"\xfd7zXZ\x00", "an xz archive", "Unpack it and open the model inside."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it and open the model inside."),
    (b"Rar!", "a RAR archive", "Unpack it and open the model inside."),
    (
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file (Keras)",
        "Export the network as ONNX (tf2onnx) and open that.",
    ),
    (b"GGUF", "a GGUF file (language models)", ""),
    (b"\x93NUMPY", "a NumPy array", "An array of w can be dropped on a StyleGAN that is open."),
    (b"\x7fELF", "a program for Linux", ""),
    (b"MZ", "a program for Windows", ""),
)
PAGES = (b"<!doctype html", b"<html", b"<?xml")


def looks_like(start: bytes) -> tuple[str, str]:
    """(``a PNG picture``, what to do) for a file that begins with ``start``; empty where it can't be told.
    The second is empty where nothing more is to be said."""
    for beginning, what, hint in STARTS:
        if start.startswith(beginning):
            return what, hint
    if start.lstrip().lower().startswith(PAGES):
        return "a web page", "The page was saved, not the file: use the download link on it."
    if start[4:8] == b"ftyp":
        return "a film (MP4)", ""
    if start and not start.strip(b"\x00"):
        return "a file of zeros", "Its download was interrupted, or its place on the disk is damaged."
    if len(start) >= 8 and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        return "plain text", ""
    return "", ""
