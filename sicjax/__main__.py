"""`python -m sicjax` is `sicjax`."""

import sys

from sicjax.cli import main

sys.exit(main())
