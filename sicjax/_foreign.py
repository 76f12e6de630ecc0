"""What others chose: names that are shown on a terminal, files that are opened."""

from __future__ import annotations

import os
import re
import stat

# Controls, of which terminals obey some, marks that turn the direction of text, and bytes that are no UTF-8.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_KINDS = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}


def printable(text: str) -> str:
    r"""The text with what is not seen written out.

    >>> printable("conv\x1b[31m1")
    'conv\\x1b[31m1'
    """
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def irregular(path: str | os.PathLike[str]) -> str:
    """What a path leads to, if it is no regular file: reading that could block for ever, or have no end.

    Raises:
        OSError: nothing there, or it cannot be reached.
    """
    mode = os.stat(path).st_mode
    return "" if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "a device")
