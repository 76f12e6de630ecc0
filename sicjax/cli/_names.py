"""Names of pairs in less room than they have, with a mark where something is left out."""

from __future__ import annotations

import re
from itertools import takewhile

from rich.cells import cell_len

MARK = "…"
# A name is never made shorter than this.
SHORTEST = 8
# Letters of a layer's own name that stay where it is cut most: its last ones.
LAST = 3
_TO = " to "


def shortened(name: str, width: int, mark: str = MARK) -> str:
    """A name in so many cells of a terminal: first without what both layers begin with, then its longest words shorter.

    Numbers in it stay, because they tell layers apart, and so does the word between two layers; what is still too long
    is cut in the middle.

    Arguments:
        name: of a pair, `first to second`, or of anything else.
        width: cells at most.
        mark: stands for what is left out.

    >>> shortened("down.0.resnets.1.conv1 to down.0.resnets.1.conv2", 32)
    'down.0.resnets.1.conv1 to …conv2'
    >>> shortened("down.0.resnets.1.conv1 to down.0.resnets.1.conv2", 26)
    'do…0.res…1.conv1 to …conv2'
    >>> shortened("stages.1.0.conv_out to stages.1.8.conv_in", 24)
    '…1.0.c…_out to …8.c…v_in'
    >>> shortened("features.denseblock1.denselayer6.conv to features.denseblock2.denselayer11.conv", 24)
    '…1…6.conv to …2…11.conv'
    """
    if cell_len(name) <= width:
        return name
    first, to, second = name.partition(_TO)
    begun = _shared(first, second)
    if len(begun) > len(mark):
        name = f"{first}{_TO}{mark}{second[len(begun) :]}"
    words = re.findall(r"\d+|[./ ]|[^\d./ ]+", name)
    letters = [len(word) for word in words]
    for least in (1, 0, -1):
        while cell_len(text := _joined(words, letters, mark)) > width:
            spare = [_spare(words, letters, k, least) for k in range(len(words))]
            if not max(spare):
                break
            letters[spare.index(max(spare))] -= 1
    return text if cell_len(text) <= width else _cut(text, width, mark)


def _shared(first: str, second: str) -> str:
    """What both begin with, up to a point; of what follows in the second there is a word, not a number alone."""
    same = 0
    while same < min(len(first), len(second)) and first[same] == second[same]:
        same += 1
    end = max(first.rfind(sign, 0, same) for sign in "./") + 1
    if second[end:].isdecimal():
        end = max(first.rfind(sign, 0, max(end - 1, 0)) for sign in "./") + 1
    return first[:end]


def _spare(words: list[str], letters: list[int], k: int, least: int) -> int:
    """How many letters a word can still lose: a layer's own name, the last word, half as readily as the others.

    Down to four letters, where that is enough; to three where no other word has any left (`least` is -1).
    """
    if words[k].isdecimal() or words[k] in (*"./ ", "to"):
        return 0
    if _own(words, k):
        return max(letters[k] - LAST if least < 0 else (letters[k] - 4) // 2, 0)
    return max(letters[k] - max(least, 0), 0)


def _own(words: list[str], k: int) -> bool:
    """Whether a word is a layer's own name: no other follows, but for numbers."""
    rest = takewhile(lambda word: word != " ", words[k + 1 :])
    return all(word in "./" or word.isdecimal() for word in rest)


def _joined(words: list[str], letters: list[int], mark: str) -> str:
    """Words with so many of their letters: of a layer's own name the last ones too."""
    text = ""
    for k, (word, kept) in enumerate(zip(words, letters, strict=True)):
        tail = kept - kept // 3 * (kept > LAST) if _own(words, k) else 0
        text += word if kept >= len(word) else word[: kept - tail] + mark + (word[-tail:] if tail else "")
    return re.sub(f"[./]?{re.escape(mark)}[./]?", mark, text).replace(mark * 2, mark)


def _cut(name: str, width: int, mark: str) -> str:
    head = (width - len(mark)) // 2
    tail = width - len(mark) - head
    while cell_len(name[:head] + mark + name[-tail:]) > width and head > 1:  # letters of two cells
        head, tail = head - 1, tail - 1
    return name[:head].rstrip(mark) + mark + name[-tail:].lstrip(mark)
