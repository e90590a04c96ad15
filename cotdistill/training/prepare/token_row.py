"""One conversation as the student learns it: its token ids, and what each of them is."""

from typing import NamedTuple

from cotdistill.records import IGNORED

GIVEN, RATIONALE, ANSWER = range(3)
"""What a token is: given and not learned, or learned as part of a rationale or of an answer, its end included."""


class TokenRow(NamedTuple):
    """What one conversation is for the student."""

    input_ids: list[int]
    parts: bytes
    """One byte per token: GIVEN, RATIONALE or ANSWER."""
    id: str
    """Id of the conversation, by which a loss may look up more about the trace."""
    weights: list[float] | None = None
    """How much each token counts in the loss; None: all that are learned count alike."""

    @property
    def labels(self) -> list[int]:
        """One label per token: its own id, or IGNORED where it is given."""
        return [token if part else IGNORED for token, part in zip(self.input_ids, self.parts, strict=True)]

    @property
    def supervised_tokens(self) -> int:
        """How many tokens are learned."""
        return len(self.parts) - self.parts.count(GIVEN)
