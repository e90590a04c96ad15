"""What a student learned from, compared with what it is asked.

A row is like a question where one of its messages is the question in another case, with other marks or spaces, or
shares 13 words in a row with it (Brown et al. 2020, appendix C). No filter saw the sets that `train.dataset` names.
"""

from collections.abc import Iterable, Mapping

from cotdistill.data.task import Task, questions_of
from cotdistill.filters.contamination import BenchmarkIndex, Place
from cotdistill.records import Conversation


def learned_questions(tasks: Mapping[str, Task], rows: Iterable[Conversation] | None) -> dict[Place, str]:
    """Return, for each problem whose question a row shares, the id of the first such row.

    Rows are read once and not kept; memory is that of the questions. None: nothing was learned.
    """
    found: dict[Place, str] = {}
    if rows is None:
        return found
    index = BenchmarkIndex(questions_of(tasks))
    for row in rows:
        for message in row.messages:
            for place in index.problems_in(message.content):
                found.setdefault(place, row.id)
    return found
