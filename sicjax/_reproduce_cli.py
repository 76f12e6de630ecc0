"""`sicjax reproduce`: figures of the paper, from nothing to PNG and PDF."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from sicjax._errors import InputError, missing_package
from sicjax._train_cli import progress


def main(arguments: Sequence[str]) -> None:
    """Trains, measures, edits and draws as the arguments say; what is there already is not done again.

    Raises:
        InputError: an unknown figure, images that cannot be read, a folder with another preset's results.
        KeyboardInterrupt: a signal stopped it; the run that was training is saved.
    """
    for package in ("flax", "optax", "orbax", "grain", "PIL", "matplotlib"):
        if find_spec(package) is None:
            raise missing_package(package, "plot" if package == "matplotlib" else "train", "sicjax reproduce")
    from sicjax import experiments

    names = [experiment.name for experiment in experiments.EXPERIMENTS]
    args = _parser(tuple(experiments.PRESETS), experiments.FIGURES, names).parse_args(arguments)
    wanted = experiments.chosen(args.figures)
    preset = experiments.PRESETS[args.preset].changed(
        data=args.data, data_dir=args.data_dir, seeds=args.seeds, gan_steps=args.gan_steps, vae_steps=args.vae_steps
    )
    with progress(sys.stderr) as report:
        say = lambda sentence: print(sentence, file=sys.stderr, flush=True)
        lab = experiments.open_lab(args.out, preset, weights=args.weights, say=say, progress=report)
        try:
            for experiment in wanted:
                if experiment.weights == "needed" and lab.weights is None:
                    say(f"{experiment.name} is left out: it needs --weights, a folder of public weights")
                    continue
                for file in experiments.carry_out(lab, experiment):
                    print(file)
            print(experiments.write_report([lab.out], lab.out / "report.md"))
            if args.report is not None:
                print(experiments.write_report([lab.out, *args.also], args.report))
        except experiments.Stopped as stopped:
            raise InputError(f"{stopped}: the same command goes on from there") from stopped


def _parser(presets: Sequence[str], figures: Sequence[str], names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sicjax reproduce",
        description="Repeats experiments of the paper: trains what they need, measures it, and draws the figures. "
        "Stopped and started again it goes on; what is there already is not done again.",
    )
    known = f"{figures[0]} to {figures[-1]}, an experiment ({', '.join(names)}), or all"
    parser.add_argument("figures", metavar="FIGURE", nargs="+", help=known)
    parser.add_argument("--preset", choices=presets, default="cpu", help="how large everything is (default: cpu)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("out/reproduce"), help="where everything goes")
    parser.add_argument("--data", metavar="SOURCE", help="images: faces, celeb_a, folder:PATH or npz:PATH")
    parser.add_argument("--data-dir", metavar="DIR", help="where celeb_a lies")
    parser.add_argument("--seeds", metavar="N", type=int, help="training runs of each network")
    parser.add_argument("--gan-steps", metavar="N", type=int, help="steps of every GAN, instead of the preset's")
    parser.add_argument("--vae-steps", metavar="N", type=int, help="steps of every VAE, instead of the preset's")
    parser.add_argument("--weights", metavar="DIR", type=Path, help="public weights files with their JSON sidecars")
    parser.add_argument(
        "--report", metavar="FILE.md", type=Path, help="write the report there too, figures and numbers beside it"
    )
    parser.add_argument(
        "--also", metavar="DIR", type=Path, nargs="+", default=[], help="results of other presets, for that report"
    )
    return parser
