"""Reads files as a user does, in a process of its own, and says what happened to each.

After `ready` a line of JSON comes in for each file, `{"path": ..., "check": whether kernels are compared with an
independent reader's}`, and one goes out, `{"outcome": "read", "refused" or a finding, "said": ..., "grown": bytes}`.
"""

import json
import resource
import sys
import traceback
from pathlib import Path

import beside  # noqa: F401  (which comes first)
import independent

from sicjax import networks, weights
from sicjax._errors import InputError

# Address space beyond what the process starts with. What a file takes is measured; this only spares the machine.
ROOM = 3 * 2**30


def memory(field: str) -> int:
    """A line of the process's status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(field)))


def read(path: Path, check: bool) -> tuple[str, str]:
    """What happens when a file is read by all that the command line calls."""
    try:
        networks.files_of(path)
        given = {"stride": 1} if networks.takes_stride(path) and not weights.sidecar_path(path).exists() else {}
        net = networks.from_file(path, **given)
    except InputError as error:
        said = str(error)
        plain = "\n" not in said and len(said) < 2000 + 2 * len(str(path))
        return ("refused" if plain else "an error of many lines"), said
    except BaseException as error:  # what is not said in one line is a finding
        return type(error).__name__, traceback.format_exc(limit=-4)
    wrong = independent.wrong(path, net) if check else ""
    return ("wrong numbers" if wrong else "read"), wrong or f"{len(net.layers)} layers, {len(net.pairs)} pairs"


def main() -> None:
    independent.prepare()
    room = memory("VmSize") + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        Path("/proc/self/clear_refs").write_text("5")  # the peak is what it is now
        before = memory("VmRSS")
        outcome, said = read(Path(asked["path"]), asked["check"])
        found = {"outcome": outcome, "said": said, "grown": memory("VmHWM") - before}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
