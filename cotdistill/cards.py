"""README.md beside a converted set and a trained student: where they come from, told by the recipe and the manifests.

The header is what Hugging Face and ModelScope read: `base_model`, `tags`, `configs`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cotdistill import __version__
from cotdistill.plan import Step
from cotdistill.runs import Counts, read_manifest

FILE = "README.md"


def card(step: Step, run: Path, counts: Counts) -> str | None:
    """Return the card of a finished step; None for a stage that makes nothing to hand on."""
    if step.stage.name == "convert":
        return _data_card(step, run, counts)
    return _model_card(step, run, counts) if step.stage.name == "train" else None


def _data_card(step: Step, run: Path, counts: Counts) -> str:
    recipe = step.recipe
    options = step.options.model_dump(mode="json")
    header = {
        "tags": ["reasoning", "chain-of-thought", "distillation"],
        "configs": [{"config_name": "default", "data_files": step.rows_file}],
    }
    said = {
        "Problems": recipe.problems.dataset if recipe.problems else "those of the recorded answers",
        "Teacher": _named(recipe.teacher),
        "Verifier": _named(recipe.verifier),
        "Style": _named(options["style"]),
        "Layout": _named(options["format"]),
    }
    return _page(
        header,
        f"{options['dataset']}",
        f"{counts.rows_out:,} conversations that carry a teacher's rationales, made by cotdistill {__version__}.",
        said,
        _funnel(step, run, counts),
        "The answers are a model's: the terms of the teacher and of the problems' source hold for this set.",
    )


def _model_card(step: Step, run: Path, counts: Counts) -> str:
    recipe = step.recipe
    student = recipe.student.model_dump(mode="json") if recipe.student else {}
    header: dict[str, Any] = {"library_name": "transformers", "tags": ["reasoning", "distillation"]}
    if "model" in student and not Path(student["model"]).exists():
        header["base_model"] = student["model"]
    options = step.options.model_dump(mode="json", exclude_defaults=True)
    weights = options.get("output_dir", "checkpoint/")
    said = {"Student": _named(student), "Teacher": _named(recipe.teacher), "Seed": str(recipe.seed)}
    said |= {f"`{key}`": f"`{value}`" for key, value in sorted(options.items())}
    return _page(
        header,
        f"{recipe.name}: student",
        f"Trained on {counts.rows_out:,} conversations by cotdistill {__version__}; the weights are in `{weights}`.",
        said,
        _funnel(step, run, counts),
        "What was gained is in the run's report.html, beside the untrained student's score.",
    )


def _page(header: dict[str, Any], title: str, lead: str, said: dict[str, str], funnel: str, last: str) -> str:
    facts = "\n".join(f"* {name}: {value}" for name, value in said.items())
    front = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n# {title}\n\n{lead}\n\n{facts}\n\n## Rows\n\n{funnel}\n\n{last}\n"


def _funnel(step: Step, run: Path, counts: Counts) -> str:
    rows = [*_before(step, run), (step.stage.name, counts)]
    table = ["| stage | in | out | why not |", "|---|---:|---:|---|"]
    for name, stage in rows:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in stage.reasons.items())
        table.append(f"| {name} | {stage.rows_in:,} | {stage.rows_out:,} | {reasons} |")
    return "\n".join(table)


def _before(step: Step, run: Path) -> Iterator[tuple[str, Counts]]:
    if step.upstream is not None:
        yield from _before(step.upstream, run)
        manifest = read_manifest(run / step.upstream.folder)
        if manifest is not None:
            yield step.upstream.stage.name, manifest.counts


def _named(chosen: Any) -> str:  # Any: a kind's options, as a model or as JSON
    """Return a kind as words: `endpoint (deepseek-reasoner)`."""
    if chosen is None:
        return "none"
    options = chosen if isinstance(chosen, dict) else chosen.model_dump(mode="json")
    model = options.get("model")
    return f"{options['kind']} ({model})" if model else str(options["kind"])
