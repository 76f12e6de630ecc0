"""`sicjax measure`: a table of every pair of layers in networks' files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from sicjax import _extras
from sicjax._errors import InputError
from sicjax._progress import bar
from sicjax.cli._cache import keep_compiled_programs


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command and its flags."""
    parser = commands.add_parser(
        "measure",
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        help="measure every pair of successive convolutions in networks' files",
        description="Spectral Dependency Ratios of every pair of successive convolutions in a file.",
    )
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help="show this help message and exit")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    parser.add_argument(
        "--stride",
        metavar="N[,N...]",
        type=_strides,
        help="stride of every convolution, or one for each in order; else from the JSON sidecar beside the file",
    )
    parser.add_argument(
        "--transposed",
        action=argparse.BooleanOptionalAction,
        help="whether the convolutions are transposed, where the channel counts do not tell",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="write pairs.csv, result.json and histograms.png here")
    parser.add_argument(
        "--graph", metavar="FILE", type=Path, help="draw layers and pairs: .svg .png .pdf (with Graphviz), .dot or .txt"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Measures, prints and writes.

    Raises:
        InputError: a file that is not there or cannot be read, a folder that cannot be written, no pair in any file.
    """
    if args.out is not None:
        _extras.require("plot", "--out")
    missing = [str(file) for file in args.files if not file.exists()]
    if missing:
        raise InputError(f"no such file: {', '.join(missing)}")
    keep_compiled_programs()
    from sicjax.cli._table import tables
    from sicjax.measure import as_json, measure, write, write_graph

    with bar("measuring", note="reading") as report:
        told = lambda name, done, total: report(done, total, name)
        measured = measure(args.files, stride=args.stride, transposed=args.transposed, progress=told)
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


def _strides(text: str) -> tuple[int, ...]:
    try:
        strides = tuple(int(part) for part in text.split(","))
    except ValueError:
        strides = ()
    if not strides or min(strides) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, or several with commas between, got {text!r}")
    return strides


class _Help(argparse.Action):
    """Asks for the formats only here, because what knows them brings JAX."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        from sicjax.networks import FORMATS

        name = max(len(format.name) for format in FORMATS)
        endings = max(len(" ".join(format.endings)) for format in FORMATS)
        lines = [f"  {f.name:{name}}  {' '.join(f.endings):{endings}}  {f.about}{_needs(f.extra)}" for f in FORMATS]
        parser.epilog = "\n".join(["formats, told by their content, of which nothing is run:", *lines])
        parser.print_help()
        parser.exit()


def _needs(extra: str | None) -> str:
    return f"; needs sicjax[{extra}]" if extra else ""
