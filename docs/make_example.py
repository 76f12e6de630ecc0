"""Makes example.safetensors and its sidecar example.json: the paper's DCGAN generator before any training.

Its layers are independent, so `sicjax measure example.safetensors` shows a mean ratio of 1 and z between -3 and 3.
"""

import json

import numpy as np
from safetensors.numpy import save_file

CHANNELS = (100, 512, 256, 128, 64, 3)

rng = np.random.default_rng(0)
weights, layers = {}, []
for k, (inputs, outputs) in enumerate(zip(CHANNELS, CHANNELS[1:], strict=False)):
    weights[f"main.{3 * k}.weight"] = rng.normal(0, 0.02, (inputs, outputs, 4, 4)).astype(np.float32)
    follows = ["tanh"] if outputs == 3 else ["batchnorm", "relu"]
    layers.append(
        {
            "type": "conv_transpose",
            "weight": f"main.{3 * k}.weight",
            "layout": "IOHW",
            "stride": 1 if k == 0 else 2,
            "post": follows,
        }
    )
save_file(weights, "example.safetensors")
with open("example.json", "w") as file:
    json.dump({"networks": {"generator": layers}}, file, indent=1)
