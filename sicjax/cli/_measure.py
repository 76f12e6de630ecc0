"""`sicjax measure`: a table of every pair of layers in networks' files, or an archive of many."""

from __future__ import annotations

import argparse
import glob
import os
import shutil
from pathlib import Path
from textwrap import fill

from sicjax import _extras, weights
from sicjax._errors import InputError
from sicjax.cli._reading import add_reading

# Networks up to which everything is shown: a table also with --out, and a picture of the histograms.
FEW = 20


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
    add_reading(parser)
    table = parser.add_argument_group("the table")
    table.add_argument("--wide", action="store_true", help="all columns and all pairs, not those that say most")
    table.add_argument(
        "--sort",
        metavar="COLUMN",
        help="rows by a column, such as coupling, the largest first (of p the smallest, of readings the rarest); or by "
        "departure, how far the mean is from 1",
    )
    table.add_argument("--reverse", action="store_true", help="sorted the other way round; with --sort")
    table.add_argument("--top", metavar="N", type=_count, help="so many rows of each network")
    table.add_argument(
        "--match",
        metavar="TEXT",
        default="",
        help="rows with this in the name or reading of a pair, such as layer1.0. (by its dot not layer1.01) or opposed",
    )
    table.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="keep what is measured here, so that it is done once; write report.html, pairs.csv, result.json and "
        "histograms.png",
    )
    parser.add_argument("--no-report", action="store_true", help="with --out, but without report.html")
    parser.add_argument(
        "--permutations",
        metavar="N",
        type=_count,
        help="coupling's p from so many random pairings of the channels, 20000 say, up to a second a pair; without it "
        "from a closed form, which is a few thousandths off",
    )
    parser.add_argument("--jobs", metavar="N", type=_count, help="processes that share the files")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask cluster whose workers share the files, which they see under the same absolute paths",
    )
    parser.add_argument(
        "--shard", metavar="K/N", type=_shard, help="the K-th of N parts of the files, the others elsewhere; with --out"
    )
    parser.add_argument(
        "--graph", metavar="FILE", type=Path, help="draw layers and pairs: .svg .png .pdf (with Graphviz), .dot or .txt"
    )
    parser.set_defaults(run=run, wrong=parser.error)


def run(args: argparse.Namespace) -> int:
    """Measures, prints and writes; 3 where some of the files could not be measured.

    Raises:
        InputError: a file that is not there, a folder that cannot be written, no file that can be measured, no pair in
            any file.
    """
    if args.shard is not None and args.out is None:
        args.wrong("argument --shard: needs --out, the folder that the parts share")
    if args.graph is not None and (args.jobs or args.shard or args.scheduler):
        args.wrong("argument --graph: is drawn by one process, without --jobs, --shard and --scheduler")
    if args.jobs is not None and args.scheduler is not None:
        args.wrong("argument --scheduler: the cluster has its own processes, without --jobs")
    if args.reverse and args.sort is None:
        args.wrong("argument --reverse: needs --sort, what is to be sorted by")
    # What can be said now is said before JAX is imported.
    hub = [path for path in args.paths if weights.on_hub(path)]
    if hub:
        _extras.require("hub", hub[0])
    plain = not any(map(glob.has_magic, args.paths)) and not any(map(os.path.isdir, args.paths))
    if args.scheduler is not None:
        _extras.require("cluster", "--scheduler")
        args.paths = [path if "://" in path else os.path.abspath(path) for path in args.paths]
    if args.out is not None and args.jobs is args.shard is args.scheduler is None and plain and len(args.paths) <= FEW:
        _extras.require("plot", "--out")
    missing = [path for path in args.paths if path not in hub and not glob.has_magic(path) and not os.path.exists(path)]
    if missing:
        raise InputError(f"no such file: {', '.join(missing)}")
    from sicjax.cli._cache import keep_compiled_programs
    from sicjax.cli._session import measure_and_show

    keep_compiled_programs()
    return measure_and_show(args, few=FEW)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, got {text!r}")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"expected K/N, such as 1/4 to 4/4, got {text!r}")
    return int(part), int(parts)


class _Help(argparse.Action):
    """Asks for the formats only here, because what knows them brings JAX."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        from sicjax.networks import FORMATS

        width = shutil.get_terminal_size().columns - 2  # as argparse has it
        endings = lambda format: f" ({' '.join(format.endings)})" if format.endings else ""
        lines = [f"{format.name}{endings(format)}: {format.about}{_needs(format.extra)}" for format in FORMATS]
        lines = [fill(line, width, initial_indent="  ", subsequent_indent="    ") for line in lines]
        parser.epilog = "\n".join(["formats, told by their content, of which nothing is run:", *lines])
        parser.print_help()
        parser.exit()


def _needs(extra: str | None) -> str:
    return f"; needs sicjax[{extra}]" if extra else ""
