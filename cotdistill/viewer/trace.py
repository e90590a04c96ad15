"""One trace with all that became of it: kept or dropped by every arm's stages, as which text, trained on or not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from cotdistill.client.costs import Prices, Spending
from cotdistill.errors import UserError
from cotdistill.storage.run_folder import MANIFEST
from cotdistill.viewer._tables import FileEntry, problem_name
from cotdistill.viewer.folders import Run
from cotdistill.viewer.index import RunIndex
from cotdistill.viewer.listing import Listing
from cotdistill.viewer.pieces import pieces
from cotdistill.viewer.query import Query
from cotdistill.viewer.rows import Facets, Json, Row, split_id, turns
from cotdistill.viewer.search import Place

TRAIN, EVALUATE = "train", "evaluate"
MOST_SIBLINGS = 200
"""Attempts at one problem that are named beside a trace."""

Found = list[tuple[FileEntry, Row]]


class Traces:
    """Single rows of a run, found by their ids."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.index: RunIndex = listing.index
        self.run: Run = self.index.run

    def view(self, row_id: str, query: Query) -> Json:
        """Return a trace by its id, as a stage and an arm have it. Raises: UserError: there is none."""
        problem, sample = split_id(row_id)
        everywhere = self.rows_of(problem, sample)
        folders = self.run.chosen(query.stage, query.arm)
        here = [(entry, row) for entry, row in everywhere if entry.folder in folders and _is_of(row, query.task)]
        if not here:
            raise UserError(
                f"there is no row `{row_id}`", "/".join(filter(None, (query.stage, query.arm))) or "the run"
            )
        entry, row = max(here, key=_says)
        learned = [(e, r) for e, r in everywhere if e.stage != EVALUATE]
        # A stage before the filter knows no verdict, and one behind it no answer: the page shows both.
        shown = row if entry.stage == EVALUATE else max([(entry, row), *learned], key=_says)[1]
        return {
            **self.row_json(entry, shown),
            "id": row_id,
            "kind": row.facets.kind,
            "why": row.reason,
            "stage": entry.stage,
            "folder": entry.folder,
            "arms": self.run.arms_of(entry.folder),
            "life": [] if entry.stage == EVALUATE else list(self._life(learned)),
            "siblings": self._siblings(problem, entry, row.facets.task),
        }

    def row_json(self, entry: FileEntry, row: Row) -> Json:
        """Return what a page shows of one row: the row as it is, its answer in pieces, what it cost."""
        body = row.body
        completion, verdict = body.get("completion") or {}, body.get("verdict") or {}
        arm = next(iter(self.run.arms_of(entry.folder)), "")
        text, extracted = completion.get("text") or "", verdict.get("extracted")
        return {
            "problem": body.get("problem") or (body if "question" in body else None),
            "completion": {key: value for key, value in completion.items() if key != "text"} or None,
            "answer": [list(piece) for piece in pieces(text, extracted)],
            "verdict": verdict or None,
            "facets": row.facets._asdict(),
            "more": {key: value for key, value in body.items() if key in MORE and value not in (None, "")},
            "cost_usd": cost_usd(self.run, arm, entry.stage, completion),
            "turns": turns(body) if not completion else [],
        }

    def rows_of(self, problem: str, sample: int | None = None) -> Found:
        """Return every row about a problem, or one attempt at it, in the order of the files."""
        sql = "SELECT id, file, offset, length FROM rows WHERE problem = ?"
        values = [problem_name(problem)]
        if sample is not None:
            sql, values = f"{sql} AND sample = ?", [*values, sample]
        with self.index.reading() as connection:
            places = [Place(*row) for row in connection.execute(f"{sql} ORDER BY id", values)]
        found = []
        for place in places:
            try:
                entry, row = self.listing.read(place)
            except (UserError, KeyError):
                continue  # it was replaced meanwhile
            if row.facets.problem == problem:
                found.append((entry, row))
        return found

    def _life(self, rows: Found) -> Iterator[Json]:
        """Yield what became of a trace: one entry for all arms that did the same with it, and for each round."""
        known: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for arm in self.run.arms:
            rounds = arm.chains
            for number, stages in enumerate(rounds, 1):
                chain = tuple((stage, folder) for stage, folder in stages.items() if stage != EVALUATE)
                name = arm.name if len(rounds) == 1 else f"{arm.name}, round {number}"
                if chain:
                    known.setdefault(chain, []).append(name)
        for chain, names in known.items():
            steps = list(self._steps(chain, names[0].partition(", round ")[0], rows))
            if any(step["state"] not in ("absent", "waiting") for step in steps):
                yield {"arms": names, "steps": steps}

    def _steps(self, chain: Sequence[tuple[str, str]], arm: str, rows: Found) -> Iterator[Json]:
        """Yield one step a stage, until the one that drops the trace."""
        is_written = False
        for stage, folder in chain:
            here = [(entry, row) for entry, row in rows if entry.folder == folder]
            step = _said(here)
            if stage == TRAIN and step["state"] == "absent" and is_written and self._learns_own_rows(arm):
                step["state"] = "learned"
            is_done = (self.run.path / folder / MANIFEST).is_file()
            if not is_done and step["state"] in ("absent", "learned"):
                step["state"] = "waiting"
            if step["state"] != "absent" or stage == TRAIN:
                yield {"stage": stage, "folder": folder, **step}
            is_written = is_written or any(entry.role == "conversations" for entry, _ in here)
            if step["state"] in ("dropped", "waiting"):
                return

    def _learns_own_rows(self, arm: str) -> bool:
        recipe = self.run.recipe_of(arm)
        train, convert = recipe.get("train"), recipe.get("convert")
        named = train.get("dataset") if isinstance(train, Mapping) else None
        if not named:
            return True
        own = convert.get("dataset", "distilled") if isinstance(convert, Mapping) else "distilled"
        return any((share.get("name") if isinstance(share, Mapping) else share) == own for share in named)

    def _siblings(self, problem: str, entry: FileEntry, task: str) -> list[Json]:
        """Return the attempts at the same problem that the same stage knows."""
        beside = [one.id for one in self.index.files() if one.folder == entry.folder and one.role != "conversations"]
        words = self.index.words()
        names = {number: word for word, number in words.items()}
        sql = (
            "SELECT sample, verdict, kind FROM rows WHERE problem = ? AND task = ? "
            f"AND file IN ({', '.join(map(str, beside))}) ORDER BY sample LIMIT ?"
        )
        values = (problem_name(problem), words.get(task, -1), MOST_SIBLINGS)
        with self.index.reading() as connection:
            found = connection.execute(sql, values).fetchall()
        return [
            {"id": Facets(problem, sample).id, "verdict": names[verdict], "kind": names[kind]}
            for sample, verdict, kind in found
        ]


def cost_usd(run: Run, arm: str, stage: str, completion: Mapping[str, Any]) -> float | None:  # Any: JSON values
    """Return what a completion cost in US dollars by the recipe's prices; None where they are not known."""
    teacher = run.recipe_of(arm).get("teacher")
    if (stage == EVALUATE and arm != "teacher") or not completion or not isinstance(teacher, Mapping):
        return None
    try:
        prices = Prices.model_validate(teacher.get("prices"))
    except ValidationError:
        return None
    spent = Spending()
    spent.add({"usage": completion.get("usage")})
    return spent.usd(prices)


MORE = ("thought", "equations", "language", "learned_from", "reviewed", "pass_rate")
"""Fields of a row that stand beside problem, completion and verdict."""


def _said(rows: Found) -> Json:
    """Return what a stage's files say of a trace."""
    for entry, row in rows:
        if entry.role == "rejected":
            return {"state": "dropped", "kind": row.facets.kind, "reason": row.reason}
    state = "kept" if any(entry.role in ("rows", "stored", "conversations") for entry, _ in rows) else "absent"
    step: Json = {"state": state}
    for entry, row in rows:
        if entry.role == "conversations":
            step["turns"] = turns(row.body)
        elif entry.role == "shortened":
            step |= {"state": "shortened", "reason": row.reason}
        elif row.facets.verdict:
            step["verdict"] = row.facets.verdict
    return step


def _says(found: tuple[FileEntry, Row]) -> tuple[bool, bool]:
    """Return how much a row says of an answer."""
    body = found[1].body
    return bool(body.get("verdict")), "completion" in body


def _is_of(row: Row, task: str) -> bool:
    return not task or row.facets.task == task
