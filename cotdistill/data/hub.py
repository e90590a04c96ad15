"""Rows of a data set on Hugging Face (or the mirror in HF_ENDPOINT) or ModelScope."""

import logging
import os
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cotdistill.data.entry import Entry
from cotdistill.data.options import Hub
from cotdistill.data.readers import JsonRow, read_rows
from cotdistill.errors import UserError

log = logging.getLogger(__name__)


UNREACHABLE = "cannot be reached"


class HubName(NamedTuple):
    """Where a set is on one hub."""

    hub: Hub
    name: str

    @property
    def page(self) -> str:
        """Address for people."""
        if self.hub == "modelscope":
            return f"https://www.modelscope.cn/datasets/{self.name}"
        return f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/datasets/{self.name}"


def hub_names(entry: Entry, hub: Hub) -> list[HubName]:
    """Return the names of a set on the hubs that may be asked, in the order of asking."""
    names = [
        HubName("huggingface", entry.hf_hub_url or entry.hub_url or ""),
        HubName("modelscope", entry.ms_hub_url or entry.hub_url or ""),
    ]
    return [found for found in names if found.name and hub in ("auto", found.hub)]


def read_hub_rows(
    name: str, entry: Entry, where: str, *, root: Path, hub: Hub, split: str | None, limit: int | None
) -> Iterator[tuple[str, JsonRow]]:
    """Yield place and object of every row of a hub's set; `root` is where the user may put a copy.

    A `limit` streams: no more is downloaded than is taken.
    Raises: UserError: no hub can be reached; it says which file to put where.
    """
    failed: list[str] = []
    count = 0
    for place in hub_names(entry, hub):
        try:
            if entry.hub_file:
                path = _downloaded(place, entry)
                yield from read_rows(path, names=entry.column_names, is_object=entry.is_object)
            else:
                for row in _loaded(place, entry, split=split, limit=limit):
                    yield f"{name}[{count}]", dict(row)
                    count += 1
            if failed:
                log.warning("%s: read from %s (%s)", name, place.hub, "; ".join(failed))
            return
        except UserError:
            raise
        except ImportError as error:
            failed.append(f"{place.hub}: the package `{error.name}` is missing: {_package_line(place.hub)}")
        # Both hubs' clients tell a network fault by OSErrors of their own, and a wrong name or split by ValueErrors.
        except (OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0][:200] if is_reachable(place) else UNREACHABLE
            failed.append(f"{place.hub}: {reason}")
            if count:
                # Another hub would begin again with the rows that are taken already.
                raise UserError(
                    f"broke off after {count} rows ({failed[-1]})", where, "run the same command again"
                ) from None
    raise UserError(f"no hub could be read ({'; '.join(failed)})", where, offline_hint(name, entry, hub, root=root))


def offline_hint(name: str, entry: Entry, hub: Hub, *, root: Path) -> str:
    """Return which file to put where on a machine without network."""
    copy = root / "data" / name
    page = hub_names(entry, hub)[0].page
    if entry.hub_file:
        suffix = Path(entry.hub_file).suffix
        return f"offline: put {entry.hub_file} of {page} here as {copy}{suffix}"
    what = f"the `{entry.split or 'train'}` file" + (f" of `{entry.subset}`" if entry.subset else "")
    return f"offline: put {what} of {page} here as {copy}.parquet, .jsonl, .json or .csv"


def _package_line(hub: Hub) -> str:
    return "pip install 'modelscope[datasets]'" if hub == "modelscope" else "pip install 'cotdistill[train]'"


def is_reachable(place: HubName) -> bool:
    """Return whether the hub's name can be resolved; behind a proxy only the proxy can tell.

    The hubs' clients try again for 23 s and more before they give up, and say so in many lines.
    """
    if urllib.request.getproxies():
        return True
    try:
        socket.getaddrinfo(urllib.parse.urlsplit(place.page).hostname, 443)
    except OSError:
        return False
    return True


def _downloaded(place: HubName, entry: Entry) -> Path:
    """Return a plain file of the hub's repository, from the hub's own cache where it is there."""
    assert entry.hub_file is not None
    is_offline = not is_reachable(place)
    if place.hub == "modelscope":
        return _from_modelscope(place.name, entry.hub_file, entry.revision or "master", is_offline=is_offline)
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(
        place.name, entry.hub_file, repo_type="dataset", revision=entry.revision, local_files_only=is_offline
    )
    return Path(path)


def _from_modelscope(name: str, file: str, revision: str, *, is_offline: bool) -> Path:
    from modelscope.hub.file_download import dataset_file_download

    try:
        from modelscope_hub.errors import HubError
    except ImportError:
        HubError = OSError  # noqa: N806  # releases before 1.40 raise only those
    try:
        return Path(dataset_file_download(name, file, revision=revision, local_files_only=is_offline))
    except HubError as error:
        raise OSError(str(error)) from None


def _loaded(place: HubName, entry: Entry, *, split: str | None, limit: int | None) -> Any:  # Any: a datasets.Dataset
    wanted = split or entry.split or "train"
    streams = limit is not None
    # The client's own offline mode finds at once what it downloaded earlier.
    if not is_reachable(place) and (place.hub == "modelscope" or not os.environ.get("HF_HUB_OFFLINE")):
        raise OSError(UNREACHABLE)
    if place.hub == "modelscope":
        from modelscope.msdatasets import MsDataset

        return MsDataset.load(
            place.name,
            subset_name=entry.subset,
            split=wanted,
            version=entry.revision or "master",
            use_streaming=streams,
        )
    import datasets

    return datasets.load_dataset(
        place.name,
        name=entry.subset,
        data_dir=entry.folder,
        split=wanted,
        revision=entry.revision,
        streaming=streams,
    )
