"""Where the rows of a stage go: kept rows, rejected rows, and the registry entry of a data set."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cotdistill.errors import UserError
from cotdistill.formats import Format
from cotdistill.recipe.plan import Step
from cotdistill.records import Checkpoint, Conversation, Record, Rejected
from cotdistill.storage.jsonl import AtomicFile, write_text
from cotdistill.storage.run_folder import Counts, Output


def store(step: Step, folder: Path, rows: Iterator[Record]) -> tuple[Counts, dict[str, Output]]:
    """Write what a stage yields and return its counts and the files.

    Raises: UserError where it kept nothing; the rejected rows stay in a `.partial` file to be looked at.
    """
    writer = OutputWriter(step, folder)
    with contextlib.ExitStack() as files:
        for file in writer.files:
            files.enter_context(file)
        for row in rows:
            writer.write(row)
        writer.finish()
    if writer.layout is not None:
        entry = {step.options.dataset: writer.layout.entry(step.rows_file)}  # type: ignore[attr-defined]
        write_text(folder / "dataset_info.json", json.dumps(entry, indent=2, ensure_ascii=False) + "\n")
    outputs = {f.path.name: Output(sha256=f.sha256, size_bytes=f.size_bytes, rows=f.rows) for f in writer.files}
    return writer.counts(), outputs


class OutputWriter:
    """Writes the rows of one stage and counts them."""

    def __init__(self, step: Step, folder: Path) -> None:
        self.step = step
        self.kept = AtomicFile(folder / step.rows_file)
        rejects_file = step.stage.rejects_file
        self.rejects = AtomicFile(folder / rejects_file) if rejects_file else None
        self.layout: Format | None = None
        if step.stage.writes is Conversation:
            self.layout = step.options.format.build()  # type: ignore[attr-defined]
        self.out = 0
        self.reasons: Counter[str] = Counter()

    @property
    def files(self) -> list[AtomicFile]:
        """The files that are written."""
        return [file for file in (self.kept, self.rejects) if file is not None]

    def write(self, row: Record) -> None:
        """Write a row where it belongs."""
        if isinstance(row, Rejected) and self.rejects is not None:
            self.reasons[row.reason_class] += 1
            self.rejects.write_row(row)
            return
        self.out += 1
        if isinstance(row, Conversation) and self.layout is not None:
            # One row a line inside a JSON array: LLaMA-Factory loads it, grep and a streaming reader do too.
            self.kept.write("[\n" if not self.kept.rows else ",\n")
            self.kept.write(json.dumps(self.layout.encode(row), ensure_ascii=False))
            self.kept.rows += 1
        else:
            self.kept.write_row(row)
        if isinstance(row, Checkpoint):
            # One row that stands for all the conversations it learned from.
            self.out = row.rows
            self.reasons.update({"overlong": row.dropped} if row.dropped else {})

    def finish(self) -> None:
        """Close the array; refuse a stage that kept nothing."""
        if self.layout is not None:
            self.kept.write("\n]\n" if self.kept.rows else "[]\n")
        if not self.out:
            why = ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common(3)) or "there were none"
            raise UserError(
                f"`{self.step.stage.name}` kept no rows: {why}",
                str(self.rejects.partial if self.rejects else self.kept.path.parent),
                "look at the rejected rows; nothing is trained on zero rows",
            )

    def counts(self) -> Counts:
        """Return the stage's part of the funnel."""
        rejected = self.reasons.total()
        return Counts(
            rows_in=self.out + rejected,
            rows_out=self.out,
            rejected=rejected,
            reasons=dict(self.reasons.most_common()),
        )
