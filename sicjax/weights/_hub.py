"""Files on the hub of Hugging Face, fetched into its cache: `hf://org/repo[/file][@revision]`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from sicjax import _extras
from sicjax._errors import InputError
from sicjax.weights._shards import INDEX, shards_of
from sicjax.weights._sidecar import sidecar_path

# `pathlib` makes one of two slashes. The hub itself writes a revision after the repository.
_NAME = re.compile(
    r"hf:/+(?P<repo>[\w.-]+/[\w.-]+)(@(?P<early>refs/(?:pr|convert)/[\w.-]+|[^/@]+))?(/(?P<path>[^@]*))?(@(?P<late>.+))?"
)
LOG_IN = "log in with hf auth login, or set HF_TOKEN"

# From the files of a folder or repository, and what it is called, to the one that is meant.
Choose = Callable[[Sequence[str], str], str]


def on_hub(name: str | Path) -> bool:
    """Whether a name is one on the hub."""
    return str(name).startswith("hf:/")


class _Snapshot(NamedTuple):
    """The files of a repository at a revision; `folder` has those that are cached, where the hub is out of reach."""

    revision: str
    files: list[str]
    folder: Path | None = None


@functools.cache
def fetch(name: str, choose: Choose) -> Path:
    """Where the cache has a file of the hub, fetched if need be, beside it what says how it is to be read.

    A name is looked up once in a process, so that all that is said of it is of the same file. Of the repository only
    that file is fetched, its shards or external data, its sidecar and `config.json`.

    Arguments:
        name: `hf://org/repo/file@revision`; without a revision the default branch, without a file what is chosen.
        choose: see `Choose`.

    Raises:
        InputError: no such repository, file or revision; one that is gated; offline, and not in the cache.
        MissingPackage: huggingface_hub is not installed.
    """
    match = _NAME.fullmatch(name)
    if match is None or (match["early"] and match["late"]):
        raise InputError(f"{name} is no name on the hub: expected hf://org/repo[/file][@revision]")
    _extras.require("hub", "reading hf:// names")
    repo, path = match["repo"], (match["path"] or "").strip("/")
    revision = match["late"] or unquote(match["early"] or "main")
    snapshot = _snapshot(name, repo, revision)
    if path not in snapshot.files:
        inside = f"{path}/" if path else ""
        there = [file.removeprefix(inside) for file in snapshot.files if file.startswith(inside)]
        if not there:
            held = f"of {repo} is not in the cache" if snapshot.folder else f"is not in {repo}"
            raise InputError(f"{name}: {path or 'any file'} {held}, which has {_some(snapshot.files)}")
        path = inside + choose(there, name)
    get = functools.partial(_get, name, repo, snapshot)
    for file in snapshot.files:
        if _belongs(file, path):
            get(file)
    found = get(path)
    if path.endswith(INDEX):
        for shard in shards_of(found):
            get(str(Path(path).with_name(shard).as_posix()))
    return found


def _belongs(file: str, path: str) -> bool:
    """Whether a file says how another is to be read, or holds a part of it."""
    one, other = Path(file), Path(path)
    beside = one.parent == other.parent and one != other
    return beside and (
        one.name in ("config.json", sidecar_path(other).name)
        or (one.name.startswith(other.name) and not file.endswith(INDEX))
    )


def _snapshot(name: str, repo: str, revision: str) -> _Snapshot:
    from huggingface_hub import HfApi, errors

    try:
        info = HfApi().model_info(repo, revision=revision)
        return _Snapshot(revision, [file.rfilename for file in info.siblings or ()])
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError) as error:
        raise _refused(name, repo, revision, error) from error
    except Exception as error:  # how a network fails depends on the version
        cached = _cached(repo, revision)
        if cached is None:
            raise _refused(name, repo, revision, error) from error
        return cached


def _cached(repo: str, revision: str) -> _Snapshot | None:
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        repos = scan_cache_dir().repos
    except CacheNotFound:
        return None
    for held in (held for one in repos if (one.repo_id, one.repo_type) == (repo, "model") for held in one.revisions):
        if revision in held.refs or revision == held.commit_hash:
            files = sorted(file.file_path.relative_to(held.snapshot_path).as_posix() for file in held.files)
            return _Snapshot(revision, files, held.snapshot_path)
    return None


def _get(name: str, repo: str, snapshot: _Snapshot, file: str) -> Path:
    if snapshot.folder is not None and file in snapshot.files:
        return snapshot.folder / file
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repo, file, revision=snapshot.revision))
    except Exception as error:  # how a network fails depends on the version
        raise _refused(name, repo, snapshot.revision, error, file) from error


def _refused(name: str, repo: str, revision: str, error: Any, file: str = "") -> InputError:
    """What went wrong on the way to the hub."""
    from huggingface_hub import errors

    match error:
        case errors.GatedRepoError():
            why = f"{repo} is gated: ask for access on its page, then {LOG_IN}"
        case errors.RepositoryNotFoundError():
            why = f"there is no {repo} on the hub, or it is private: check the name, or {LOG_IN}"
        case errors.RevisionNotFoundError():
            why = f"{repo} has no revision {revision}"
        case errors.HFValidationError():
            why = f"{repo} cannot be the name of a repository"
        case errors.OfflineModeIsEnabled() | errors.LocalEntryNotFoundError() if _offline():
            why = f"{file or repo} is not in the cache, and HF_HUB_OFFLINE is set: unset it to fetch it"
        case errors.EntryNotFoundError() if not isinstance(error, errors.LocalEntryNotFoundError):
            why = f"{repo} has no file {file}"
        case _:
            cause = error.__cause__ or error
            detail = f"{type(cause).__name__} {str(cause).strip().partition(chr(10))[0]!r:.150}"
            why = f"{file or repo} is not in the cache, and the hub cannot be reached ({detail})"
    return InputError(f"{name}: {why}")


def _offline() -> bool:
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE


def _some(files: Sequence[str]) -> str:
    return ", ".join(files[:8]) + (f" and {len(files) - 8} more" if len(files) > 8 else "")
