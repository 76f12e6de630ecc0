"""The paper's claims, each judged on the ratios and on adaptation, from results alone."""

from sicjax.experiments.claims._all import CLAIMS, Claim, judge_all, of_public
from sicjax.experiments.claims._levels import c1, c2, c3, c3_reading, c4

__all__ = ["CLAIMS", "Claim", "c1", "c2", "c3", "c3_reading", "c4", "judge_all", "of_public"]
