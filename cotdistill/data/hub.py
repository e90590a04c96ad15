"""Rows of a data set on Hugging Face (or the mirror in HF_ENDPOINT) or ModelScope."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cotdistill.data._folder import data_files
from cotdistill.data.entry import Entry
from cotdistill.data.options import Hub
from cotdistill.data.readers import ENDINGS, PACKED, JsonRow, data_suffix, read_rows
from cotdistill.errors import UserError
from cotdistill.storage.hubs import PACKAGES, UNREACHABLE, address, is_reachable, snapshot

log = logging.getLogger(__name__)

CARD = "README.md"
"""Beside the data files: it lists subsets and splits."""


class HubPlace(NamedTuple):
    """Where a set is on one hub."""

    hub: Literal["huggingface", "modelscope"]
    name: str

    @property
    def page(self) -> str:
        """Address for people."""
        return f"{address(self.hub)}/datasets/{self.name}"


def hub_names(entry: Entry, hub: Hub) -> list[HubPlace]:
    """Return the names of a set on the hubs that may be asked, in the order of asking."""
    names = [
        HubPlace("huggingface", entry.hf_hub_url or entry.hub_url or ""),
        HubPlace("modelscope", entry.ms_hub_url or entry.hub_url or ""),
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
            if entry.hub_file or place.hub == "modelscope":
                for path in _downloaded(place, entry, where, split=split):
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
            failed.append(f"{place.hub}: the package `{error.name}` is missing: {PACKAGES[place.hub][1]}")
        # Both hubs' clients tell a network fault by OSErrors of their own, and a wrong name or split by ValueErrors.
        except (OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0][:200] if is_reachable(place.hub) else UNREACHABLE
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
        file = Path(entry.hub_file)
        ending = f"{data_suffix(file)}{file.suffix}" if file.suffix in PACKED else file.suffix
        return f"offline: put {entry.hub_file} of {page} here as {copy}{ending}"
    what = f"the `{entry.split or 'train'}` file" + (f" of `{entry.subset}`" if entry.subset else "")
    return f"offline: put {what} of {page} here as {copy}.parquet, .jsonl, .json or .csv, or its folder as {copy}"


def _downloaded(place: HubPlace, entry: Entry, where: str, *, split: str | None) -> Iterator[Path]:
    """Yield the plain files of the hub's repository that hold a split, from the hub's own cache where they are there.

    A repository is downloaded whole: which of its files are of the split is told by their names.
    """
    only = [entry.hub_file] if entry.hub_file else [CARD, *(f"*{ending}" for ending in ENDINGS)]
    folder = snapshot(place.hub, place.name, kind="dataset", revision=entry.revision, only=only)
    if entry.hub_file:
        if not (folder / entry.hub_file).is_file():
            raise OSError(f"has no file {entry.hub_file}")
        yield folder / entry.hub_file
        return
    inside = folder / (entry.folder or "")
    yield from data_files(inside, where, split=split or entry.split or "train", subset=entry.subset)


def _loaded(place: HubPlace, entry: Entry, *, split: str | None, limit: int | None) -> Any:  # Any: a datasets.Dataset
    # The client's own offline mode finds at once what it downloaded earlier.
    if not is_reachable(place.hub) and not os.environ.get("HF_HUB_OFFLINE"):
        raise OSError(UNREACHABLE)
    import datasets

    return datasets.load_dataset(
        place.name,
        name=entry.subset,
        data_dir=entry.folder,
        split=split or entry.split or "train",
        revision=entry.revision,
        streaming=limit is not None,
    )
