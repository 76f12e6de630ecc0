"""The command line: parse, call, print."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sicjax import __version__
from sicjax._errors import InputError, missing_package


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns 0, or 1 for a problem with the input, said in one line on stderr."""
    args = _parser().parse_args(arguments)
    try:
        args.run(args)
    except InputError as error:
        print(f"sicjax: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sicjax: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sicjax", description="Looking inside deep generative models by their weights."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    measure = commands.add_parser(
        "measure",
        help="measure every pair of successive convolutions in networks' files",
        description="Spectral Dependency Ratios of every pair of successive convolutions in a file: ONNX, TorchScript, "
        "torch.export, Keras; weights in .safetensors, .npz, PyTorch .pt .pth .tar .ckpt; or the directory of a "
        "training run. Nothing in a file is run.",
    )
    measure.add_argument("files", metavar="FILE", nargs="+", type=Path)
    measure.add_argument(
        "--stride",
        metavar="N[,N...]",
        type=_strides,
        help="stride of every convolution, or one for each in order; else from the JSON sidecar beside the file",
    )
    measure.add_argument(
        "--transposed",
        action=argparse.BooleanOptionalAction,
        help="whether the convolutions are transposed, where the channel counts do not tell",
    )
    measure.add_argument("--out", metavar="DIR", type=Path, help="write pairs.csv, result.json and histograms.png here")
    measure.add_argument(
        "--graph", metavar="FILE", type=Path, help="draw layers and pairs: .svg .png .pdf (with Graphviz), .dot or .txt"
    )
    measure.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    measure.set_defaults(run=_measure)

    demo = commands.add_parser("demo", help="train a small VAE on drawn faces and measure it, in a few minutes")
    demo.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("demo"), help="where everything goes (default: demo)"
    )
    demo.set_defaults(run=_demo)

    train = commands.add_parser(
        "train",
        add_help=False,
        help="train the paper's GAN or VAE",
        usage="sicjax train gan|vae [--workdir DIR] [--preset tiny|cpu|paper] [--any-config-field VALUE]",
    )
    train.add_argument("kind", choices=("gan", "vae"))
    train.add_argument("rest", nargs=argparse.REMAINDER)
    train.set_defaults(run=_train)

    reproduce = commands.add_parser("reproduce", add_help=False, help="repeat the paper's figures, or all of them")
    reproduce.add_argument("rest", nargs=argparse.REMAINDER)
    reproduce.set_defaults(run=_reproduce)

    doctor = commands.add_parser("doctor", help="versions, devices, optional parts and how to install them")
    doctor.set_defaults(run=_doctor)
    return parser


def _strides(text: str) -> tuple[int, ...]:
    try:
        strides = tuple(int(part) for part in text.split(","))
    except ValueError:
        strides = ()
    if not strides or min(strides) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, or several with commas between, got {text!r}")
    return strides


def _measure(args: argparse.Namespace) -> None:
    if args.out is not None:
        _require("matplotlib", "plot", "--out")
    missing = [str(file) for file in args.files if not file.exists()]
    if missing:
        raise InputError(f"no such file: {', '.join(missing)}")
    _keep_compiled_programs()
    from sicjax._table import progress, tables
    from sicjax.measure import as_json, measure, write, write_graph

    with progress(sys.stderr) as step:
        measured = measure(args.files, stride=args.stride, transposed=args.transposed, progress=step)
    if args.json:
        print(json.dumps([as_json(result) for result in measured], indent=1, allow_nan=False))
    else:
        tables(measured, sys.stdout)
    if args.out is not None:
        written = write(measured, args.out)
        print(f"wrote {', '.join(map(str, written))}", file=sys.stderr)
    if args.graph is not None:
        print(f"wrote {write_graph(measured, args.graph)}", file=sys.stderr)
    if not any(result.rows for result in measured):
        reasons = "; ".join(f"{layer}: {reason}" for result in measured for layer, reason in result.skipped[:3])
        raise InputError(f"no pair of successive convolutions found ({reasons or 'no convolution at all'})")


def _demo(args: argparse.Namespace) -> None:
    _require_training()
    _require("matplotlib", "plot", "sicjax demo")
    _keep_compiled_programs()
    from sicjax._demo import main

    main(args.out)


def _train(args: argparse.Namespace) -> None:
    _require_training()
    _keep_compiled_programs()
    from sicjax._train_cli import main

    main(args.kind, args.rest)


def _reproduce(args: argparse.Namespace) -> None:
    _require_training()
    _keep_compiled_programs()
    from sicjax._reproduce_cli import main

    main(args.rest)


def _doctor(args: argparse.Namespace) -> None:
    from sicjax._doctor import report

    print(report())


def _require_training() -> None:
    for package in ("flax", "optax", "orbax", "grain", "PIL", "tyro"):
        _require(package, "train", "training")


def _require(package: str, extra: str, purpose: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise missing_package(package, extra, purpose)


def _keep_compiled_programs() -> None:
    """Keeps what XLA compiles on disk, so that the next run starts faster; a folder set for JAX itself comes first."""
    import jax

    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore[reportAttributeAccessIssue]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sicjax" / "xla"
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


if __name__ == "__main__":
    sys.exit(main())
