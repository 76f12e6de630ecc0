"""One call of `sicjax measure`, from what was given to what is shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sicjax import _extras, measure, report
from sicjax._progress import bar
from sicjax.cli._table import View, tables
from sicjax.cli._tally import Tally
from sicjax.cli._wrote import wrote
from sicjax.measure import Archive, Measured, Record, Source


def measure_and_show(args: argparse.Namespace, *, few: int) -> int:
    """Carries the command out; returns its exit code. For what it raises see `sicjax.cli._measure.run`.

    Arguments:
        args: of the command.
        few: networks up to which everything is shown.
    """
    view = View(args.wide, args.sort, args.reverse, args.top, args.match)
    view.of([])  # says now if there is no such column
    if args.graph is not None:
        measure.check_graph(args.graph)
    how: dict[str, Any] = {"stride": args.stride, "transposed": args.transposed, "module": args.module}
    how |= {"only": args.only, "transposed_in": args.transposed_in, "permutations": args.permutations}
    if args.only and args.out is not None and (args.out / "result.json").exists():
        print(
            f"{args.out} has results already: its tables and page will be of the layers that begin with "
            f"{' or '.join(args.only)} alone (--match chooses rows, and leaves them whole)",
            file=sys.stderr,
        )
    everything = measure.find(args.paths, all_steps=args.all_steps)
    sources = everything if args.shard is None else measure.shard(everything, *args.shard)
    all_shown = len(everything) <= few and args.jobs is args.shard is args.scheduler is None
    pictured = all_shown and args.out is not None
    if pictured:
        _extras.require("plot", "--out")
    arrays: dict[str, Measured] = {}
    keep = lambda found: arrays.update({found.identity.key: found} if pictured or args.graph is not None else {})
    with ExitStack() as stack:
        folder = args.out or Path(stack.enter_context(TemporaryDirectory()))
        archive = stack.enter_context(Archive(folder))
        doing: dict[str, Any] = {"jobs": args.jobs, "together": all_shown and args.out is None, "executor": None}
        if args.scheduler is not None:
            doing["executor"], workers = stack.enter_context(measure.cluster(args.scheduler))
            print(f"{workers} workers at {args.scheduler}", file=sys.stderr)
        tally = _measured(sources, archive, keep, lines=not all_shown, limit=args.limit, **doing, **how)
        own = lambda: (record for record in measure.gather(sources, archive, keys=tally.keys, **how) if record)
        if args.json:
            measure.print_json(own(), sys.stdout)
        elif tally.measured and (all_shown or args.out is None):
            tables(list(own()), sys.stdout, view)
        failed = [record for record in own() if "error" in record] if pictured else []
        written = [] if args.out is None else _together(everything, archive, tally, args, how, surveyed=not pictured)
        if args.out is not None and not _extras.missing("archive"):
            written += measure.write_parquet(own(), args.out, part=args.shard or (1, 1))
    drawn = []
    if tally.measured and (pictured or args.graph is not None):
        drawn = _drawn(args, tally, arrays, how, pictured, failed)
    if drawn or tally.new:  # not of what was there before
        wrote(drawn + written, args.out)
    return tally.exit_code(args.out)


def _measured(sources: Sequence[Source], archive: Archive, keep, *, lines: bool, **how) -> Tally:
    """Measures what the archive has not, and shows how far it is."""
    tally = Tally()
    # All at once, or one alone, are one bar of pairs; of others the files are counted too.
    several = len(sources) > 1 and not how["together"]
    with ExitStack() as stack:
        files = lambda done, total, note: None
        if several:
            files = stack.enter_context(bar("files", note="reading", lines=lines, every=10))
        pairs = stack.enter_context(bar("measuring", note="reading", patience=1 if several else 0))
        progress = lambda name, done, total: pairs(done, total, name)
        for found in measure.measure_many(sources, archive=archive, keep=keep, progress=progress, **how):
            tally.add(found)
            files(len(tally.keys), len(sources), f"{tally.pathways:,} pathways")
    return tally


def _together(
    everything: Sequence[Source], archive: Archive, tally: Tally, args: argparse.Namespace, how, *, surveyed: bool
) -> list[Path]:
    """Writes all records into one table, one list and, where they are many, one page, once all processes are done."""
    archive.read()
    gather = lambda sources: measure.gather(sources, archive, keys=tally.keys, **how)
    left = sum(record is None for record in gather(source for source in everything if source not in tally.keys))
    if left:
        say = f"{left:,} of {len(everything):,} files are left to other parts; the last to end puts all together"
        print(say, file=sys.stderr)
        return []
    survey = report.Survey()
    written = measure.write_records(survey.passing(record for record in gather(everything) if record), args.out)
    if surveyed and not args.no_report:
        written.insert(0, report.write_survey(survey, args.out, origin=report.about(args.given, device=False)))
    return written


def _drawn(
    args: argparse.Namespace, tally: Tally, arrays: Mapping[str, Measured], how, pictured: bool, failed: list[Record]
) -> list[Path]:
    """Pictures and a page, for which networks that were measured by an earlier call are measured again."""
    made = ["histograms.png"] if args.no_report else ["histograms.png", report.NAME]
    if args.graph is None and not tally.new and all((args.out / name).exists() for name in made):
        return []
    whole = [
        # Files with the same bytes were measured once, by the name of one of them.
        _named(arrays.get(key) or measure.measure([source.file], step=source.step, limit=args.limit, **how)[0], source)
        for source, key in tally.keys.items()
        if source not in tally.failed
    ]
    drawn = []
    if pictured:
        with bar("drawing", note="taps shuffled", patience=1) as progress:
            nulls = [measure.shuffled(found) for found in whole]
            progress(1, 1 + len(made), made[0])
            drawn.append(measure.write_histograms(whole, args.out, nulls))
            if not args.no_report:
                progress(2, 1 + len(made), report.NAME)
                page = report.write(whole, args.out, nulls=nulls, origin=report.about(args.given), failed=failed)
                drawn.insert(0, page)
    return drawn + ([] if args.graph is None else [measure.write_graph(whole, args.graph)])


def _named(found: Measured, source: Source) -> Measured:
    return found._replace(identity=found.identity._replace(file=source.file))
