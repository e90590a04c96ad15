"""Commands on data sets: list what is registered, check a set, show its rows as the student will see them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cotdistill.cli.app import DATA, Json, app, logging_to, read
from cotdistill.cli.output import echo, echo_json, line_width, shortened
from cotdistill.errors import UserError

if TYPE_CHECKING:
    from cotdistill.data import Catalog
    from cotdistill.data.golds import SameGold
    from cotdistill.filters.contamination import BenchmarkIndex
    from cotdistill.inspection.show import Shown
    from cotdistill.styles import Style
    from cotdistill.training.prepare.tokens import Encoder

data = typer.Typer(help="List, check and show data sets.", no_args_is_help=True)
app.add_typer(data, name="data", rich_help_panel=DATA)

Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A name of dataset_info.json, or a file.")]
RecipeOption = Annotated[
    Path | None,
    typer.Option("--recipe", metavar="RECIPE", help="Take registries, tasks, style and cutoff_len from this recipe."),
]
Tokenizer = Annotated[
    str | None, typer.Option("--tokenizer", metavar="FOLDER", help="The student's tokenizer, a folder or a hub's name.")
]
StyleName = Annotated[
    str | None, typer.Option("--style", metavar="STYLE", help="How traces are written; default: the recipe's.")
]

WIDE = 100
"""Columns of a terminal from which on a list has all that it can say."""

BRACKETS = "⟦", "⟧"
"""Around what is learned, where no colours can be shown."""


@dataclass(frozen=True)
class _Setting:
    """What a recipe says about its data; without one, the defaults."""

    catalog: "Catalog"
    style: "Style"
    style_said: str
    """Its name and who chose it."""
    is_same_gold: "SameGold"
    benchmarks: "BenchmarkIndex | None" = None
    tokenizer: str | None = None
    template: str | None = None
    cutoff_len: int | None = None
    masks_history: bool = False
    gives_empty_thoughts: bool = False

    def encoder(self) -> "Encoder | None":
        """Return the student's encoder; None where no tokenizer is named."""
        if self.tokenizer is None:
            return None
        try:
            from cotdistill.training.prepare.seq2seq_tokens import encoder_of
            from cotdistill.training.prepare.tokens import load_tokenizer

            tokenizer = load_tokenizer(self.tokenizer, template=self.template)
            return encoder_of(
                tokenizer, masks_history=self.masks_history, gives_empty_thoughts=self.gives_empty_thoughts
            )
        except ImportError as error:
            message = f"counting tokens needs the package `{error.name}`"
            raise UserError(message, "--tokenizer", "pip install 'cotdistill[train]'") from None


@data.command("list")
def list_sets(recipe: RecipeOption = None, as_json: Json = False) -> None:
    """List the registered data sets: what they hold, where they are, under which licence."""
    from cotdistill.data.listing import list_datasets

    with logging_to(None):
        rows = list(list_datasets(_setting(recipe).catalog))
    if as_json:
        echo_json([row._asdict() for row in rows])
        return
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        fault = f"  ! {row.fault}" if row.fault else ""
        # The licence is what a narrow terminal has no room for: `--json` has it.
        license = f"{row.license or '-':<13} " if line_width() > WIDE else ""
        echo(shortened(f"{row.name:<{width}}  {row.formatting:<9} {license}{row.place}{fault}"))


@data.command("add")
def add_set(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file, a folder or a pattern: 'shards/*.jsonl'.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What recipes call it.")],
    formatting: Annotated[
        str | None, typer.Option("--as", metavar="LAYOUT", help="problems, traces, sharegpt, openai, alpaca.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", metavar="ROLE=COLUMN", help="question=task; may be repeated.")
    ] = None,
    registry: Annotated[
        Path, typer.Option("--registry", metavar="FILE|DIR", help="The registry, or the folder that holds it.")
    ] = Path("dataset_info.json"),
    replace: Annotated[bool, typer.Option("--replace", help="Replace an entry of this name.")] = False,
    as_json: Json = False,
) -> None:
    """Write a file into dataset_info.json and say which column became what."""
    from cotdistill.data.adding import add_file
    from cotdistill.data.catalog import REGISTRY
    from cotdistill.inspection.columns import column_lines

    columns = dict(_pair(given) for given in column or ())
    path = registry if registry.suffix == ".json" else registry / REGISTRY
    with logging_to(None):
        added = add_file(file, name, registry=path, formatting=formatting, columns=columns, replaces=replace)
        lines = column_lines(added.dataset)
        if said := added.bad.unread_said:
            lines.append(f"not used: {said}")
    if as_json:
        echo_json({name: added.entry})
        return
    echo("\n".join([f"{name}: {added.dataset.entry.holds} in {file}", *lines, f"written to {path}"]))


def _pair(given: str) -> tuple[str, str]:
    role, equals, column = given.partition("=")
    if not equals or not role or not column:
        raise UserError(f"expected ROLE=COLUMN, found `{given}`", "--column", "as in --column question=task")
    return role, column


@data.command("check")
def check_set(
    name: Name,
    recipe: RecipeOption = None,
    tokenizer: Tokenizer = None,
    cutoff_len: Annotated[
        int | None, typer.Option("--cutoff-len", min=2, help="Longest row in tokens; default: the recipe's.")
    ] = None,
    style: StyleName = None,
    as_json: Json = False,
) -> None:
    """Read a whole data set and say what is wrong with it; exit code 2 where something is."""
    from cotdistill.inspection.check import CheckContext, check_dataset

    with logging_to(None):
        setting = _setting(recipe, tokenizer=tokenizer, style=style)
        tools = CheckContext(
            style=setting.style,
            style_said=setting.style_said,
            encoder=setting.encoder(),
            cutoff_len=cutoff_len or setting.cutoff_len,
            benchmarks=setting.benchmarks,
            is_same_gold=setting.is_same_gold,
        )
        if cutoff_len is not None and tools.encoder is None:
            raise UserError("counting tokens needs the student's tokenizer", "--cutoff-len", "add --tokenizer FOLDER")
        examination = check_dataset(setting.catalog.find(name), tools)
    if as_json:
        echo_json(examination.as_json())
    else:
        echo("\n".join(examination.lines()))
    if not examination.is_sound:
        raise typer.Exit(UserError.exit_code)


@data.command("show")
def show_rows(
    name: Name,
    count: Annotated[int, typer.Option("-n", min=1, help="Rows to show.")] = 3,
    recipe: RecipeOption = None,
    tokenizer: Tokenizer = None,
    style: StyleName = None,
) -> None:
    """Print the first rows as the student will see them, what it learns in colour or in ⟦brackets⟧."""
    from cotdistill.inspection.show import render_rows

    with logging_to(None):
        setting = _setting(recipe, tokenizer=tokenizer, style=style)
        dataset, encoder = setting.catalog.find(name), setting.encoder()
        for row in render_rows(dataset, setting.style, encoder, count=count, masks_history=setting.masks_history):
            _print_row(row)


def _print_row(row: "Shown") -> None:
    from rich.text import Text

    from cotdistill.cli.screen import Screen

    console = Screen(soft_wrap=True)
    if not console.is_terminal:
        opened, closed = BRACKETS
        text = "".join(
            f"{opened}{''.join(span.tokens)}{closed}" if span.is_supervised else "".join(span.tokens)
            for span in row.spans
        )
        echo(f"--- {row.title}\n{text}")
        return
    shown = Text(f"--- {row.title}\n", style="bold")
    for span in row.spans:
        # Two shades by turns show where one token ends and the next begins.
        shades = ("black on green", "black on bright_green") if span.is_supervised else ("default", "dim")
        for number, token in enumerate(span.tokens):
            shown.append(token, style=shades[number % 2])
    console.print(shown)


def _setting(recipe: Path | None, *, tokenizer: str | None = None, style: str | None = None) -> _Setting:
    """Return what the commands work with. Raises: UserError."""
    from cotdistill import registry
    from cotdistill.data import open_catalog
    from cotdistill.data.golds import same_by
    from cotdistill.yamlfile import nearest

    known = registry.kinds("styles")
    if style is not None and style not in known:
        raise UserError(f"no style `{style}`", "--style", nearest(style, list(known)))
    if recipe is None:
        chosen = registry.make("styles", style or "thought_solution")
        said = f"{style} (--style)" if style else "thought_solution (the default; --style or --recipe name another)"
        is_same = same_by(registry.make("verifiers", "numeric"))
        return _Setting(open_catalog([Path()]), chosen, said, is_same, tokenizer=tokenizer)
    return _of_recipe(recipe, tokenizer=tokenizer, style=style)


def _of_recipe(path: Path, *, tokenizer: str | None, style: str | None) -> _Setting:
    from cotdistill import registry
    from cotdistill.data.golds import same_by
    from cotdistill.data.task import questions_of
    from cotdistill.filters.contamination import BenchmarkIndex
    from cotdistill.pipeline.inputs import RunInputs
    from cotdistill.stages.convert import ConvertOptions

    recipe = read(path, None)
    inputs = RunInputs(recipe)
    model = getattr(recipe.main.student, "model", None)
    is_local = isinstance(model, str) and Path(model).is_dir()
    tasks = inputs.tasks(recipe.main)
    train, convert = recipe.main.train, recipe.main.convert or ConvertOptions()
    return _Setting(
        catalog=inputs.catalog,
        style=registry.make("styles", style) if style else convert.taught_style.build(),
        style_said=f"{style} (--style)" if style else f"{convert.taught_style.kind} ({path})",
        is_same_gold=same_by(recipe.main.verifier.build()),
        benchmarks=BenchmarkIndex(questions_of(tasks)) if tasks else None,
        tokenizer=tokenizer or (str(model) if is_local else None),
        template=train.template if train else None,
        cutoff_len=train.cutoff_len if train else None,
        masks_history=train.mask_history if train else False,
        gives_empty_thoughts=train.empty_thought if train else False,
    )
