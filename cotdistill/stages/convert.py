"""convert: write the conversations that the student learns from, as a registered data set."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from cotdistill.records import Conversation, Rejected, Trace
from cotdistill.registry import KindOptions, OneOf, Options
from cotdistill.stage import Rows, Workspace, stage
from cotdistill.styles import Style, conversation


class ConvertOptions(Options):
    """How a rationale is written, and into what file."""

    style: Annotated[KindOptions, OneOf("styles")] = Field(
        default="thought_solution",  # validated like a value from the file
        validate_default=True,
    )
    """How rationale and answer are written for the student; evaluation asks in the same style."""
    format: Annotated[KindOptions, OneOf("formats")] = Field(
        default="sharegpt",
        validate_default=True,
    )
    """Layout of the file: `sharegpt`, `openai` or `alpaca`."""
    dataset: str = Field("distilled", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name under which dataset_info.json registers the file."""


@stage(3, rows="{format}.json")
def convert(traces: Iterable[Trace], options: ConvertOptions, work: Workspace, *, style: Style) -> Rows[Conversation]:
    """Write the kept traces as conversations."""
    for trace in traces:
        written = conversation(style, trace)
        if written.messages[-1].content.strip():
            yield written
        else:
            yield Rejected(reason=f"empty: style {options.style.kind} has nothing to write", row=trace)
