"""What each reason means, in a sentence for people who did not write the recipe."""

from collections.abc import Mapping
from typing import Final

from cotdistill.records import RejectionKind

MEANINGS: Final[Mapping[RejectionKind, str]] = {
    "failed": "The server refused the request for good, so there is no answer.",
    "exhausted": "Every attempt failed, so there is no answer; the same command asks again.",
    "unasked": "The run stopped before the question was asked; the same command asks it.",
    "truncated": "The answer was cut off by the token limit (max_tokens).",
    "empty_reasoning": "The teacher answered without any thinking.",
    "empty_answer": "The teacher thought, and gave no answer after it.",
    "refusal": "The server reports that the model refused to answer.",
    "content_filter": "The provider's content filter stopped the answer.",
    "reviewed": "People rejected it in the review sheet.",
    "wrong": "The final answer is not the gold answer.",
    "unparsed": "No final answer could be read from the text.",
    "error": "The verifier itself failed on this answer.",
    "hint_leak": "The rationale speaks of the answer that the teacher was shown; the student is shown none.",
    "refused": "The answer begins by declining to answer.",
    "format": "A stray thinking tag stands inside the rationale or the answer.",
    "short_reasoning": "The rationale is shorter than min_reasoning_chars.",
    "long_reasoning": "The rationale is longer than max_reasoning_chars.",
    "short_answer": "The answer after the thinking is shorter than min_answer_chars.",
    "long_answer": "The answer after the thinking is longer than max_answer_chars.",
    "long_completion": "Rationale and answer together have more tokens than max_completion_tokens.",
    "language": "Too little of the text is in the language that the recipe asks for.",
    "repetition": "The text repeats itself or ends in a loop.",
    "wrong_equations": "The text states an equation that does not hold, whatever its final answer is.",
    "contaminated": "It shares its question, or a long run of words, with a question of the evaluation.",
    "minority": "Most answers to the problem say something else, or none of them leads.",
    "pass_rate": "The teacher solves the problem too often or too rarely for the recipe's pass_rate.",
    "duplicate": "Another trace of the same problem says the same.",
    "near_duplicate": "Another trace, or another problem's question, says nearly the same.",
    "surplus": "The problem has more traces than max_kept_per_problem.",
    "empty": "The style has nothing to write from this trace.",
    "overlong": "The conversation has more tokens than cutoff_len.",
    "shortened": "The rationale was cut in its middle to fit cutoff_len; the row is still learned from.",
}
"""Of every kind of reason; those of other packages have none."""
