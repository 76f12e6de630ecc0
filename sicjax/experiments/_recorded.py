"""The paper's figures, drawn from the records of finished runs alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from sicjax import figures, runs
from sicjax.experiments._levels import curves
from sicjax.experiments._planned import dropout_name, vae_name
from sicjax.experiments._preset import PRESETS, Preset
from sicjax.experiments._records import Record
from sicjax.experiments._tables import number
from sicjax.experiments._taken_out import PAGES
from sicjax.experiments.illustration import composed, pathway

BANDS = ("mean", "low", "high", "adaptation")
# Of the measures that may judge, the one on features of a trained network.
VARIETY = "coverage_trained"
LATENTS = 5


class Drawn(NamedTuple):
    png: Path
    caption: str


class Shelf(NamedTuple):
    """Records of a preset's runs by name and seed, and the folder of their pictures."""

    preset: Preset
    records: Mapping[str, Mapping[int, Record]]
    folder: Path

    def has(self, *names: str) -> bool:
        return all(self.records.get(name) for name in names)

    @property
    def about(self) -> str:
        """What the runs were trained on, and how large their networks are."""
        config = next(record["config"] for of in self.records.values() for record in of.values())
        data, size = config["data"].rpartition(":")[2], config["size"]
        width = Fraction(max(config.get("generator") or config["encoder"]), max(PRESETS["paper"].gan.generator))
        share = "as wide as the paper's" if width == 1 else f"{width} of the paper's width"
        return f"{data}, {size} x {size}, {share}"

    def levels(self, name: str, network: str) -> list[Any]:
        return [each["levels"][str(each["last"])][network] for each in self.records[name].values()]

    def seeds(self, name: str) -> str:
        count = len(self.records[name])
        return f"{count} seed" + "s" * (count != 1)

    def file(self, name: str, seed: int, kind: str) -> Path:
        return self.folder / f"{name}-seed{seed}-{kind}.png"

    def picture(self, name: str, kind: str) -> tuple[int, UInt8[np.ndarray, "rows columns h w 3"] | None]:
        """The first seed with such a picture, and its images."""
        for seed in self.records.get(name, {}):
            file = self.file(name, seed, kind)
            if file.exists():
                return seed, runs.grid(file, self.preset.gan.size)
        return -1, None


def draw(preset: Preset, found: Mapping[str, Mapping[int, Record]], folder: Path) -> list[Drawn]:
    """Every figure whose runs are done, written into the folder, with captions that name network and data.

    Arguments:
        preset: whose runs the plan has.
        found: the records by name and seed.
        folder: for the figures, with the pictures of the records in `records`.
    """
    shelf = Shelf(preset, found, folder / "records")
    drawn = [
        Drawn(figures.save(figure, folder / name, [".png"])[0], f"{caption} ({shelf.about}).")
        for each in (_example, _histograms, _taken_out, _samples, _along)
        for name, figure, caption in each(shelf)
    ]
    return [*drawn, *_pages(shelf)]


def _example(shelf: Shelf) -> Iterator[tuple[str, Any, str]]:
    """Fig. 3a and 3c."""
    for seed, record in shelf.records.get("gan", {}).items():
        if "example" in record:
            found, kernels = record["example"], record["example_kernels"]
            coarse, fine = (np.array(kernels[key]) for key in ("coarse", "fine"))
            figure = pathway(found, composed(coarse, fine, kernels["stride"]))
            yield "fig3a", figure, f"Fig. 3a: a pathway of the generator with a ratio as in the paper, seed {seed}"
            figure = figures.compositions(coarse, fine, tuple(found["pathway"]))
            yield "fig3c", figure, "Fig. 3c: a ratio is of one pathway, here the one above"
            return


def _histograms(shelf: Shelf) -> Iterator[tuple[str, Any, str]]:
    """Fig. 4, 5, 8 and 9."""
    preset = shelf.preset
    draw = lambda **of: figures.distributions(curves({label: shelf.levels(*which) for label, which in of.items()}))
    sweep = [vae_name(channels, beta) for channels, beta in product(preset.channels, preset.betas)]
    worst, best = vae_name(preset.channels[0], preset.betas[0]), vae_name(preset.channels[1], preset.betas[1])
    if shelf.has("gan"):
        figure = draw(generator=("gan", "generator"), discriminator=("gan", "discriminator"))
        yield "fig4", figure, f"Fig. 4: the GAN trained here, {shelf.seeds('gan')}; level 1 is the finest"
    if shelf.has(worst):
        figure = draw(decoder=(worst, "decoder"), encoder=(worst, "encoder"))
        yield "fig5", figure, f"Fig. 5: the VAE trained here, {shelf.seeds(worst)}"
    if shelf.has(*sweep):
        yield "fig8", draw(**{name: (name, "encoder") for name in sweep}), "Fig. 8: encoders by channels and beta"
    if shelf.has(worst, best):
        figure = draw(**{name: (name, "decoder") for name in (worst, best)})
        yield "fig9", figure, "Fig. 9: decoders of the worst and the best, by the paper's account"


def _taken_out(shelf: Shelf) -> Iterator[tuple[str, Any, str]]:
    """Fig. 6 and 10, which is more of it."""
    seed, grid = shelf.picture("gan", "removal")
    if grid is None:
        return
    removal = shelf.records["gan"][seed]["removal"]
    gone = removal["lowest ratio"]["removed"]
    left = {"unedited": removal["filters"], "low energy": removal["left after energy"]}
    columns, notes = [], ["chroma, × unedited\ndistance, × random"]
    for name in PAGES:
        count = left.get(name, removal["left after energy"] - gone)
        columns.append(name.replace(" ", "\n") + f"{'' if name == 'unedited' else ' out'}\n{count:,} filters")
    for name in PAGES[1:]:
        # At random: the last of the draws.
        each = removal[name][-1] if name == "random" else removal[name]
        notes.append(f"{number(each['chroma'], 2)}\n{number(each['distance'], 2)}")
    figure = figures.table(grid, columns=columns, notes=notes)
    caption = (
        f"Fig. 6 and 10: filters of the generator's last layer but one taken out, seed {seed}; above each column how "
        "many are left, below it colour variance as a multiple of that of the unedited images, and the distance to "
        "these as a multiple of that of two random images"
    )
    yield "fig6", figure, caption


def _samples(shelf: Shelf) -> Iterator[tuple[str, Any, str]]:
    """Fig. 7."""
    preset, pages = shelf.preset, {}
    for channels, beta in product(preset.channels, preset.betas):
        _, grid = shelf.picture(vae_name(channels, beta), runs.SAMPLES)
        if grid is not None:
            pages[f"{channels} channels", f"beta {beta:g}"] = grid.reshape(-1, *grid.shape[2:])
    if len(pages) == len(preset.channels) * len(preset.betas):
        yield "fig7", figures.blocks(pages), "Fig. 7: drawn by VAEs of so many channels in the last hidden layer"


def _pages(shelf: Shelf) -> Iterator[Drawn]:
    """Pictures that are there: Fig. 3b, which is of no network and as in the pilot, Fig. 11, what the GANs draw."""
    if (png := shelf.folder.parent / "pilot" / "fig3b.png").exists():
        yield Drawn(png, "Fig. 3b: ratios of random inputs through random filters, from cause to effect and back.")
    plain = vae_name(shelf.preset.channels[0], shelf.preset.betas[0])
    for name, title in ((plain, "Fig. 11: drawn"), ("gan", "Drawn"), (dropout_name(shelf.preset), "Drawn")):
        seed, grid = shelf.picture(name, runs.SAMPLES)
        if grid is not None:
            yield Drawn(shelf.file(name, seed, runs.SAMPLES), f"{title} by {name}, seed {seed} ({shelf.about}).")


def _along(shelf: Shelf) -> Iterator[tuple[str, Any, str]]:
    """Fig. 12 and 13: with dropout and without."""
    name = dropout_name(shelf.preset)
    if not shelf.has("gan", name):
        return
    named = {f"dropout {shelf.preset.dropout:g}": shelf.records[name], "no dropout": shelf.records["gan"]}
    first = next(iter(shelf.records["gan"].values()))
    # From the finest level, which is the generator's last pair.
    pairs = [pair for pair in first["looks"]["pairs"] if pair.startswith("generator.")][::-1]
    levels = [[figures.Track(label, _looks(list(of.values()), pair)) for label, of in named.items()] for pair in pairs]
    images = [figures.Track(label, _variety(list(of.values()))) for label, of in named.items()]
    figure = figures.training(levels, images, number=VARIETY, called="coverage of real images")
    yield "fig12", figure, "Fig. 12: ratios along training with dropout between the two finest layers, and without"
    (seed, dropped), (other, plain) = (shelf.picture(each, "along") for each in (name, "gan"))
    if dropped is None or plain is None:
        return
    steps, same = shelf.records[name][seed]["along"], shelf.records["gan"][other]["along"]
    # Runs that ended at other steps have no rows in common.
    grids = [dropped, plain] if steps == same else [dropped]
    columns = [
        title if k == LATENTS // 2 else "" for title, _ in zip(named, grids, strict=False) for k in range(LATENTS)
    ]
    grid = np.concatenate([each[:, :LATENTS] for each in grids], axis=1)
    rows = [f"step {step:,}" for step in steps]
    figure = figures.table(grid, columns=columns, rows=rows, gap_after=LATENTS)
    yield "fig13", figure, "Fig. 13: drawn from the same latent variables along training"


def _looks(alike: list[Record], pair: str) -> list[dict[str, Any]]:
    """A pair's numbers at the steps that all these runs have reached."""
    steps = min((run["looks"]["steps"] for run in alike), key=len)
    return [{"steps": steps, **{key: run["looks"]["pairs"][pair][key][: len(steps)] for key in BANDS}} for run in alike]


def _variety(alike: list[Record]) -> list[dict[str, Any]]:
    """What each run's images cover of held-out ones, at the steps at which all of them were judged."""
    steps = sorted(set.intersection(*({int(step) for step in run["images"]} for run in alike)))
    return [{"steps": steps, VARIETY: [run["images"][str(step)][VARIETY] for step in steps]} for run in alike]
