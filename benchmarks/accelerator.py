"""What is to be known of an accelerator, in one command and a given time; what is done is kept at once.

    python benchmarks/accelerator.py --out DIR [--minutes 40] [--data npz:FILE] [--rehearse]

Needs no network. In this order: the tests of the measure and of training on the device; each step of the measure
against copying its result's bytes; ways of counting; the measure's digits against float64 on the processor, with and
without TF32; training steps in float32 and bfloat16 against PyTorch (where that is installed); and in what time is left
the runs of the `paper` preset, each with a record. A step that fails, or finds no time, is said so in
`DIR/accelerator.json`, and the next begins; called again, only what has not been done is done. `--rehearse` does the
same as small as it can be, on any device.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
# Seconds below which no step is begun, and that are left for the end of one that is stopped.
LEAST, END = 20, 60
# Asked in a process of its own: a device's memory is the first's that touches it.
DEVICE = """import jax, os
print(f"{jax.devices()[0].device_kind}, {os.cpu_count()} CPU cores, jax {jax.__version__}")"""


class Step(NamedTuple):
    """A step: what is run, the share of the whole time that it may take, and the JSON that it writes, if any."""

    name: str
    command: list[str]
    share: float
    result: Path | None = None


def steps(out: Path, data: str, rehearse: bool) -> list[Step]:
    """In their order; the last takes what is left."""
    python, quick = sys.executable, ["--quick"] if rehearse else []
    script = lambda name, *flags: [python, str(HERE / f"{name}.py"), *flags]
    tests = ["tests/sdr/test_edge_cases.py"] if rehearse else ["tests/sdr", "tests/models", "tests/train/test_steps.py"]
    train = ["--seconds", "1", "--size", "16", "--batch", "8"] if rehearse else ["--batch", "128"]
    training = [
        Step(f"training-{dtype}", script("training", "--dtype", dtype, *train, "--out", str(out / f"{dtype}.json")),
             0.1, out / f"{dtype}.json")
        for dtype in ("float32", "bfloat16")
    ]  # fmt: skip
    preset = ["--preset", "tiny" if rehearse else "paper", "--data", data]
    runs = ["--out", str(out / "runs"), "--records", str(out / "records")]
    return [
        Step("tests", [python, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *tests], 0.2),
        Step("engine", script("engine", *quick, "--out", str(out)), 0.1, out / "engine.json"),
        Step("histograms", script("histograms", *quick, "--out", str(out / "histograms.json")), 0.05,
             out / "histograms.json"),
        Step("digits", script("digits", *quick, "--out", str(out / "digits.json")), 0.05, out / "digits.json"),
        *training,
        Step("paper", [python, "-m", "sicjax", "reproduce", "plan", *preset, *runs], 1.0),
    ]  # fmt: skip


def carried_out(step: Step, log: Path, seconds: float) -> dict[str, Any]:
    """How a step ended, and what it found."""
    # Runs stop by themselves, between two steps of training; everything else is stopped.
    command = [*step.command, "--for", f"{int(seconds)}s"] if step.name == "paper" else step.command
    start = time.monotonic()
    with log.open("wb") as stream:
        try:
            code = subprocess.run(
                command, stdout=stream, stderr=subprocess.STDOUT, cwd=HERE.parent, timeout=seconds + END
            ).returncode
            ended = "done" if code == 0 else f"failed with exit code {code}: see {log.name}"
        except subprocess.TimeoutExpired:
            ended = f"stopped after {seconds + END:.0f} s: see {log.name}"
    found = {"ended": ended, "seconds": round(time.monotonic() - start, 1)}
    if step.result is not None and step.result.exists():
        found["found"] = json.loads(step.result.read_text())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=40, help="for all of it")
    parser.add_argument("--data", default="faces", help="images of the paper's runs, see sicjax train --help")
    parser.add_argument("--rehearse", action="store_true", help="as small as it can be")
    args = parser.parse_args()
    out, end = args.out.resolve(), time.monotonic() + 60 * args.minutes
    out.mkdir(parents=True, exist_ok=True)
    file = out / "accelerator.json"
    about = subprocess.check_output([sys.executable, "-c", DEVICE], text=True).strip()
    report = json.loads(file.read_text()) if file.exists() else {"device": about, "steps": {}}
    if report["device"] != about:
        raise SystemExit(f"{file} is of another device, {report['device']}: choose another --out")
    for step in steps(out, args.data, args.rehearse):
        if report["steps"].get(step.name, {}).get("ended") == "done" and step.name != "paper":
            continue
        seconds = min(end - time.monotonic() - END, 60 * args.minutes * step.share)
        if seconds < LEAST:
            report["steps"].setdefault(step.name, {"ended": "not begun: no time was left"})
        else:
            print(f"{step.name}: {seconds:.0f} s at most", flush=True)
            report["steps"][step.name] = carried_out(step, out / f"{step.name}.log", seconds)
            print(f"  {report['steps'][step.name]['ended']}", flush=True)
        file.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
