"""Looking inside deep generative models by their weights alone: see `sicjax.sdr`."""

__version__ = "0.1.0"
