"""Along training: when does each number appear, level by level, and does it follow displacement?

These rules were fixed before the first run.

* Runs: five VAEs on the largest of the preset's amounts of images and three GANs, as in `_looks.py`, looked at before
  the first step and at nine steps that double up to the last; every pair of layers of both networks of each.
* Numbers: `marginal`, `adaptation`, `coupling`, `energy` of each pair. Displacement: `|W - W0| / |W0|` of each layer;
  that of a pair is the mean of its two layers'.
* Untrained: 1,000 pairs of Gaussian kernels of the same shapes, which is how these networks begin. A number is outside
  if it is below 0.5 % or above 99.5 % of theirs. It has appeared at the first look from which on it is outside, on the
  same side, at every look to the last. Of an untrained pair one number in a hundred has appeared at the last look. A
  level is said to show a number if it has appeared in more than half of the runs; when is the median over the runs, a
  run in which it has not counting as later than all.
* Following displacement: Spearman's correlation, over the looks after the first, of the number's distance from the
  untrained mean with the pair's displacement, as the mean over the runs. It describes and is not tested: looks of one
  run are not independent, and nearly all that grows along a training follows displacement. Whether a number says more
  is asked where displacement and something else come apart: see `overfitting.py`.
"""

from __future__ import annotations

from sicjax.experiments import _looks
from sicjax.experiments._lab import Lab

UNTRAINED = 1000
OUTSIDE = 0.005
GANS = 3
