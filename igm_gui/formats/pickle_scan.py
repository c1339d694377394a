"""A pickle looked through before it is read: its opcodes one by one, without running any.

What is found is every name it mentions, and what would cost too much: an index that makes the unpickler's
memo huge, a key whose hash takes exponentially long, numbers chosen so that their hashes collide.
"""

from __future__ import annotations

import io
import pickletools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from igm_gui.errors import ModelError

HINT = "Only networks stored as plain weights are opened; nothing in a file is ever executed."
MAX_OPCODES = 2_000_000  # some three seconds of reading; the largest networks have a tenth of it
MAX_MEMO = 20_000_000
MAX_KEY = 64  # parts of a dictionary's key: (t, t) of (t, t) of ... doubles with each step
MAX_TUPLE_KEYS = 10_000
MAX_LARGE_NUMBERS = 10_000
LARGE = (1 << 61) - 1  # whole numbers are hashed modulo this
MAX_BITS = 4096
MAX_GLOBALS = 5_000
MAX_OLD = 200_000_000  # bytes of a pickle that does not say in front that it is one
ENOUGH = 100_000  # instructions in a row that no text has by chance
# What a pickle of protocol 0 or 1 can begin with: a mark, a global, an empty container or a value.
OLD_STARTS = tuple(bytes([code]) for code in b"(c])}NIJKMLFGSTUVXP")


class Refused(ModelError):
    """A pickle names something outside the allow-list, or is damaged. ``absurd``: whole as far as it was
    read, and made to cost too much."""

    absurd = False


@dataclass
class Scan:
    """What a pickle mentions, found by reading its opcodes without running them."""

    protocol: int = 0
    opcodes: int = 0
    globals: tuple[str, ...] = ()


def scan(data: bytes, outside: bool = False, mentioned: dict[str, None] | None = None) -> Scan:
    """Read every opcode of a whole file. Refused where the stream is damaged or absurd.

    ``outside`` admits references to objects outside the pickle, as torch archives have them;
    ``mentioned`` gets the globals' names, those before a refusal too.
    """
    stream = io.BytesIO(data)
    found = scan_next(stream, outside, mentioned)
    if stream.read(1):
        raise Refused("There are bytes after the end of the pickle.", "Copy or download the file again.")
    return found


def scan_next(stream: BinaryIO, outside: bool = False, mentioned: dict[str, None] | None = None) -> Scan:
    """As :func:`scan`, of one pickle that begins where ``stream`` stands and may be followed by more."""
    reader = _Reader(outside, {} if mentioned is None else mentioned)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            reader.step(opcode, argument)
    except Refused:
        raise
    except Exception as error:
        raise Refused(
            "The pickle is damaged or cut short.", "Copy or download the file again.", repr(error)
        ) from error
    return Scan(reader.protocol, reader.count, tuple(reader.seen))


def is_pickle(path: Path, start: bytes) -> bool:
    """Whether a file, ``start`` its first bytes, is a pickle. Those of protocol 2 and later say so in front;
    older ones are known by being one from their first instruction to their last byte."""
    if start[:1] == b"\x80":
        return start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    if not start.startswith(OLD_STARTS) or path.stat().st_size > MAX_OLD:
        return False
    data = path.read_bytes()
    if not data.endswith(b"."):
        return False
    reader = _Reader(True, {})
    stream = io.BytesIO(data)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            reader.step(opcode, argument)
            if reader.count > ENOUGH:
                return True
    except Refused as error:
        return error.absurd
    except Exception:  # no instruction of a pickle, or the end in the middle of one
        return False
    return reader.count > 1 and not stream.read(1)


def _absurd(what: str) -> Refused:
    error = Refused(f"The pickle {what}.", HINT)
    error.absurd = True
    return error


class _Reader:
    """The stack as far as it matters: for each value how many parts its hash visits, and texts for names."""

    def __init__(self, outside: bool, seen: dict[str, None]) -> None:
        self.outside, self.seen = outside, seen
        self.count = self.protocol = 0
        self._stack: list[int] = []
        self._marks: list[int] = []
        self._memo: dict[int, tuple[int, str | None]] = {}
        self._texts: list[str] = []
        self._last: str | None = None
        self._tuple_keys = self._large = 0

    def step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        self.count += 1
        if self.count > MAX_OPCODES:
            raise _absurd(f"has more than {MAX_OPCODES:,} instructions")
        name = opcode.name
        if name == "PROTO":
            self.protocol = argument
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._remember(len(self._memo) if name == "MEMOIZE" else argument)
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            parts, self._last = self._memo.get(argument, (1, None))
            self._stack.append(parts)
            self._note(self._last)
        else:
            self._name(name, argument)
            self._move(opcode, name)
            if isinstance(argument, int) and abs(argument) >= LARGE:
                self._large += 1
                if self._large > MAX_LARGE_NUMBERS or argument.bit_length() > MAX_BITS:
                    raise _absurd("holds numbers made to be slow")

    def _remember(self, index: int) -> None:
        # The unpickler's memo is an array: one large index would allocate all of it.
        if not 0 <= index <= MAX_MEMO:
            raise _absurd("asks for an absurd amount of memory")
        self._memo[index] = (self._stack[-1] if self._stack else 1, self._last)

    def _note(self, text: str | None) -> None:
        if text is not None:
            self._texts.append(text)
            del self._texts[:-4]

    def _name(self, name: str, argument: Any) -> None:
        if name in ("GLOBAL", "INST"):
            self.seen[str(argument).replace(" ", ".")] = None
        elif name == "STACK_GLOBAL":
            self.seen[".".join(self._texts[-2:])] = None
        if len(self.seen) > MAX_GLOBALS:
            raise _absurd(f"mentions more than {MAX_GLOBALS:,} functions and classes")
        if name in ("EXT1", "EXT2", "EXT4") or (name in ("PERSID", "BINPERSID") and not self.outside):
            raise _absurd(f"uses {name}, which needs objects from outside the file")
        self._last = argument if isinstance(argument, str) and name not in ("GLOBAL", "INST") else None
        self._note(self._last)

    def _move(self, opcode: pickletools.OpcodeInfo, name: str) -> None:
        """Take from the stack what the instruction takes, put there what it puts."""
        if name == "MARK":
            self._marks.append(len(self._stack))
            return
        taken: list[int] = []
        before = [kind.name for kind in opcode.stack_before]
        if "mark" in before:
            start = self._marks.pop() if self._marks else 0
            taken = self._stack[start:]
            del self._stack[start:]
            fixed = before.index("mark")
        else:
            fixed = len(before)
        if name == "POP" and self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()  # POP takes a mark away where that is what lies on top
            return
        own = self._stack[max(0, len(self._stack) - fixed) :] if fixed else []
        del self._stack[len(self._stack) - len(own) :]
        keys: list[int] = []
        if name == "SETITEM":
            keys = own[1:2]
        elif name in ("SETITEMS", "DICT"):
            keys = taken[::2]
        elif name in ("ADDITEMS", "FROZENSET"):
            keys = taken
        for parts in keys:
            self._key(parts)
        if name in ("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "FROZENSET"):
            self._stack.append(1 + sum(taken) + sum(own))
        elif name == "DUP":
            self._stack += own * 2
        elif name in ("SETITEM", "SETITEMS", "APPEND", "APPENDS", "ADDITEMS", "BUILD"):
            self._stack.append(own[0] if own else 1)
        else:
            self._stack += [1] * len(opcode.stack_after)

    def _key(self, parts: int) -> None:
        if parts > MAX_KEY:
            raise _absurd("has a key made to be slow")
        if parts > 1:
            self._tuple_keys += 1
            if self._tuple_keys > MAX_TUPLE_KEYS:
                raise _absurd("is full of keys made to be slow")
