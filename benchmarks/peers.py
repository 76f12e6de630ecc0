"""What do the nearest peers say of the same files, in what time and memory, and which layers do they leave out?

    python benchmarks/peers.py --weights DIR --weightwatcher PYTHON --diffract PYTHON

Each tool in a process of its own, from the prompt to its table, by the Python it is installed for. A layer is a weight
of two or more axes; it is covered where the table has a number for it, told where the output names it, and else dropped
without a word. Diffract takes matrices: once it is given the file's arrays as they are, once with each kernel as a
matrix `(out, in * taps)`, made by this script. sicjax is run twice, the first time with an empty cache of compiled
programs. Writes benchmarks/results/peers.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
FILES = (
    "digiface_dcgan_g64", "disvae_VAE_celeba", "akamaster_resnet56_cifar10", "nmhkahn_carn_m", "silero_vad_16k"
)  # fmt: skip


def weightwatcher(file: str) -> tuple[str, list[str]]:
    import weightwatcher as ww
    from safetensors.torch import load_file

    table = ww.WeightWatcher(model=load_file(file)).analyze()
    print(table.to_string())
    return ww.__version__, list(table[table.alpha.notna()].longname) if len(table) else []


def diffract(file: str, as_matrices: bool = False) -> tuple[str, list[str]]:
    from importlib.metadata import version

    from diffract import Session
    from safetensors.numpy import load_file

    arrays = load_file(file)
    if as_matrices:
        arrays = {name: array.reshape(len(array), -1) for name, array in arrays.items() if array.ndim > 1}
    with Session(profile="ram") as session:
        session.models.add(arrays, model_id="net")
        session.compute.apply("stable_rank", "log_spectral_norm", "pl_alpha")
        table = session.results.export_metrics("stable_rank", "pl_alpha", export_format="pandas")
    print(table.to_string())
    return version("diffract-core"), list(table[table.stable_rank.notna()].parameter_name)


def diffract_of_matrices(file: str) -> tuple[str, list[str]]:
    return diffract(file, as_matrices=True)


TOOLS = {f.__name__: f for f in (weightwatcher, diffract, diffract_of_matrices)}


def layers(file: Path) -> list[str]:
    """The weights of two or more axes, under the names of their layers."""
    from safetensors import safe_open

    with safe_open(file, "numpy") as tensors:
        return [
            name.removesuffix(".weight") for name in tensors.keys() if len(tensors.get_slice(name).get_shape()) > 1
        ]  # fmt: skip


def run(command: list[str], **environment: str) -> tuple[float, float, int, str]:
    """Seconds, MiB at the peak, exit code, and all that was said."""
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | environment)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        said.seek(0)
        return seconds, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status), said.read()


def judged(ran: tuple[float, float, int, str], covered: list[str], every: list[str]) -> dict:
    seconds, peak, code, said = ran
    if code:
        return {
            "seconds": seconds,
            "peak MiB": peak,
            "layers": len(every),
            "error": said.strip().splitlines()[-1][:300],
        }
    of = lambda name: any(name in (one, one.removesuffix(".weight")) for one in covered)
    told = [name for name in every if not of(name) and name in said]
    dropped = [name for name in every if not of(name) and name not in said]
    result = {
        "seconds": seconds,
        "peak MiB": peak,
        "layers": len(every),
        "covered": len(every) - len(told) - len(dropped),
    }
    result |= {"told": len(told), "dropped without a word": dropped}
    return result | ({"ended with": said.strip().splitlines()[-1][:300]} if code else {})


def of_sicjax(file: Path, cache: str) -> dict:
    command = [sys.executable, "-m", "sicjax", "measure", str(file)]
    ran = run(command, JAX_COMPILATION_CACHE_DIR=cache, JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0")
    record = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)[0]
    covered = [cascade[end] for cascade in record["cascades"] for end in ("first", "second")]
    return judged(ran, covered, layers(file)) | {"pairs": len(record["cascades"])}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--weightwatcher", help="the Python that has it")
    parser.add_argument("--diffract", help="the Python that has it")
    parser.add_argument("--tool", choices=TOOLS, help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.tool:
        args.into.write_text(json.dumps(TOOLS[args.tool](args.file)))
        return
    from sicjax import __version__

    versions, found = {"sicjax": __version__}, {}
    pythons = {"weightwatcher": args.weightwatcher, "diffract": args.diffract, "diffract_of_matrices": args.diffract}
    for name in FILES:
        file, by = args.weights / f"{name}.safetensors", {}
        with tempfile.TemporaryDirectory() as scratch:
            by["sicjax, empty cache"] = of_sicjax(file, scratch)
            by["sicjax"] = of_sicjax(file, scratch)
            for tool, python in pythons.items():
                into = Path(scratch, "answer.json")
                into.unlink(missing_ok=True)
                command = [python, __file__, "--tool", tool, "--file", str(file), "--into", str(into)]
                ran = run(command, PYTHONPATH="")
                version, covered = json.loads(into.read_text()) if into.exists() else (None, [])
                versions |= {tool.partition("_")[0]: version} if version else {}
                by[tool] = judged(ran, covered, layers(file))
        found[name] = by
        print(json.dumps({name: by}, indent=1))
    result = {"machine": f"{os.cpu_count()} CPU cores, {platform.machine()}", "versions": versions, "files": found}
    RESULTS.mkdir(exist_ok=True)
    RESULTS.joinpath("peers.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
