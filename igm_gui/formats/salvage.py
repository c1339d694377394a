"""Reading zip members from bytes that may be damaged, cut short or hostile.

The standard library needs the list at a zip's end, so one missing byte there loses everything. Here a
member that the list doesn't give, or whose checksum is wrong, is looked for by its own local header.
Nothing is unpacked to disk, and no member grows beyond the bytes that the caller allows.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cached_property

_LOCAL = struct.Struct("<4s5H3I2H")  # PKZIP APPNOTE 4.3.7
_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED, _SIZES_FOLLOW = 0x1, 0x8
MAX_MEMBERS = 100_000


class ZipReader:
    """Members of a zip given as ``content``. ``damaged`` tells, after reading, whether any was not whole."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.is_zip = content.startswith(_SIGNATURE)
        self.damaged = False
        self._listed: dict[str, int] = {}
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                entries = archive.infolist()[:MAX_MEMBERS]
                self._listed = {entry.filename: entry.header_offset for entry in reversed(entries)}
                self.is_zip = True
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError, UnicodeError):
            self.damaged = True

    def read(self, name: str, limit: int) -> bytes | None:
        """The member called ``name``, at most ``limit`` bytes; None where it is missing or not whole."""
        offset = self._listed.get(name)
        if offset is not None:
            raw = self._member(offset, name, limit)
            if raw is not None:
                return raw
            self.damaged = True
        for other in self._found.get(name, ()):
            raw = self._member(other, name, limit)
            if raw is not None:
                return raw
        return None

    @cached_property
    def _found(self) -> dict[str, list[int]]:
        """Offsets by name of everything that looks like a local header, wherever it is."""
        found: dict[str, list[int]] = {}
        position = self._content.find(_SIGNATURE)
        count = 0
        while position >= 0 and count < MAX_MEMBERS:
            header = self._header(position)
            if header is not None:
                found.setdefault(header[0], []).append(position)
            count += 1
            position = self._content.find(_SIGNATURE, position + 4)
        return found

    def _header(self, offset: int) -> tuple[str, int, int, int, int, int] | None:
        """(name, method, crc, packed size, size, start of the data) at ``offset``, or None."""
        if offset < 0 or offset + _LOCAL.size > len(self._content):
            return None
        (signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length) = (
            _LOCAL.unpack_from(self._content, offset)
        )
        # Sizes that follow the data are not trusted; the program itself never writes them so.
        if signature != _SIGNATURE or flags & (_ENCRYPTED | _SIZES_FOLLOW) or method not in (0, 8):
            return None
        start = offset + _LOCAL.size
        name = self._content[start : start + name_length].decode("utf-8", "replace")
        return name, method, crc, packed, size, start + name_length + extra_length

    def _member(self, offset: int, name: str, limit: int) -> bytes | None:
        header = self._header(offset)
        if header is None or header[0] != name:
            return None
        _, method, crc, packed, size, start = header
        data = self._content[start : start + packed]
        if len(data) != packed or size > limit:
            return None
        if method == zipfile.ZIP_STORED:
            raw = data
        else:
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                raw = unpacker.decompress(data, size + 1)
            except zlib.error:
                return None
        return raw if len(raw) == size and zlib.crc32(raw) == crc else None
