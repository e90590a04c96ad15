"""The console of tables, bars and log lines: it shows what it is given, and no more (see `output`)."""

from collections.abc import Iterable
from typing import IO, Any, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from cotdistill.cli.output import Stderr
from cotdistill.errors import visible


class Screen(Console):
    """A console that shows the characters of what it renders, and raises nothing where no one reads."""

    def __init__(self, *, is_stderr: bool = False, **options: Any) -> None:  # Any: rich's own options
        file = cast(IO[str], Stderr()) if is_stderr else None
        super().__init__(file=file, highlight=False, emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments, their own control codes aside, with every text made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))

    def on_broken_pipe(self) -> None:
        """Go on in silence, where rich would end the process."""
        self.quiet = True
