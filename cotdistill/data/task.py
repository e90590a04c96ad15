"""A task: what an evaluation asks, how each question is put, and who grades the answers.

for problem in task.problems: messages = style.prompt(task.asked(problem), task.shots_for(problem))
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cotdistill import prompts
from cotdistill.data.task_entry import ANY, CHOICES, TaskOptions
from cotdistill.records import Problem, Trace
from cotdistill.storage.keys import draw

LETTERS = "ABCDEFGHIJ"

PLAIN = TaskOptions()
"""Of a task that is asked and graded as the recipe asks and grades its own problems."""


@dataclass(frozen=True)
class Task:
    """A task with its problems."""

    name: str
    problems: tuple[Problem, ...]
    options: TaskOptions = PLAIN
    shots: Mapping[str, tuple[Trace, ...]] = field(default_factory=dict)
    """Worked examples, by group."""
    harness: str = ""
    """Its name in lm-evaluation-harness, where it has no problems here."""

    @property
    def marks(self) -> dict[str, bool]:
        """What its results are read by, as `report.json` holds it: `general`, `languages`, `clusters`."""
        return {name: getattr(self.options, name) for name in ("general", "languages", "clusters")}

    @property
    def is_general(self) -> bool:
        """Whether it asks for what no training here teaches."""
        return self.options.general

    @property
    def has_languages(self) -> bool:
        """Whether its groups are languages."""
        return self.options.languages

    def asked(self, problem: Problem) -> Problem:
        """Return the problem with the whole of what is asked as its question."""
        template = self.options.prompt.get(problem.group) or self.options.prompt.get(ANY)
        if template is None:
            return with_options(problem)
        text = prompts.render(template, question=problem.question, choices=listed(problem.choices))
        if problem.choices and CHOICES not in template:
            text = prompts.render(template, question=with_options(problem).question)
        return problem.model_copy(update={"question": text})

    def shots_for(self, problem: Problem) -> tuple[Trace, ...]:
        """Return the worked examples that stand before a question, put as it is put."""
        found = self.shots.get(problem.group) or self.shots.get(ANY, ())
        return tuple(shot.model_copy(update={"problem": self.asked(shot.problem)}) for shot in found)

    def cluster(self, problem: Problem) -> str:
        """Return what problems share that are no independent evidence: the number of a translated question."""
        return cluster_of(problem.id, problem.group) if self.options.clusters else problem.id

    def first(self, limit: int | None, *, seed: int) -> "Task":
        """Return the task with `limit` problems of each group, drawn by hash so that a larger limit keeps them.

        Translations of one question are drawn together. None: all.
        """
        if limit is None:
            return self
        drawn = sorted(self.problems, key=lambda problem: draw(seed, self.cluster(problem)))
        taken: dict[str, set[str]] = {}
        for problem in drawn:
            of_group = taken.setdefault(problem.group, set())
            if len(of_group) < limit:
                of_group.add(problem.id)
        return replace(self, problems=tuple(p for p in self.problems if p.id in taken[p.group]))


def cluster_of(problem_id: str, group: str) -> str:
    """Return the question that a problem asks: ids `<group>/<question>` share it across groups, as MGSM's do."""
    return problem_id.removeprefix(f"{group}/") if group else problem_id


def listed(choices: Iterable[str]) -> str:
    """Return options as a list for people, a letter before each: `A) Paris`."""
    return "\n".join(f"{letter}) {text}" for letter, text in zip(LETTERS, choices, strict=False))


def with_options(problem: Problem) -> Problem:
    """Return the problem with its options below the question; as it is where it has none, or they stand there."""
    options = listed(problem.choices)
    if problem.question.endswith(options):
        return problem
    return problem.model_copy(update={"question": f"{problem.question}\n\n{options}"})


def questions_of(tasks: Mapping[str, Task]) -> dict[str, tuple[Problem, ...]]:
    """Return the problems of each task, by its name."""
    return {name: task.problems for name, task in tasks.items()}
