"""Overfitting: does any number follow the gap between held-out and training error beyond displacement?

These rules were fixed before the first run; before them one look at the errors, not at the numbers, of VAEs on 200 and
1,000 images (a seed that is not among those below) had shown that 1,500 steps overfit visibly.

* Runs: VAEs on 200, 1,000 and 9,500 images (the first so many, the same for every seed), five seeds each, as in
  `_looks.py`: equal steps and batches, no mirroring, the smallest beta. A run is one unit, at its last step.
* Gap: mean squared error of pixels on images held out minus that on images trained on, both with the latent means and
  the batch norms' running statistics, on as many images each as the smallest amount (or as are held out, if fewer): the
  first so many, which every run has seen, and the first so many of those that none has. The same images for every run.
* Numbers: `marginal`, `adaptation`, `coupling`, `energy` of each of the six pairs of layers: 24 tests. Displacement:
  `|W - W0| / |W0|` of the pair's two layers, each a covariate.
* Partial Spearman: ranks over the runs of the number, the gap and both displacements; the correlation of the residuals
  of the first two after least squares on a constant and the others.
* Beyond displacement: the residuals of the number permuted 100,000 times over all the runs. What is tested: given
  both displacements, a run's number says nothing about its gap. As the amount of images makes the gap, whatever else
  depends on the amount and is not in the (linear, in ranks) displacements answers too: a rejection says that the
  number tells more data from less where displacement does not, not why.
* Beyond the amount: the amounts are covariates too (a constant for each), and residuals are permuted within runs on
  equally many images. What is tested: among runs that differ by seed alone, given both displacements, the number says
  nothing about the gap. Fifteen runs leave ten degrees of freedom: only a correlation of about 0.85 can pass.
* Two-sided, p with the real order among the permutations; Holm over the 24 within each. A number *follows the gap
  beyond
  displacement* at a level if the first is below 0.05; *beyond the amount* if the second is.
* Beside it, to be beaten: Spearman's correlation with the gap of each displacement, and of each number, alone.
"""

from __future__ import annotations

PERMUTATIONS = 100_000
LEVEL = 0.05
