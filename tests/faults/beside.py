"""Where the modules are that build files, for what is run without pytest; imported first."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
PLACES = [str(TESTS.parent), *(str(TESTS / folder) for folder in ("networks", "weights"))]
sys.path[:0] = PLACES
