"""Where the files of an entry are: inside the registry's folder or the working directory, and not elsewhere.

A registry may come from others, so a relative path or a link that leads out of both folders is refused.
"""

from pathlib import Path

from cotdistill.data.entry import Entry
from cotdistill.data.readers import SUFFIXES
from cotdistill.errors import UserError

OUTSIDE_HINT = "`data: {allow_outside: true}` in the recipe allows it, and so does an absolute `local_path`"


def local_files(entry: Entry, root: Path, where: str, *, allow_outside: bool) -> tuple[Path, ...]:
    """Return the files that an entry names, a folder's in the order of their names.

    Raises: UserError: nothing there, or outside.
    """
    if entry.local_path is None and entry.file_name is None:
        return ()
    local = Path(entry.local_path or "", entry.file_name or "")
    homes = [Path(entry.local_path)] if Path(entry.local_path or "").is_absolute() else [root, Path()]  # type: ignore[arg-type]
    for home in homes:
        path = home / local
        if path.exists():
            if not allow_outside:
                _check_inside(path, home, where)
            return _files_of(path, home, where, allow_outside=allow_outside)
    # What is looked for outside is not told apart from what is not there.
    if not allow_outside:
        _check_inside(homes[0] / local, homes[0], where)
    raise UserError(f"no file at {homes[0] / local}", where, "put it there or fix `local_path`, `file_name`")


def own_copy(name: str, root: Path) -> Path | None:
    """Return the copy of a hub's set that a user put beside the registry: `data/<name>.jsonl`."""
    for suffix in SUFFIXES:
        path = root / "data" / f"{name}{suffix}"
        if path.is_file():
            return path
    return None


def _files_of(path: Path, home: Path, where: str, *, allow_outside: bool) -> tuple[Path, ...]:
    if not path.is_dir():
        return (path,)
    files = tuple(sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES))
    if not files:
        raise UserError(f"no data file in {path}", where, f"known: {', '.join(SUFFIXES)}")
    for file in files if not allow_outside else ():
        _check_inside(file, home, where)
    return files


def _check_inside(path: Path, home: Path, where: str) -> None:
    # A path given as a file is its own folder.
    folder = home if home.is_dir() or not home.exists() else home.parent
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{path} is outside the folder {folder.resolve()}", where, OUTSIDE_HINT)
