"""Filters removed from a network (paper, section 4.2): chosen by energy, by ratio or by what they add to adaptation.

>>> import numpy as np
>>> from sicjax import interventions, sdr
>>> rng = np.random.default_rng(0)
>>> params = {"conv1": {"kernel": rng.normal(size=(4, 4, 8, 6))}, "conv2": {"kernel": rng.normal(size=(4, 4, 6, 3))}}
>>> pair = sdr.generative(params["conv1"]["kernel"], params["conv2"]["kernel"], stride=2)
>>> edited, removed = interventions.remove_filters(params, "conv1", pair=pair, by="ratio", remove="highest", count=12)
>>> removed.count, removed.remaining, removed.total
(12, 36, 48)
"""

from sicjax.interventions._criteria import adaptation_shares, criterion, output_energy
from sicjax.interventions._remove import Edited, Removed, remove_filters
from sicjax.interventions._save import save

__all__ = ["Edited", "Removed", "adaptation_shares", "criterion", "output_energy", "remove_filters", "save"]
