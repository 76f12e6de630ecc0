"""What judges are given, made up: measures that may judge, and what removals of filters leave."""

import numpy as np

from sicjax.experiments._judges import Images

IMAGES = Images(
    {"quality": ["kernel_trained"], "variety": ["rank_trained"]}, {"kernel_trained": 0.001, "rank_trained": 0.1}
)


def taken(lowest, highest, random):
    """What is left of an image after removals: distance, edges and chroma of each."""
    noise = np.random.default_rng(0)
    row = lambda given: dict(
        zip(("distance", "edges", "chroma"), np.array(given) + noise.normal(0, 1e-3, 3), strict=True)
    )
    ends = {
        f"{end} {by}": given
        for by in ("ratio", "adaptation", "coupling")
        for end, given in (("lowest", lowest), ("highest", highest))
    }
    draws = lambda: {"random": [row(random) for _ in range(8)]}
    return {seed: {key: row(given) for key, given in ends.items()} | draws() for seed in range(5)}
