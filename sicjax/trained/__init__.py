"""Small networks that came with the package, trained on the drawn faces: a VAE and a GAN.

```python
measure.measure(list(trained.FILES.values()))     # what `sicjax demo --quick` shows
trained.load("vae")["decoder"](z)                 # a Flax module: (n, 32) latents to images (n, 32, 32, 3)
trained.load("gan")["generator"](z)
```

Each is `NAME.safetensors` with its sidecar `NAME.json`, which also has the config of its training and how it ended,
`NAME-samples.png` and `NAME-training.png`, its pairs of layers along that training. `docs/make_trained.py` makes them.
"""

from sicjax.trained._load import FILES, PICTURES, load

__all__ = ["FILES", "PICTURES", "load"]
