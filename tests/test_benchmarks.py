"""What the benchmarks compare is the same thing, and what they call is there."""

import runpy
from pathlib import Path

import numpy as np

from sicjax import sdr

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_every_way_of_counting_counts_the_same(monkeypatch):
    """The Pallas kernel in its interpreter."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    script = runpy.run_path(str(BENCHMARKS / "histograms.py"))
    pair = script["pair_of"]((2 * script["INPUTS"], 6, script["OUTPUTS"]), 4, 2)
    a, b, *_ = sdr.features(pair)
    expected = sdr.histogram(pair, edges=np.linspace(0, script["TOP"], script["BINS"] + 1))
    for counts in (script["by_scatter"](a, b), script["by_sorting"](a, b), script["by_one_hots"](a, b, interpret=True)):
        np.testing.assert_array_equal(counts, [expected.below, *expected.counts, expected.above])


def test_the_steps_on_an_accelerator_are_scripts_that_are_there(tmp_path):
    steps = runpy.run_path(str(BENCHMARKS / "accelerator.py"))["steps"]
    for rehearse in (True, False):
        found = steps(tmp_path, "faces", rehearse)
        assert [step.name for step in found][-1] == "paper" and sum(step.share for step in found[:-1]) <= 0.7
        for step in found:
            assert all(Path(part).is_file() for part in step.command if part.endswith(".py")), step.name
            assert step.result is None or str(step.result.parent) in step.command or str(step.result) in step.command
