"""What conftest.py has check every call in the package: beartype, with the two leaves that type checkers give."""

import io
from typing import TextIO

from beartype import BeartypeConf, FrozenDict, beartype

# An int is a float; and so that pytest may catch what is printed, a stream of text need not have a name.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True, hint_overrides=FrozenDict({TextIO: io.TextIOBase})))
