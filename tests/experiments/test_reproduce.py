"""A reproduction from nothing to the report, as small as it can be; and what a second one does not do again."""

import dataclasses
import json
import shutil
import sys
import types
from pathlib import Path

import jax
import pytest

from sicjax import cli, experiments, train
from sicjax._errors import InputError
from sicjax.experiments import _looks
from sicjax.experiments.public import judged_one_by_one

pytestmark = pytest.mark.slow

TINY = {"images": 40, "size": 8, "latent": 4, "kernel": 3, "steps": 4, "batch": 8}
OFTEN = {"log_every": 2, "sample_every": 2, "measure_every": 2, "save_every": 4, "save_at": (0,), "keep": 1}
PRESET = experiments.Preset(
    "test",
    gan=train.GanConfig(**TINY, **OFTEN, generator=(8, 4), discriminator=(4, 8)),
    vae=train.VaeConfig(**TINY, **OFTEN, encoder=(4, 8), decoder=(8, 4, 4)),
    seeds=(0, 1), channels=(4, 8), departure=(1.0,), adaptation=(), amounts=(4, 36), untrained=20,
    judged=6, edited=4, drawn=60,
)  # fmt: skip


# Of held-out images it needs more than there are here; `test_ladder.py` has its rules.
LARGE = "ladder"


class Sharing(experiments.Lab):
    """Trains one GAN and one VAE; every other run is one of these under another name."""

    def _trained(self, name, config, start):
        folder = self.out / "runs" / name / f"seed{config.seed}"
        first = self.out / "runs" / ("vae-4-beta1" if name.startswith("vae") else "gan") / "seed0"
        if folder == first:
            return super()._trained(name, config, start)
        if not folder.exists():
            self.say(f"training {name}, seed {config.seed}: a copy")
            shutil.copytree(first, folder)
        return folder


def lab(folder, preset=PRESET, kind=experiments.Lab, **how):
    made = experiments.open_lab(folder, preset, devices=jax.devices()[:1], **how)
    return kind(**{field.name: getattr(made, field.name) for field in dataclasses.fields(made)})


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder, said = tmp_path_factory.mktemp("reproduced") / "out", []
    made = lab(folder, kind=Sharing, say=said.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_looks, "DOUBLINGS", 1)  # at two steps alone, as every look loads a checkpoint
        files = [
            file for each in experiments.EXPERIMENTS if each.weights != "needed" and each.name != LARGE
            for file in experiments.carry_out(made, each)
        ]  # fmt: skip
    return folder, files, said


def test_every_figure_is_drawn_twice_and_every_number_is_kept(reproduced):
    folder, files, said = reproduced
    assert {file.suffix for file in files} == {".png", ".pdf"} and all(file.stat().st_size > 1000 for file in files)
    ours = {"penalty", "along-vae", "along-gan", "overfitting", "checkpoints"}
    drawn = {"fig3a", "fig3b", "fig3c", "fig6-numbers", *ours, *(f"fig{k}" for k in range(4, 14))}
    assert {file.stem for file in files} == drawn
    for name in (each.name for each in experiments.EXPERIMENTS if each.weights != "needed" and each.name != LARGE):
        result = json.loads((folder / name / "result.json").read_text())
        assert result["seeds"] == [0, 1] and result["preset"] == "test" and result["versions"]["jax"] == jax.__version__
    # Each network is trained once, whichever figures need it.
    trained = [sentence.split(":")[0] for sentence in said if sentence.startswith("training")]
    gans = ("gan", "gan-dropout0.5", "gan-departure1", "gan-looks")
    vaes = [f"vae-{c}-beta{b}" for c in (4, 8) for b in ("1", "0.1")]
    runs = [(name, seed) for name in (*gans, *vaes) for seed in (0, 1)]
    runs += [(name, seed) for name in ("vae-4", "vae-36") for seed in (0, 1, 2, 3)]
    assert sorted(trained) == sorted(f"training {name}, seed {seed}" for name, seed in runs)


def test_what_is_there_is_not_done_again(reproduced):
    folder, files, _ = reproduced
    before = {file: file.read_bytes() for file in files}
    said = []
    made = lab(folder, say=said.append)
    for each in experiments.chosen(["fig4", "penalty"]):
        experiments.carry_out(made, each)
    assert made.gan(0) == folder / "runs" / "gan" / "seed0"
    assert said == []
    assert all(file.read_bytes() == content for file, content in before.items())


def test_the_report_judges_the_claims_whose_experiments_are_there(reproduced):
    folder, _, _ = reproduced
    page = experiments.write_report([folder], folder / "report.md").read_text()
    judged = json.loads((folder / "claims.json").read_text())
    assert set(judged) == {claim.name for claim in experiments.CLAIMS}
    for claim, (ratio, adaptation) in judged.items():
        assert (ratio["on"], adaptation["on"], ratio["claim"]) == ("ratio", "adaptation", claim)
        assert {ratio["verdict"], adaptation["verdict"]} <= {"holds", "fails", "undecided"}
        assert all(len(each["found"]["values"]) == 2 for each in ratio["parts"])
    # The same network under other names: no difference, so nothing holds.
    for claim in ("C6", "C7", "C8", "C9"):
        for each in judged[claim]:
            assert each["verdict"] != "holds" and not any(part["found"]["mean"] for part in each["parts"]), claim
    for picture in ("gan_levels/fig4.png", "dropout/fig13.png"):
        assert f"]({picture})" in page
    elsewhere = experiments.write_report([folder], folder.parent / "docs" / "replication.md")
    beside = elsewhere.with_suffix("") / folder.name
    for copy, kept in (
        ("fig4.png", "gan_levels/fig4.png"),
        ("gan_levels.json", "gan_levels/result.json"),
        ("claims.json", "claims.json"),
    ):
        assert (beside / copy).read_bytes() == (folder / kept).read_bytes()
        assert f"](replication/{folder.name}/{copy})" in elsewhere.read_text()


def test_the_report_says_how_many_seeds_there_are(reproduced, tmp_path):
    folder, _, _ = reproduced
    for name, seeds in (("gan_levels", [0, 1]), ("dropout", [0, 1, 2, 3, 4])):
        kept = json.loads((folder / name / "result.json").read_text()) | {"seeds": seeds, "preset": "tiny"}
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_text(json.dumps(kept))
    page = experiments.write_report([tmp_path], tmp_path / "report.md").read_text()
    assert "of each VAE, 2 to 5 seeds." in page
    # Before anything that looks like a verdict.
    assert page.index("**None of what follows is a result.** Preset `tiny`") < page.index("## Verdicts")


def test_public_networks_are_measured_and_judged_one_by_one(tmp_path, public_weights):
    for ending in (".safetensors", ".json"):
        shutil.copy(public_weights / f"disvae_VAE_celeba{ending}", tmp_path)
    (public,) = experiments.chosen(["public"])
    experiments.carry_out(lab(tmp_path / "out", weights=tmp_path), public)
    results = experiments.results_in(tmp_path / "out")
    (vae,) = results["public"]["files"]
    assert (vae["file"], list(vae["networks"])) == ("disvae_VAE_celeba", ["encoder", "decoder"])
    # What the design states of this file, from fine to coarse.
    means = [level["mean"] for level in vae["networks"]["encoder"]]
    assert means == pytest.approx([1.10, 1.06, 1.03], abs=0.005)
    judged = {claim: both for claim, _, both in judged_one_by_one(results)}
    assert set(judged) == {"C1", "C3"}
    assert not any(part.point for part in judged["C3"][0].parts if "encoder" in part.what)
    page = experiments.write_report([tmp_path / "out"], tmp_path / "page.md").read_text()
    assert "## Public networks" in page and "(MIT)" in page


def test_a_folder_of_another_preset_is_refused_and_more_seeds_are_welcome(reproduced):
    folder, _, _ = reproduced
    with pytest.raises(InputError, match=r"results of another preset \(gan\)"):
        lab(folder, PRESET.changed(gan_steps=5))
    lab(folder, dataclasses.replace(PRESET, seeds=(0, 1, 2)))
    lab(folder, dataclasses.replace(PRESET, gan=dataclasses.replace(PRESET.gan, measure_every=1)))


def test_a_stopped_training_stops_the_reproduction(tmp_path, monkeypatch):
    stopped = train.Result(tmp_path, 2, False, None)
    monkeypatch.setattr(train, "gan", lambda config, workdir, **how: stopped)
    with pytest.raises(experiments.Stopped, match="stopped at step 2 of 4 of gan, seed 0, and saved"):
        lab(tmp_path / "out").gan(0)


def test_the_command_line_says_what_it_wrote_and_what_it_left_out(reproduced, monkeypatch, capsys):
    folder, _, _ = reproduced
    monkeypatch.setitem(experiments.PRESETS, "tiny", PRESET)
    report = folder.parent / "page" / "replication.md"
    command = ["reproduce", "fig4", "public", "--preset", "tiny", "--out", str(folder), "--report", str(report)]
    assert cli.main(command) == 0
    written, said = capsys.readouterr()
    expected = [folder / "gan_levels" / "fig4.png", folder / "gan_levels" / "fig4.pdf", folder / "report.md"]
    expected += [folder / "report.html", report]
    assert [line for line in written.splitlines() if line.startswith(str(folder.parent))] == list(map(str, expected))
    assert "C1" in written and "on the ratio" in written
    assert "public is left out: it needs --weights" in said
    assert cli.main(["reproduce", "fig4", "--preset", "tiny", "--seeds", "0"]) == 1
    assert "--seeds must be at least 1" in capsys.readouterr().err


NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "paper.ipynb"


def test_the_notebook_runs_from_its_first_cell_to_its_last(reproduced, monkeypatch):
    folder, _, _ = reproduced
    shown = []
    display = types.ModuleType("IPython.display")
    for name in ("Image", "Markdown"):
        setattr(display, name, lambda given, **how: given)
    display.__dict__["display"] = shown.append
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setitem(experiments.PRESETS, "tiny", PRESET)
    for name, value in (("SICJAX_PRESET", "tiny"), ("SICJAX_OUT", str(folder.parent)), ("SICJAX_RUN", folder.name)):
        monkeypatch.setenv(name, value)
    names: dict = {}
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        assert cell["cell_type"] == "markdown" or cell["outputs"] == []
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert sum(str(each).endswith(".png") for each in shown) >= 12
    assert sum("**C" in str(each) for each in shown) == 9
