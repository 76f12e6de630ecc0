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
        "figures",
        metavar="FIGURE",
        nargs="+",
        help="fig3 to fig13, the name of an experiment, all of the paper, "
        "or plan and verdicts: the training runs of the second replication, and its page",
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        default="cpu",
        help="how large everything is: tiny, cpu (the default), paper, or pilot, the first replication",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("out/reproduce"), help="where everything goes")
    parser.add_argument("--data", metavar="SOURCE", help="images: faces, celeb_a, folder:PATH or npz:PATH")
    parser.add_argument("--data-dir", metavar="DIR", help="where celeb_a lies")
    parser.add_argument("--seeds", metavar="N", type=int, help="training runs of each network")
    parser.add_argument("--gan-steps", metavar="N", type=int, help="steps of every GAN, instead of the preset's")
    parser.add_argument("--vae-steps", metavar="N", type=int, help="steps of every VAE, instead of the preset's")
    parser.add_argument("--weights", metavar="DIR", type=Path, help="public weights files with their JSON sidecars")
    parser.add_argument(
        "--records",
        metavar="DIR",
        type=Path,
        help="of plan: a small file for each finished run, which is then not run again",
    )
    parser.add_argument(
        "--for", metavar="TIME", dest="seconds", type=_seconds, help="of plan: how long, such as 90m or 2h"
    )
    parser.add_argument(
        "--report", metavar="FILE.md", type=Path, help="write the report there too, figures and numbers beside it"
    )
    parser.add_argument(
        "--also", metavar="DIR", type=Path, nargs="+", default=[], help="results of other presets, for that report"
    )
    parser.set_defaults(run=run, wrong=parser.error, seconds=float("inf"))


def _seconds(text: str) -> float:
    """Of a time with its unit: s, m or h.

    >>> _seconds("90m"), _seconds("1.5h")
    (5400.0, 5400.0)
    """
    units = {"s": 1, "m": 60, "h": 3600}
    try:
        found = float(text[:-1]) * units[text[-1]]
    except (ValueError, KeyError, IndexError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 90m or 2h") from None
    if not found > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time above 0")
    return found


def run(args: argparse.Namespace) -> None:
    """Trains, measures, edits and draws as the arguments say; what is there already is not done again.

    Raises:
        InputError: an unknown figure, images that cannot be read, a folder with another preset's results; a signal
            stopped a run, which is saved.
    """
    _extras.require("train", "sicjax reproduce")
    _extras.require("plot", "sicjax reproduce")
    keep_compiled_programs()
    from sicjax import experiments

    if args.preset not in experiments.PRESETS:
        args.wrong(f"argument --preset: {args.preset!r} is none of {', '.join(experiments.PRESETS)}")
    wanted = experiments.chosen([name for name in args.figures if name not in ("plan", "verdicts")])
    preset = experiments.PRESETS[args.preset].changed(
        data=args.data, data_dir=args.data_dir, seeds=args.seeds, gan_steps=args.gan_steps, vae_steps=args.vae_steps
    )
    with steps_shown() as progress:
        say = lambda sentence: print(sentence, file=sys.stderr, flush=True)
        lab = experiments.open_lab(args.out, preset, weights=args.weights, say=say, progress=progress)
        try:
            kept = args.records or args.out / "records"
            if "plan" in args.figures:
                for file in experiments.carry_on(lab, kept, args.seconds):
                    print(file, flush=True)
            if "verdicts" in args.figures:
                if any(kept.glob("*.json")):
                    say("what untrained networks show")
                    experiments.write_untrained(preset, kept.parent / "untrained.json")
                page = args.report or kept.parent.with_suffix(".md")
                print(experiments.write_reproduction(preset, kept.parent, page))
                return
            for experiment in wanted:
                if experiment.weights == "needed" and lab.weights is None:
                    say(f"{experiment.name} is left out: it needs --weights, a folder of public weights")
                    continue
                for file in experiments.carry_out(lab, experiment):
                    print(file)
            if experiments.results_in(lab.out):
                print(experiments.write_report([lab.out], lab.out / "report.md"))
            if args.report is not None:
                print(experiments.write_report([lab.out, *args.also], args.report))
        except experiments.Stopped as stopped:
            if args.seconds < float("inf"):
                say(f"{stopped}: the same command goes on from there")
                return
            raise InputError(f"{stopped}: the same command goes on from there") from stopped
