"""The verifier that may ask a model: rules decide what they can, the recipe's `judge:` is asked about the rest.

judge:    {kind: endpoint, base_url: https://api.deepseek.com/v1, model: deepseek-chat, api_key_env: API_KEY}
verifier: {kind: judge, rules: {kind: numeric}}

Called as a function it decides by its rules alone; the stages that grade ask the model (`cotdistill.scoring.grading`).
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cotdistill.client.concurrency import Concurrency
from cotdistill.client.costs import Budget
from cotdistill.errors import UserError
from cotdistill.records import Completion, Problem, Sampling, Verdict, VerdictOutcome
from cotdistill.registry import NOT_IN_KEY, KindOptions, OneOf, kind
from cotdistill.verifiers import Verifier
from cotdistill.verifiers._judge_prompt import Question, ask, load_template
from cotdistill.verifiers._judge_reply import Form, Judgement, Reading, read_reply
from cotdistill.verifiers._stated import stated_answer
from cotdistill.verifiers._text import cleaned

__all__ = ["Judge", "Question"]

_OUTCOMES: dict[Judgement, VerdictOutcome] = {"correct": "correct", "wrong": "wrong", "unsure": "unparsed"}

Rules = Annotated[KindOptions, OneOf("verifiers", without=("judge",))]


@kind
@dataclass(frozen=True, kw_only=True)
class Judge:
    """Ask the recipe's judge, a model, about answers that rules cannot decide.

    Options:
        rules: verifier that decides first; null: none, where no rule fits the gold answers. What it finds correct
            stays correct, and an answer that says gold word for word is correct without being asked
        overturn: ask also about answers that the rules find wrong, and take the judge's word; false, since rules that
            found an answer err less often than judges
        prompt: template file with {answer}, {nonce}, and {gold} or {solution}, the worked answer that gold was taken
            from (gold where there is none); {question} where the judge is to see it; default: the words of
            configs/prompts/judge.txt
        fence: whether the template fences the answer with {nonce}. False takes a template without it as it is: an
            answer that speaks to the judge is then not told from the template's own words, and the log says so
        reply: form of the reply that the template asks for: `json`, one object with nonce and verdict; `yes_no`,
            free text whose last line is `{nonce}: yes`; `pattern`, free text that holds what `pattern` finds
        pattern: regular expression with one group that finds a word for yes, no or unsure, in English or Chinese, in a
            reply, such as `含义是否一致[:：]\\s*(是|否)`; matches that disagree are no verdict
        max_answer_chars: most characters of an answer that the judge sees, from its end; 600 hold a final statement
            and leave out the way to it
        max_tokens: longest reply in tokens, thinking included; one that is cut off is no verdict
        temperature: of the judge; 0, for a verdict is no sample. Null leaves it to the server
        concurrency: requests in flight at a time; `auto`: as many as each endpoint bears
        budget: `{usd, output_tokens}` that judgements may cost in this run, earlier starts included
        max_failed: share of questions without an answer at which the stage stops instead of counting them as errors
    """

    rules: Annotated[Rules | None, Field(validate_default=True)] = "numeric"  # type: ignore[assignment]  # validated
    overturn: bool = False
    prompt: Path | None = None
    fence: bool = True
    reply: Form = "json"
    pattern: str | None = None
    max_answer_chars: Annotated[int, Field(ge=20, le=20_000)] = 600
    max_tokens: Annotated[int | None, Field(ge=1)] = 4096
    temperature: Annotated[float | None, Field(ge=0, le=2)] = 0.0
    concurrency: Annotated[Concurrency, NOT_IN_KEY] = 30
    budget: Annotated[Budget | None, NOT_IN_KEY] = None
    max_failed: Annotated[float, Field(ge=0, le=1), NOT_IN_KEY] = 0.1

    def __call__(self, gold: str, answer: str, /) -> Verdict:
        """Return the verdict of the rules; `unparsed` where they cannot decide."""
        verdict = self._rule(gold, answer) if self._rule else Verdict(outcome="unparsed", reason="no rule")
        if verdict.outcome not in ("unparsed", "error") or not gold.strip():
            return verdict
        said = self._said(answer, verdict)
        if not said:
            return Verdict(outcome="unparsed", reason="no final answer: nothing to judge")
        expected = cleaned(gold, casefold=True)
        if expected and expected in (cleaned(said, casefold=True), cleaned(answer, casefold=True)):
            return Verdict(outcome="correct", extracted=said, reason="gold, word for word")
        return verdict

    def check(self) -> None:
        """Return if the template can be used, and its replies can be read. Raises: UserError."""
        try:
            groups = re.compile(self.pattern or "()").groups
        except re.error as error:
            raise UserError(f"`pattern` is no regular expression: {error}") from None
        if groups != 1:
            hint = "put round brackets around the word for yes or no alone"
            raise UserError(f"`pattern` has {groups} groups", hint=hint)
        if (self.reply == "pattern") != (self.pattern is not None):
            raise UserError("`reply: pattern` and `pattern: …` go together", hint="add the one that is missing")
        if not self.fence and self.prompt is None:
            raise UserError("`fence: false` without `prompt`", hint="the built-in template has a fence; name your own")
        if not self.fence and self.reply != "pattern":
            hint = "add `reply: pattern` and `pattern: …`: the other forms repeat the code of the fence"
            raise UserError(f"`reply: {self.reply}` needs a fence", hint=hint)
        _ = self._template

    @property
    def sampling(self) -> Sampling:
        """What changes the distribution of the judge's replies."""
        return Sampling(max_tokens=self.max_tokens, temperature=self.temperature)

    def question(self, problem: Problem, completion: Completion, verdict: Verdict, *, seed: int) -> Question | None:
        """Return what the judge is asked after the rules' verdict; None where that stands."""
        asked = ("unparsed", "error", "wrong") if self.overturn else ("unparsed", "error")
        if verdict.outcome not in asked or completion.status not in ("ok", "empty_reasoning"):
            return None
        said = self._said(completion.text, verdict) if (problem.gold or "").strip() else ""
        return ask(self._template, problem, answer=said, seed=seed) if said else None

    def settle(self, verdict: Verdict, question: Question, reply: Completion) -> Verdict:
        """Return the verdict after the judge's reply; one that is no judgement makes it neither right nor wrong."""
        if reply.status in ("truncated", "content_filter", "refusal"):
            reading = Reading(None, f"the judge's reply is no answer: {reply.status}")
        else:
            reading = read_reply(reply.text, nonce=question.nonce, form=self.reply, pattern=self.pattern)
        reason = f"judge: {reading.judgement}" if reading.judgement else reading.reason
        outcome = _OUTCOMES[reading.judgement] if reading.judgement else "unparsed"
        reason += f"; rules: {verdict.outcome}, {verdict.reason}"
        return Verdict(outcome=outcome, extracted=question.answer, reason=reason)

    def _said(self, answer: str, verdict: Verdict) -> str:
        return stated_answer(answer, extracted=verdict.extracted, limit=self.max_answer_chars)

    @functools.cached_property
    def _rule(self) -> Verifier | None:
        return self.rules.build() if self.rules is not None else None

    @functools.cached_property
    def _template(self) -> str:
        return load_template(self.prompt, is_fenced=self.fence)
