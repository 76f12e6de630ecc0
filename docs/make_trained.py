"""Makes the small networks that come with the package: trains them on drawn faces and stores them.

    python docs/make_trained.py runs/trained vae gan

takes some minutes on two cores, goes on where it stopped, and writes `sicjax/trained/{vae,gan}.safetensors`, each with
its sidecar, samples and a picture of its training. The generator of the GAN is the average of its weights over the
steps, from which its samples are drawn. Other versions of JAX, and other processors, give other last digits.
"""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import jax
import numpy as np
from flax import nnx
from safetensors.numpy import save_file

from sicjax import __version__, figures, measure, models, runs, train, trained

COMMON = {"images": 10_000, "size": 32, "latent": 32, "kernel": 4, "batch": 32, "log_every": 50, "sample_every": 500}
CONFIGS = {
    "vae": train.VaeConfig(
        **COMMON, encoder=(16, 32, 64, 128), decoder=(64, 64, 32, 16), beta=0.1, steps=1_500, measure_every=500,
        save_every=250,
    ),
    "gan": train.GanConfig(
        **COMMON, generator=(128, 64, 32, 16), discriminator=(16, 32, 64, 128), learning_rate=4e-4, steps=4_000,
        measure_every=1_000, save_every=250,
    ),
}  # fmt: skip
# What each is called in the file, and in a run.
PARTS = {
    "vae": {"encoder": "encoder", "decoder": "decoder"},
    "gan": {"generator": "average", "discriminator": "discriminator"},
}


def store(name: str, run: Path) -> None:
    """A run's latest networks as a weights file with a sidecar, and its pictures."""
    file, description = Path(trained.__file__).with_name(f"{name}.safetensors"), runs.describe(run)
    networks = {part: models.load(run)[own] for part, own in PARTS[name].items()}
    blueprints = {part: description.models[own] for part, own in PARTS[name].items()}
    arrays = {
        ".".join((part, *map(str, path))): np.asarray(variable[...])
        for part, module in networks.items()
        for path, variable in nnx.to_flat_state(nnx.state(module, nnx.Any(nnx.Param, nnx.BatchStat)))
    }
    save_file(arrays, file)
    last = runs.log(run, runs.METRICS)[-1]
    stated = {
        "about": f"trained by docs/make_trained.py with sicjax {__version__} and JAX {jax.__version__}"
        + "; the generator is the average of its weights over the steps" * (name == "gan"),
        "networks": {part: layers(part, blueprint) for part, blueprint in blueprints.items()},
        "models": {part: {"model": each.model, "arguments": each.arguments} for part, each in blueprints.items()},
        "config": dataclasses.asdict(CONFIGS[name]) | {"kind": name},
        "ended": {key: value for key, value in last.items() if key != "images_per_second"},
    }
    file.with_suffix(".json").write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")
    *_, latest = runs.picture_files(run, runs.SAMPLES).values()
    shutil.copy(latest, file.with_name(f"{name}-samples.png"))
    courses = measure.courses({name: run})
    figures.save(figures.courses(courses), file.with_name(f"{name}-training"), (".png",))


def layers(part: str, blueprint: runs.Blueprint) -> list[dict]:
    """As a sidecar states them, in the order of the data."""
    up = blueprint.model in ("Decoder", "Generator")
    kind = {"type": "conv_transpose" if up else "conv", "layout": "HWIO"}
    convolutions = [
        kind | {"weight": f"{part}.convs.{k}.kernel", "stride": stride, "post": ["batchnorm", "relu"]}
        for k, stride in enumerate(blueprint.arguments["strides"])
    ]
    dense = [{"type": "linear", "weight": f"{part}.dense.kernel"}]
    return dense + convolutions if up else convolutions + dense


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/trained")
    start = {"vae": train.vae, "gan": train.gan}
    for name in sys.argv[2:] or CONFIGS:
        config = CONFIGS[name]
        with train.shown() as progress:
            result = start[name](config, folder / name, progress=progress)
        if not result.finished:
            sys.exit(f"stopped at step {result.step}: the same command goes on from there")
        store(name, folder / name)
