"""Images to train on, and which of them make each step's batch.

```python
images = data.load("faces")             # drawn; "celeb_a", "folder:PATH", "npz:PATH" are read
images.pixels                           # (n, size, size, 3) uint8, in memory, or mapped from the cache's file
images.names, images.skipped            # what each is called; (name, reason) of those that cannot be read
images.factors                          # of faces: {"smile": (n,) float32, ...}
images[7], len(images)                  # a random access source, as Grain takes it
data.indices(step, len(images), batch, seed)        # (batch,) int64: the images of a step, from its number alone
data.stream(images, batch, seed=0, start=step)      # those batches read ahead: step, step + 1, ...
data.faces(key, n, size)                # (n, size, size, 3) uint8 and their factors
data.draw_faces({"smile": [-1, 0, 1]}, 64)          # faces with given factors, the others neutral
data.FACTORS                            # name -> low, high, neutral, meaning
```

>>> images = load("faces", size=32, limit=8)
>>> images.pixels.shape, sorted(indices(0, len(images), 8, seed=0).tolist())
((8, 32, 32, 3), [0, 1, 2, 3, 4, 5, 6, 7])
"""

from sicjax.data._batches import indices, stream
from sicjax.data._faces import draw_faces, faces
from sicjax.data._factors import FACTORS, Factor
from sicjax.data._images import Images
from sicjax.data._load import load

__all__ = ["FACTORS", "Factor", "Images", "draw_faces", "faces", "indices", "load", "stream"]
