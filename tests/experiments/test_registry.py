"""An experiment brings everything of its own; what one forgets is said when it is made, that is, at import."""

import json
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from sicjax import experiments
from sicjax._errors import InputError
from sicjax.experiments import Chapter, Claim, Drawing, Experiment, claim
from sicjax.experiments._experiment import draw, registered
from sicjax.experiments._pictures import embedded
from sicjax.experiments._registry import NAMES
from sicjax.experiments._statistics import by_interval, judged


def picture(result, images):
    return Figure(figsize=(1, 1))


@claim("C10", "A toy's mean is above 1.", of=lambda result: [result["means"]])
def c10(means):
    parts = [by_interval("mean", means, "above", 1)]
    return judged("ratio", "above 1", parts), judged("adaptation", "nothing", [])


WHOLE = {
    "name": "toy",
    "title": "a toy",
    "run": lambda lab: ({"means": [1.1, 1.2]}, {}),
    "drawings": (Drawing("toy", "A toy.", picture),),
    "page": lambda result: ["text\n"],
    "claims": (c10,),
}


def toy(**changes):
    return Experiment(**{key: value for key, value in (WHOLE | changes).items() if value != "forgotten"})


def test_a_whole_experiment_is_taken_and_judged(tmp_path):
    one = toy(drawings=(Drawing("fig99", "A toy.", picture), Drawing("toy", "Another.", picture)))
    assert registered(one) == (one,) and one.figures == ("fig99",)
    (claim_,) = one.claims
    ratio, _ = claim_(*claim_.of({"means": [1.1, 1.2, 1.15]}))
    assert (ratio.on, ratio.verdict) == ("ratio", "holds")


@pytest.mark.parametrize("part", ["name", "title", "run", "drawings", "page"])
def test_a_forgotten_part_is_an_error(part, without_type_checks):
    with pytest.raises(TypeError, match=f"missing 1 required positional argument: '{part}'"):
        toy(**{part: "forgotten"})


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Drawing("toy", "", picture), "toy has no caption"),
        (lambda: Drawing("toy", "A toy.", None), "nothing draws toy"),
        (lambda: Drawing("A toy", "A toy.", picture), "a figure's name is that of a file"),
        (lambda: toy(name="My toy"), "an experiment is called like its module, got 'My toy'"),
        (lambda: toy(title=" "), "experiment toy has no title"),
        (lambda: toy(run=None), "experiment toy has no run"),
        (lambda: toy(page=None), "experiment toy has no page"),
        (lambda: toy(drawings=(picture,)), "experiment toy: .* is no Drawing"),
        (lambda: toy(claims=("C1",)), "experiment toy: 'C1' is no Claim"),
        (lambda: toy(claims=(c10.judge,)), "experiment toy: .* is no Claim"),
        (lambda: Claim("C10", "Words.", None, lambda result: [result]), "claim C10 has no judge"),
        (lambda: Claim("C10", "", c10.judge, c10.of), "claim C10 does not say anything"),
        (lambda: Claim("Ten", "Words.", c10.judge, c10.of), "a claim is called C1, C2, ..., got 'Ten'"),
        (
            lambda: claim("C10", "Words.", of=lambda one, two: [one, two])(c10.judge),
            "claim C10: `of` is called with the results of its own experiment: missing a required argument: 'two'",
        ),
        (lambda: registered(toy(), toy(name="other")), "two figures are called toy"),
        (lambda: registered(toy(), toy(drawings=(), claims=())), "two experiments are called toy"),
        (lambda: registered(toy(), toy(name="other", drawings=())), "two claims are called C10"),
        (
            lambda: registered(toy(claims=(Claim("C10", "Words.", c10.judge, lambda *both: both, ("others",)),))),
            "claim C10 needs others, which is no experiment of toy",
        ),
    ],
)
def test_what_is_wrong_is_said(make, message, without_type_checks):
    with pytest.raises(ValueError, match=message):
        make()


def test_every_figure_an_experiment_draws_is_on_its_page(tmp_path):
    several = Drawing("toy-numbers", "Numbers.", lambda result, images: {"": picture(0, 0), "public": picture(0, 0)})
    one = toy(drawings=(Drawing("toy", "A toy.", lambda result, images: {"trained": picture(0, 0)}), several))
    files = draw(tmp_path / "toy", one, {"preset": "cpu"}, {})
    text = "\n".join(embedded(tmp_path / "toy", one, tmp_path / "page.md"))
    assert [file.name for file in files if file.suffix == ".png"] == [
        "toy-trained.png", "toy-numbers.png", "toy-numbers-public.png"
    ]  # fmt: skip
    for shown in ("![A toy. (trained)](toy/toy-trained.png)", "![Numbers.](toy/toy-numbers.png)",
                  "![Numbers. (public)](toy/toy-numbers-public.png)"):  # fmt: skip
        assert text.count(shown) == 1


def test_every_module_of_an_experiment_is_registered():
    modules = {file.stem for file in Path(experiments.__file__).parent.glob("[a-z]*.py")}
    assert modules == set(NAMES) == {experiment.name for experiment in experiments.EXPERIMENTS}
    assert [each.name for each in experiments.EXPERIMENTS if isinstance(each.page, Chapter)] == [
        "public", "faults", "rescaling", "pruning"
    ]  # fmt: skip


REPLICATION = Path(__file__).parents[2] / "docs" / "replication" / "pilot"


def test_the_numbers_in_the_docs_still_give_the_verdicts_there():
    files = {each.name: REPLICATION / f"{each.name}.json" for each in experiments.EXPERIMENTS if each.claims}
    found = experiments.judge_all({name: json.loads(file.read_text()) for name, file in files.items()})
    written = json.loads((REPLICATION / "claims.json").read_text())
    assert list(found) == list(written) == [f"C{k}" for k in range(1, 10)]
    for name, both in found.items():
        for now, then in zip(both, written[name], strict=True):
            assert (name, now.on, now.says, now.verdict) == tuple(
                then[key] for key in ("claim", "on", "says", "verdict")
            )
            assert [each.what for each in now.parts] == [each["what"] for each in then["parts"]]
            for each, kept in zip(now.parts, then["parts"], strict=True):
                for key in ("values", "mean", "low", "high"):
                    assert getattr(each.found, key) == pytest.approx(kept["found"][key])
                assert (each.verdict, each.point) == (kept["verdict"], kept["point"])


def test_figures_are_chosen_by_name():
    names = lambda *given: [each.name for each in experiments.chosen(given)]
    assert names("fig6-numbers") == ["removal"]
    assert names("fig9", "fig3a", "fig7") == ["illustration", "sweep"]
    assert names("all") == [each.name for each in experiments.EXPERIMENTS if not each.own]
    assert set(names("all", "along")) == {*names("all"), "along"}
    with pytest.raises(InputError, match="nothing to reproduce is called fig2; there are fig3, fig4"):
        experiments.chosen(["fig2"])
    drawn = {figure for each in experiments.EXPERIMENTS for figure in each.figures}
    assert drawn == {f"fig{k}" for k in range(3, 14)}
