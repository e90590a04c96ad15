"""The picture of the rooms in docs/architecture.md, made from the import graph: `python docs/rooms.py` rewrites it.

The rows are the layers of .importlinter, the arrows the imports of all modules, those inside functions included.
"""

import configparser
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import grimp

PACKAGE = "cotdistill"
REPOSITORY = Path(__file__).parent.parent
PAGE = REPOSITORY / "docs" / "architecture.md"
BEGIN = "<!-- from here to the next mark written by docs/rooms.py -->\n"
END = "<!-- end of what docs/rooms.py writes -->\n"
VOCABULARY = ("errors", "records", "registry")
"""Most boxes import them: with these arrows the picture would show nothing else."""

Arrows = Mapping[str, frozenset[str]]
"""Box -> the boxes that it imports."""


def layers() -> list[list[str]]:
    """Return the boxes of each layer, the highest layer first, as .importlinter orders them."""
    contracts = configparser.ConfigParser()
    contracts.read(REPOSITORY / ".importlinter", encoding="utf-8")
    rows = contracts["importlinter:contract:layers"]["layers"].split("\n")
    return [[box.strip() for box in row.split("|")] for row in rows if row.strip()]


def imports(boxes: Iterable[str]) -> tuple[Arrows, frozenset[str]]:
    """Return the imports between boxes, and which boxes are rooms: folders with modules in them."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    modules = {f"{PACKAGE}.{box}": box for box in boxes}
    rooms = frozenset(box for module, box in modules.items() if graph.find_children(module))
    for module in modules:
        graph.squash_module(module)
    arrows = {}
    for module, box in modules.items():
        found = graph.find_modules_directly_imported_by(module) & modules.keys()
        arrows[box] = frozenset(modules[other] for other in found - {module})
    return arrows, rooms


def reduced(arrows: Arrows, lowest_first: Sequence[str]) -> Arrows:
    """Return the arrows without those that a longer way leads beside (transitive reduction).

    Raises: KeyError where an arrow points up; `make check` says which import it is.
    """
    below: dict[str, frozenset[str]] = {}
    kept: dict[str, frozenset[str]] = {}
    for box in lowest_first:
        further = frozenset[str]().union(*(below[other] for other in arrows[box]))
        below[box] = arrows[box] | further
        kept[box] = arrows[box] - further
    return kept


def count(arrows: Arrows) -> int:
    """Return the number of arrows."""
    return sum(map(len, arrows.values()))


def picture() -> str:
    """Return the diagram as Mermaid, and the numbers below it."""
    rows = layers()
    boxes = [box for row in rows for box in row]
    every, rooms = imports(boxes)
    shown = {box: every[box].difference(VOCABULARY) for box in boxes}
    kept = reduced(shown, boxes[::-1])
    lines = ["```mermaid", "flowchart TB"]
    lines += [f'    {box}["{box}/"]' if box in rooms else f'    {box}(["{box}.py"])' for box in boxes]
    # Invisible links, where no arrow leads from one layer to the next, keep every layer in a row of its own.
    for upper, lower in itertools.pairwise(rows):
        apart = {box: [other for other in lower if other not in kept[box]] for box in upper}
        lines += [f"    {box} ~~~ {' & '.join(others)}" for box, others in apart.items() if others]
    lines += [f"    {box} --> {' & '.join(sorted(kept[box]))}" for box in boxes if kept[box]]
    lines += ["```", ""]
    names = ", ".join(f"`{name}`" for name in VOCABULARY)
    lines += [
        f"{len(rooms)} rooms and {len(boxes) - len(rooms)} loose modules on {len(rows)} layers. "
        f"Of {count(every)} arrows between them the picture shows {count(kept)}.",
        f"Left out are {count(every) - count(shown)} arrows to {names}, which most boxes import,",
        f"and {count(shown) - count(kept)} arrows beside which a longer way of arrows leads to the same box.",
    ]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page with the picture of the code as it is. Raises: ValueError where a mark is missing."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{PAGE}: the two marks of docs/rooms.py are not there")
    return f"{before}{BEGIN}{picture()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
