"""`sicjax reproduce`: figures of the paper, from nothing to PNG and PDF."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from sicjax import _extras
from sicjax._errors import InputError
from sicjax.cli._cache import keep_compiled_programs
from sicjax.cli._fit import Column, console_for, print_table


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command and its flags."""
    parser = commands.add_parser(
        "reproduce",
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        help="repeat the paper's figures, or all of them",
        description="Repeats experiments of the paper: trains what they need, measures it, draws the figures, and says "
        "which\nof the paper's claims hold. Stopped and started again it goes on; what is there already is not done "
        "again.",
    )
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help="show this help message and exit")
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
    from sicjax import experiments, report, train

    if args.preset not in experiments.PRESETS:
        args.wrong(f"argument --preset: {args.preset!r} is none of {', '.join(experiments.PRESETS)}")
    wanted = experiments.chosen([name for name in args.figures if name not in ("plan", "verdicts")])
    preset = experiments.PRESETS[args.preset].changed(
        data=args.data, data_dir=args.data_dir, seeds=args.seeds, gan_steps=args.gan_steps, vae_steps=args.vae_steps
    )
    with train.shown(stays=False) as progress:
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
        except experiments.Stopped as stopped:
            if args.seconds < float("inf"):
                say(f"{stopped}: the same command goes on from there")
                return
            raise InputError(f"{stopped}: the same command goes on from there") from stopped
    if experiments.results_in(lab.out):
        written = experiments.write_report([lab.out], lab.out / "report.md")
        print(written)
        print(report.write_replication(written, origin=report.about(args.given)))
        print(f"to see it: sicjax open {shlex.quote(str(lab.out))}", file=sys.stderr)
        _verdicts(lab.out, preset.name)
    if args.report is not None:
        print(experiments.write_report([lab.out, *args.also], args.report))


def _verdicts(out: Path, preset: str) -> None:
    """Prints what the results in a folder say of the paper's claims."""
    from sicjax import experiments

    judged = experiments.judge_all(experiments.results_in(out))
    if not judged:
        return
    claims = [claim for claim in experiments.CLAIMS if claim.name in judged]
    on = lambda k: [judged[claim.name][k].verdict for claim in claims]
    columns = [Column("on the ratio", on(0), True), Column("on adaptation", on(1), True)]
    columns.append(Column("the paper's claim", [claim.says for claim in claims], True))
    print_table(console_for(sys.stdout), Column("", [c.name for c in claims]), [columns], styles=[None] * len(claims))
    if preset in experiments.UNTRAINED:
        print(f"preset {preset}: its networks are hardly trained, so none of this is a result", file=sys.stderr)


class _Help(argparse.Action):
    """Lists the figures and the presets, which only the packages for training know."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        absent = [*_extras.missing("train"), *_extras.missing("plot")]
        if absent:
            parser.epilog = (
                f"figures and presets are listed once {', '.join(absent)} are installed: 'sicjax[train,plot]'"
            )
        else:
            parser.epilog = _listed()
        parser.print_help()
        parser.exit()


def _listed() -> str:
    from sicjax.experiments import EXPERIMENTS, PRESETS

    lines = ["experiments, and the figures that they draw:"]
    wide = max(len(experiment.name) for experiment in EXPERIMENTS)
    for experiment in EXPERIMENTS:
        figures = ", ".join(experiment.figures) + ": " if experiment.figures else ""
        needs = " (needs --weights)" if experiment.weights == "needed" else " (not in all)" if experiment.own else ""
        lines.append(f"  {experiment.name:{wide}}  {figures}{experiment.title}{needs}")
    lines += ["", "presets:"]
    for name, preset in PRESETS.items():
        lines.append(
            f"  {name:5}  {len(preset.seeds)} seeds, {preset.gan.size} x {preset.gan.size} pixels, "
            f"{preset.gan.steps:,} steps of a GAN, {preset.vae.steps:,} of a VAE, on {preset.gan.data}"
        )
    return "\n".join(lines)
