"""What stands in a recipe and does nothing: no fault, and never passed over without a word."""

from collections.abc import Iterable, Iterator
from datetime import date

from cotdistill.client.prices import PublishedPrices
from cotdistill.errors import UserError
from cotdistill.recipe.plan import Plan, PlannedArm
from cotdistill.recipe.recipe import Arm, LoadedRecipe
from cotdistill.registry import KindOptions

PRICED = ("teacher", "judge")
"""Roles that may be paid for."""


def warnings(recipe: LoadedRecipe, plan: Plan) -> list[str]:
    """Return a line with its place for each thing that does nothing, and for prices that may have changed."""
    found = [*_same_arms(recipe, plan), *_idle_arms(recipe, plan), *_unasked_judge(recipe, plan)]
    found += [*_tasks_twice(recipe), *_old_prices(recipe)]
    return list(dict.fromkeys(map(str, found)))


def _same_arms(recipe: LoadedRecipe, plan: Plan) -> Iterator[UserError]:
    """Yield a warning for each arm that runs nothing but the steps of one before it."""
    first: dict[tuple[str, ...], str] = {}
    for row in _own_rows(plan):
        other = first.setdefault(_folders(row), row.name)
        if other != row.name:
            where = recipe.source.where(("arms", row.of or row.name))
            yield UserError(f"the same as the arm `{other}`: one result will stand in two rows", where)


def _idle_arms(recipe: LoadedRecipe, plan: Plan) -> Iterator[UserError]:
    """Yield a warning for each arm whose keys say what the recipe says, or what no arm can change."""
    rows = {row.of or row.name: _folders(row) for row in _own_rows(plan)}
    for arm in recipe.arms if recipe.main.arms else ():
        changes = recipe.main.arms[arm.name]
        where = recipe.source.where(("arms", arm.name))
        if "name" in changes:
            yield UserError("`name` does nothing in an arm: its key is its name", where)
        idle = [key for key in changes if key != "name" and _says_the_same(arm, recipe, key)]
        if len(idle) == len(changes) > 0 or (changes and _is_root(rows.get(arm.name, ("arms/",)))):
            yield UserError("changes nothing: it says what the recipe says", where, "write `{}` where that is meant")
        elif idle:
            yield UserError(f"{', '.join(f'`{key}`' for key in idle)}: as in the recipe, which changes nothing", where)


def _says_the_same(arm: Arm, recipe: LoadedRecipe, key: str) -> bool:
    if key == "train" and arm.recipe.leaves_out_train != recipe.main.leaves_out_train:
        return False
    return bool(getattr(arm.recipe, key, None) == getattr(recipe.main, key, None))


def _unasked_judge(recipe: LoadedRecipe, plan: Plan) -> Iterator[UserError]:
    if recipe.main.judge is not None and not any("judge" in step.uses for step in plan.steps):
        hint = "write `verifier: {kind: judge}`"
        yield UserError("no verifier asks it", recipe.source.where(("judge",)), hint)


def _tasks_twice(recipe: LoadedRecipe) -> Iterator[UserError]:
    for each in (recipe.main, *(arm.recipe for arm in recipe.arms)):
        for name in dict.fromkeys(name for name in each.tasks if each.tasks.count(name) > 1):
            where = recipe.source_of(each).where(("evaluate", "tasks"))
            yield UserError(f"`{name}` is named {each.tasks.count(name)} times, and asked once", where)


def _old_prices(recipe: LoadedRecipe) -> Iterator[UserError]:
    for each in (recipe.main, *(arm.recipe for arm in recipe.arms)):
        for role in PRICED:
            prices = published(each.role(role))
            if prices is not None and prices.is_old(date.today()):
                where = recipe.source_of(each).where((role,))
                hint = f"see {prices.source}, and write `prices:`"
                yield UserError(f"the known prices are of {prices.read} and may have changed", where, hint)


def published(options: KindOptions | None) -> PublishedPrices | None:
    """Return the known prices that a sampler is counted with; None: its own, or none."""
    prices = getattr(options.build(), "prices", None) if options is not None else None
    return prices if isinstance(prices, PublishedPrices) else None


def _own_rows(plan: Plan) -> Iterable[PlannedArm]:
    """Return the rows that the recipe's arms have, one for each seed."""
    return [row for row in plan.rows if row.kind in ("trained", "untrained")]


def _folders(row: PlannedArm) -> tuple[str, ...]:
    return tuple(step.folder for step in row.steps)


def _is_root(folders: tuple[str, ...]) -> bool:
    return not any(folder.startswith("arms/") for folder in folders)
