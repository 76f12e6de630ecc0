"""Distances and statistics of generated images; no score here needs a download.

Images are `(n, height, width, channels)` with values in [-1, 1]; another range changes the results by its scale, as
each function states. The distances compare features `(n, d)`: of any encoder, of `random_features`, or of `inception`
with the weights that published FIDs are made with.

>>> import numpy as np
>>> from sicjax import quality
>>> rng = np.random.default_rng(0)
>>> real, fake = rng.normal(size=(5000, 8)), rng.normal(1, size=(5000, 8))
>>> round(quality.frechet_distance(real, fake))
8
"""

from sicjax.quality._checkerboard import checkerboard_energy
from sicjax.quality._diversity import diversity
from sicjax.quality._efficientnet import efficientnet
from sicjax.quality._frechet import frechet_distance, frechet_distance_of_moments
from sicjax.quality._images import chroma_variance, edge_energy
from sicjax.quality._inception import inception
from sicjax.quality._kernel import KernelDistance, kernel_distance
from sicjax.quality._neighbours import Neighbours, neighbours
from sicjax.quality._random_features import random_features
from sicjax.quality._rank import effective_rank, vendi
from sicjax.quality._wasserstein import patches, sliced_wasserstein

__all__ = [
    "KernelDistance",
    "Neighbours",
    "checkerboard_energy",
    "chroma_variance",
    "diversity",
    "edge_energy",
    "effective_rank",
    "efficientnet",
    "frechet_distance",
    "frechet_distance_of_moments",
    "inception",
    "kernel_distance",
    "neighbours",
    "patches",
    "random_features",
    "sliced_wasserstein",
    "vendi",
]
