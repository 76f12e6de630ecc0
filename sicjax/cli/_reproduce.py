"""`sicjax reproduce`: figures of the paper, from nothing to PNG and PDF."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sicjax import _extras
from sicjax._errors import InputError
from sicjax.cli._cache import keep_compiled_programs
from sicjax.cli._steps import steps_shown


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command and its flags."""
    parser = commands.add_parser(
        "reproduce",
        help="repeat the paper's figures, or all of them",
        description="Repeats experiments of the paper: trains what they need, measures it, and draws the figures. "
        "Stopped and started again it goes on; what is there already is not done again.",
    )
    parser.add_argument(
        "figures", metavar="FIGURE", nargs="+", help="fig3 to fig13, the name of an experiment, or all of the paper"
    )
    parser.add_argument(
        "--preset", metavar="NAME", default="cpu", help="how large everything is: tiny, cpu (the default) or paper"
    )
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
    parser.set_defaults(run=run, wrong=parser.error)


def run(args: argparse.Namespace) -> None:
    """Trains, measures, edits and draws as the arguments say; what is there already is not done again.

    Raises:
        InputError: an unknown figure, images that cannot be read, a folder with another preset's results; a signal
            stopped a run, which is saved.
    """
    _extras.require("train", "sicjax reproduce")
    _extras.require("plot", "sicjax reproduce")
    keep_compiled_programs()
    from sicjax import experiments, report

    if args.preset not in experiments.PRESETS:
        args.wrong(f"argument --preset: {args.preset!r} is none of {', '.join(experiments.PRESETS)}")
    wanted = experiments.chosen(args.figures)
    preset = experiments.PRESETS[args.preset].changed(
        data=args.data, data_dir=args.data_dir, seeds=args.seeds, gan_steps=args.gan_steps, vae_steps=args.vae_steps
    )
    with steps_shown() as progress:
        say = lambda sentence: print(sentence, file=sys.stderr, flush=True)
        lab = experiments.open_lab(args.out, preset, weights=args.weights, say=say, progress=progress)
        try:
            for experiment in wanted:
                if experiment.weights == "needed" and lab.weights is None:
                    say(f"{experiment.name} is left out: it needs --weights, a folder of public weights")
                    continue
                for file in experiments.carry_out(lab, experiment):
                    print(file)
            written = experiments.write_report([lab.out], lab.out / "report.md")
            print(written)
            print(report.write_replication(written, origin=report.about(args.given)))
            if args.report is not None:
                print(experiments.write_report([lab.out, *args.also], args.report))
        except experiments.Stopped as stopped:
            raise InputError(f"{stopped}: the same command goes on from there") from stopped
