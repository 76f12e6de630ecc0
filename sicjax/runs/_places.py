"""What lies where in a run's directory: every name of a file or folder in it is here and nowhere else."""

from __future__ import annotations

from pathlib import Path

# Logs, without their ending. Every one is a file of lines, each a JSON object with its step.
METRICS, SCORES, MEASURES = "metrics", "scores", "sdr"
# Pictures, each kind in a folder of its own.
SAMPLES, RECONSTRUCTIONS = "samples", "reconstructions"
# What a user is told to look for.
CONTENTS = f"config.json, {METRICS}.jsonl, {MEASURES}.jsonl, {SAMPLES}, checkpoints"


class Places:
    """Paths in the directory of a run."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()
        self.config = self.folder / "config.json"
        self.lock = self.folder / "lock"
        self.images = self.folder / "images.json"
        self.skipped = self.folder / "skipped.tsv"
        self.checkpoints = self.folder / "checkpoints"
        self.damaged = self.folder / "damaged"
        self.tensorboard = self.folder / "tensorboard"

    def only_begun(self) -> bool:
        """Whether nothing is in the directory but what a run leaves that was killed before it wrote its config."""
        return {path.name for path in self.folder.iterdir()} <= {self.lock.name, self.config.name + ".partial"}

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def logs(self) -> list[Path]:
        """All logs that there are, whoever wrote them."""
        return sorted(file for file in self.folder.glob("*.jsonl") if file.is_file())

    def measure(self, step: int) -> Path:
        return self.folder / MEASURES / f"{step:07}.npz"

    def picture(self, name: str, step: int) -> Path:
        return self.folder / name / f"{step:07}.png"

    def pictures(self, name: str) -> dict[int, Path]:
        """The pictures of one name by their steps, in order."""
        found = (self.folder / name).glob("*.png")
        return dict(sorted((int(file.stem), file) for file in found if file.stem.isdecimal()))
