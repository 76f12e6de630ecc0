"""The training loop: steps, and what happens between them, until the last or a signal."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from sicjax import data, runs
from sicjax._errors import InputError
from sicjax.train._config import Config
from sicjax.train._feed import Feed, everywhere
from sicjax.train._task import KEPT, Task
from sicjax.train._watch import Watch

DRAWN = 20_000


class Result(NamedTuple):
    """How a run ended.

    Attributes:
        folder: the run's directory.
        step: steps done.
        finished: whether these are all, or enough; otherwise a signal stopped it, and calling again goes on.
        state: after the last step.
    """

    folder: Path
    step: int
    finished: bool
    state: Any


def run(
    kind: str,
    config: Config,
    make_task: Callable[[jax.sharding.Mesh], Task],
    workdir: str | Path,
    *,
    devices: list[jax.Device] | None = None,
    progress: Callable[[int, int, dict[str, float]], Any] = lambda step, steps, metrics: None,
    enough: Callable[[int], bool] = lambda step: False,
) -> Result:
    """Trains from the latest checkpoint in a directory, or from the start, to the config's last step.

    SIGTERM and Ctrl-C write a checkpoint and end it. With several devices each takes its share of every batch; with
    several processes (`jax.distributed`) every one of them calls this with the same config and a directory that all
    of them see.

    Arguments:
        kind: the run's name in its directory.
        config: what to train.
        make_task: the networks and their step, for the devices in a mesh.
        workdir: the run's directory.
        devices: to train on, by default all.
        progress: called with the steps done, all steps and the latest metrics.
        enough: asked at every checkpoint, after it is written and everything due then is measured; true ends the run.

    Raises:
        InputError: images that cannot be read, a directory with another config, a loss that is no number any more.
    """
    mesh = jax.sharding.Mesh(np.array(devices or jax.devices()), ("data",))
    if config.batch % mesh.size:
        raise InputError(f"--batch {config.batch} cannot be shared by {mesh.size} devices: make it a multiple")
    task = make_task(mesh)
    writer = runs.Writer(
        workdir,
        kind=kind,
        config=config,
        models=task.models,
        keep=config.keep,
        keep_at=config.save_at,
        free=config.free,
        tensorboard=config.tensorboard,
    )
    images, held_out = _images(config)
    count = len(images) - held_out
    if config.subset > count:
        raise InputError(f"--subset {config.subset}: {config.data} has {count} images beside those held out")
    feed = Feed(images, config.subset or count, config, mesh)
    shown = everywhere(np.asarray(images.pixels[len(images) - held_out :]), mesh)
    writer.begin()
    if images.skipped:
        file = writer.write_skipped(images.skipped)
        name, reason = images.skipped[0]
        warnings.warn(
            f"{len(images.skipped)} images cannot be read, the first {name}: {reason}; all: {file}", stacklevel=3
        )
    try:
        writer.same_images(images.names)
        return _train(task, config, writer, feed, shown, mesh, progress, enough)
    finally:
        writer.close()


def _train(
    task: Task, config: Config, writer: runs.Writer, feed: Feed, shown: Any, mesh: jax.sharding.Mesh, progress, enough
) -> Result:
    replicated = NamedSharding(mesh, PartitionSpec())
    abstract = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=replicated), jax.eval_shape(task.init)
    )
    state = writer.restore(abstract)
    watch = Watch(task.networks)
    if state is None:
        state = jax.tree.map(lambda leaf: everywhere(np.asarray(leaf), mesh), task.init())
        _look(task, config, state, writer, shown, watch, 0, 0)
        if 0 in config.save_at:
            _save(task, state, writer, shown, 0)
    together = config.steps_together or (1 if mesh.devices.flat[0].platform == "cpu" else 10)
    advance = _compiled(task.step, replicated)

    step, metrics, clock = int(state.step), {}, (time.perf_counter(), int(state.step))
    with _signals(config.log_every) as stopped:
        while step < config.steps and not stopped(step):
            pause = min(_pauses(config, step))
            count = together if step + together <= min(pause, config.steps) else 1
            state, metrics = advance(state, feed.pixels, feed.steps(step, step + count))
            step += count
            progress(step, config.steps, {})
            if step % config.log_every == 0 or step == config.steps:
                metrics = _finite(metrics, step, writer)
                now = time.perf_counter()
                metrics["images_per_second"] = (step - clock[1]) * config.batch / (now - clock[0])
                writer.log(runs.METRICS, step, metrics)
                progress(step, config.steps, metrics)
            _look(task, config, state, writer, shown, watch, step, config.steps)
            if step % config.save_every == 0 or step in config.save_at or step == config.steps:
                _save(task, state, writer, shown, step)
                if enough(step):
                    return Result(writer.folder, step, True, state)
            if step % config.log_every == 0:
                clock = (time.perf_counter(), step)
    if step < config.steps:
        _save(task, state, writer, shown, step)
    return Result(writer.folder, step, step == config.steps, state)


def _images(config: Config) -> tuple[data.Images, int]:
    limit = config.images or (DRAWN if config.data == "faces" else None)
    data_dir = Path(config.data_dir) if config.data_dir else None
    images = data.load(
        config.data, size=config.size, crop=config.crop or None, limit=limit, data_dir=data_dir, seed=config.seed
    )
    if len(images) < 2:
        raise InputError(f"{config.data} has {len(images)} image: training needs at least 2")
    return images, config.held_out(len(images))


@lru_cache(KEPT)
def _compiled(step: Callable, sharding: NamedSharding) -> Callable:
    return jax.jit(partial(_advance, step), donate_argnums=0, out_shardings=sharding)


def _advance(step: Callable, state: Any, pixels: Any, given: Any) -> tuple[Any, dict[str, Any]]:
    """As many steps as `given` has rows; the metrics are those of the last."""
    take = lambda row: row if pixels is None else pixels[row]
    if len(given) == 1:
        return step(state, take(given[0]))
    state, metrics = jax.lax.scan(lambda state, row: step(state, take(row)), state, given)
    return state, jax.tree.map(lambda values: values[-1], metrics)


def _pauses(config: Config, step: int) -> Iterator[int]:
    """After which steps, of those to come, there is something to do."""
    for every in (config.log_every, config.sample_every, config.measure_every, config.save_every):
        yield (step // every + 1) * every
    yield from (at for at in config.save_at if at > step)


def _look(
    task: Task, config: Config, state: Any, writer: runs.Writer, shown: Any, watch: Watch, step: int, last: int
) -> None:
    """Pictures and measurements that are due."""
    if step % config.sample_every == 0 or step == last:
        for name, grid in task.pictures(state, shown).items():
            writer.write_picture(name, step, np.asarray(grid))
    if (step % config.measure_every == 0 or step == last) and writer.writes:
        writer.write_measure(watch(step, task.weights(state)))


def _save(task: Task, state: Any, writer: runs.Writer, shown: Any, step: int) -> None:
    if not bool(_all_finite(state)):
        _fail(step, writer)
    writer.save(step, state, task.score(state, shown))


@jax.jit
def _all_finite(state: Any):
    return jnp.all(jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(state)]))


def _finite(metrics: dict[str, Any], step: int, writer: runs.Writer) -> dict[str, float]:
    found = {name: float(value) for name, value in metrics.items()}
    if not all(map(math.isfinite, found.values())):
        _fail(step, writer)
    return found


def _fail(step: int, writer: runs.Writer) -> None:
    saved = writer.saved
    kept = "nothing was saved" if saved is None else f"the checkpoint of step {saved} is kept"
    raise InputError(
        f"a loss or weight is no number any more at step {step} of {writer.folder}; {kept}: "
        "start another run with a lower --learning-rate or with --clip"
    )


@contextlib.contextmanager
def _signals(every: int) -> Iterator[Callable[[int], bool]]:
    """Yields whether SIGTERM or Ctrl-C came; a second Ctrl-C ends at once.

    Several processes agree on it, and only every so many steps.
    """
    came = threading.Event()

    def note(number, frame):
        if came.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.set()

    def stopped(step: int) -> bool:
        if jax.process_count() == 1:
            return came.is_set()
        if step % every:
            return False
        from jax.experimental import multihost_utils

        return bool(np.any(multihost_utils.process_allgather(np.array(came.is_set()))))

    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)} if main else {}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
