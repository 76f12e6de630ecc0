"""Results as one page to read, `report.html`: in one file, which opens anywhere and fetches nothing."""

from sicjax.report._about import About, about
from sicjax.report._changes import Changes, write_changes
from sicjax.report._network import write
from sicjax.report._page import LARGEST, NAME
from sicjax.report._replication import write_replication
from sicjax.report._survey import Survey, write_survey

__all__ = [
    "LARGEST",
    "NAME",
    "About",
    "Changes",
    "Survey",
    "about",
    "write",
    "write_changes",
    "write_replication",
    "write_survey",
]
