"""Problem sets that are made by a seed and not read: found by name, like those of a registry."""

from cotdistill.data.catalog import Catalog
from cotdistill.demo.tasks import SETS, MadeSet


def made_set(name: str, catalog: Catalog) -> MadeSet | None:
    """Return the set that is made under a name; None where there is none, or a registry has that name."""
    return None if name in catalog.names() else SETS.get(name)
