"""What an experiment is, and how its folder is filled."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from sicjax import figures
from sicjax.experiments import _result
from sicjax.experiments._claim import Claim, Result
from sicjax.experiments._lab import Lab, source_name
from sicjax.experiments._preset import UNTRAINED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers: TypeAlias = dict[str, Any]
Images: TypeAlias = Mapping[str, np.ndarray]
Results: TypeAlias = Mapping[str, Result]


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Attributes:
        name: of its file; `fig4` and `fig6-numbers` belong to the paper's figures 4 and 6.
        caption: below it on the page.
        draw: it, from a result and its arrays alone; or several, the name of what each shows added to the file's.
    """

    name: str
    caption: str
    draw: Callable[[Result, Images], Figure | Mapping[str, Figure]]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name):
            raise ValueError(f"a figure's name is that of a file, in small letters, got {self.name!r}")
        if not self.caption.strip():
            raise ValueError(f"{self.name} has no caption")
        if not callable(self.draw):
            raise ValueError(f"nothing draws {self.name}")

    @property
    def figure(self) -> str | None:
        """The paper's figure that it belongs to, if it does."""
        found = re.match(r"fig\d+", self.name)
        return found and found[0]


@dataclass(frozen=True)
class Chapter:
    """A part of the page on the newest results of all folders; its text may draw on the other experiments too."""

    heading: str
    text: Callable[[Results], list[str]]


@dataclass(frozen=True)
class Experiment:
    """An experiment of the paper, or a question of our own, with everything that belongs to it.

    Attributes:
        name: of its folder.
        title: what it shows, in a line.
        run: trains or loads what it needs; gives numbers, as plain values, and arrays to draw by name.
        drawings: its figures in the order of the page.
        page: its numbers in Markdown, for the part of the page on a folder of results; or a chapter of its own.
        claims: what of the paper is judged by its numbers.
        weights: whether it makes use of public weights, or needs them.
        own: whether it is a question of our own, which `all` leaves out: name it.
        levels: the pairs of layers in its result that the page on what the measure can tell counts.
        remark: a paragraph for that page, from the results that there are, empty without any for it.
    """

    name: str
    title: str
    run: Callable[[Lab], tuple[Numbers, Images]]
    drawings: tuple[Drawing, ...]
    page: Callable[[Result], list[str]] | Chapter
    claims: tuple[Claim, ...] = ()
    weights: Literal["unused", "used", "needed"] = "unused"
    own: bool = False
    levels: Callable[[Result], Iterable[Mapping[str, Any]]] = lambda result: ()
    remark: Callable[[Results], str] = lambda results: ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"an experiment is called like its module, got {self.name!r}")
        if not self.title.strip():
            raise ValueError(f"experiment {self.name} has no title")
        for part in ("run", "levels", "remark"):
            if not callable(getattr(self, part)):
                raise ValueError(f"experiment {self.name} has no {part}")
        if not callable(self.page) and not isinstance(self.page, Chapter):
            raise ValueError(f"experiment {self.name} has no page: give a function of its result, or a Chapter")
        for kind, parts in ((Drawing, self.drawings), (Claim, self.claims)):
            if wrong := [part for part in parts if not isinstance(part, kind)]:
                raise ValueError(f"experiment {self.name}: {wrong[0]!r} is no {kind.__name__}")

    @property
    def figures(self) -> tuple[str, ...]:
        """The paper's figures that it draws."""
        return tuple(dict.fromkeys(drawing.figure for drawing in self.drawings if drawing.figure))


def registered(*experiments: Experiment) -> tuple[Experiment, ...]:
    """The experiments, after a look at what has to fit between them.

    Raises:
        ValueError: two of one name, two figures or claims of one name, or a claim that needs an unknown experiment.
    """
    _once("experiments", [experiment.name for experiment in experiments])
    _once("figures", [drawing.name for experiment in experiments for drawing in experiment.drawings])
    _once("claims", [claim.name for experiment in experiments for claim in experiment.claims])
    known = [experiment.name for experiment in experiments]
    for claim in (claim for experiment in experiments for claim in experiment.claims):
        if unknown := [name for name in claim.also if name not in known]:
            raise ValueError(f"claim {claim.name} needs {unknown[0]}, which is no experiment of {', '.join(known)}")
    return experiments


def _once(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two {what} are called {name}")


def carry_out(lab: Lab, experiment: Experiment) -> list[Path]:
    """Fills the experiment's folder; what is there already from the same preset and version is only drawn again.

    Returns:
        The files of its figures.
    """
    folder = lab.out / experiment.name
    found = _result.read(folder)
    stamp = _stamp(lab, experiment)
    if found is None or any(found[0].get(key) != value for key, value in stamp.items()):
        lab.say(f"{experiment.name}: {experiment.title}")
        begun = time.monotonic()
        numbers, images = experiment.run(lab)
        if images:
            _result.write_images(folder / "images.npz", images)
        result = {
            "experiment": experiment.name,
            "title": experiment.title,
            **stamp,
            "versions": _result.versions(),
            "seconds": round(time.monotonic() - begun, 1),
            **numbers,
        }
        _result.write_json(folder / "result.json", result)
        found = _result.read(folder)
        assert found is not None
    return draw(folder, experiment, *found)


def draw(folder: Path, experiment: Experiment, result: Result, images: Images) -> list[Path]:
    """Draws an experiment's figures into a folder, and returns their files."""
    files = []
    for drawing in experiment.drawings:
        drawn = drawing.draw(result, images)
        for shown, figure in drawn.items() if isinstance(drawn, Mapping) else [("", drawn)]:
            if result["preset"] in UNTRAINED and experiment.weights != "needed":
                figures.stamp(figure, "untrained: a trial of the program")
            files += figures.save(figure, folder / (f"{drawing.name}-{shown}" if shown else drawing.name))
    return files


def _stamp(lab: Lab, experiment: Experiment) -> dict[str, Any]:
    """What a result must have in common with a lab to be its own."""
    preset = lab.preset
    public = [] if lab.weights is None or experiment.weights == "unused" else sorted(lab.weights.glob("*.json"))
    sizes = {"gan_steps": preset.gan.steps, "vae_steps": preset.vae.steps, "size": preset.gan.size}
    stamp = {
        "preset": preset.name,
        "data": source_name(preset.gan.data),
        "seeds": list(preset.seeds),
        **sizes,
        "weights": [path.stem for path in public],
    }
    return json.loads(json.dumps(stamp))
