"""`sicjax compare`: what changed between versions of one network."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sicjax import _extras
from sicjax._errors import InputError
from sicjax._foreign import printable
from sicjax._progress import bar
from sicjax.cli._cache import keep_compiled_programs
from sicjax.cli._reading import add_reading

if TYPE_CHECKING:
    from sicjax.measure import Comparison, Measured, Source


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command and its flags."""
    parser = commands.add_parser(
        "compare",
        help="what changed between checkpoints, or versions, of one network",
        description="What changed between versions of one network, layer by layer and pair by pair: each against the "
        "first. Formats as for `sicjax measure`; versions may be of different ones.",
    )
    add_reading(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write report.html, changes.json, pair_changes.csv, layer_changes.csv, changes.png and, of runs "
        "or many versions, steps.png or versions.png here",
    )
    parser.add_argument("--no-report", action="store_true", help="with --out, but without report.html")
    parser.add_argument("--wide", action="store_true", help="of many versions the tables of all, not of the last alone")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the tables")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Compares, prints and writes.

    Raises:
        InputError: a file that is not there or cannot be read, fewer than two versions, versions with no layer in
            common, a folder that cannot be written.
    """
    if args.out is not None:
        _extras.require("plot", "--out")
    keep_compiled_programs()
    from sicjax import measure, report, runs
    from sicjax.cli._changes_table import show
    from sicjax.cli._wrote import wrote

    sources = measure.find(args.paths, all_steps=args.all_steps)
    if len(sources) < 2:
        steps = ", or --all-steps of a run with several checkpoints" if runs.is_run(sources[0].file) else ""
        raise InputError(f"there is nothing to compare {sources[0].file} with: give two versions or more{steps}")
    _say_order([source.file for source in sources])
    names = _names(sources)
    along = {_name(source.file, sources): source.file for source in sources if runs.is_run(source.file)}
    courses = measure.courses(along) if args.out is not None else {}
    changes = report.Changes()
    comparisons = list(_compared(sources, names, args, changes.add))
    if args.json:
        print(json.dumps(list(map(measure.comparison_as_json, comparisons)), indent=1, allow_nan=False))
    else:
        show(comparisons, sys.stdout, wide=args.wide)
    if args.out is not None:
        written = measure.write_comparisons(comparisons, args.out, courses)
        if not args.no_report:
            pictures = [file for file in written if file.suffix == ".png"]
            written.insert(0, report.write_changes(changes, args.out, pictures, origin=report.about(args.given)))
        wrote(written, args.out)


def _compared(
    sources: Sequence[Source],
    names: Sequence[str],
    args: argparse.Namespace,
    keep: Callable[[Comparison, Measured, Measured], Any],
) -> Iterator[Comparison]:
    """Each against the first; no more than two networks are held, and `keep` sees both."""
    from sicjax import measure, networks

    first = None
    with bar("versions", note="reading") as versions, bar("measuring", patience=1) as pairs:
        told = lambda name, done, total: pairs(done, total, name)
        for k, (source, name) in enumerate(zip(sources, names, strict=True)):
            versions(k, len(sources), name)
            takes = networks.takes_stride(source.file)
            how: dict[str, Any] = {"stride": args.stride, "transposed": args.transposed} if takes else {}
            how |= {"transposed_in": args.transposed_in if takes else None, "only": args.only}
            how["module"] = args.module if networks.takes_module(source.file) else None
            (measured,) = measure.measure([source.file], step=source.step, limit=args.limit, progress=told, **how)
            if first is None:
                first = measured
            else:
                comparison = measure.compare(first, measured, names=(names[0], name))
                keep(comparison, first, measured)
                yield comparison


def _say_order(files: Sequence[str]) -> None:
    """A shell puts `step1000` before `step200`, so that another version is the last than one expects."""
    from sicjax import measure

    numbered = sorted(files, key=measure.by_number)
    if list(files) == sorted(files) != numbered:
        first = next(k for k, (file, other) in enumerate(zip(files, numbered, strict=True)) if file != other)
        here, there = (printable(Path(file).name) for file in (files[first], numbered[first]))
        how = "to have them by number give their folder, or the pattern in quotes"
        print(f"versions as given, {here} before {there}: {how}", file=sys.stderr)


def _names(sources: Sequence[Source]) -> list[str]:
    """What the versions are called."""
    steps = ("" if source.step is None else f" step {source.step}" for source in sources)
    return [_name(source.file, sources) + step for source, step in zip(sources, steps, strict=True)]


def _name(file: str, sources: Sequence[Source]) -> str:
    """A file's name without its folder, where no other file is called so."""
    name = Path(file).name
    others = {Path(source.file).name for source in sources if source.file != file}
    return printable(file if not name or name in others else name)
