"""The prompt that most styles share: the question, under a system prompt if there is one."""

from cotdistill.records import Message, Problem


def ask(problem: Problem, *, system: str | None) -> tuple[Message, ...]:
    """Return the question as the user's turn, after the system prompt where one is given."""
    question = Message(role="user", content=problem.question)
    return (Message(role="system", content=system), question) if system else (question,)
