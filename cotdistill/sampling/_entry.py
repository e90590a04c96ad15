"""A reply as it is stored."""

from cotdistill.client.costs import billed_tokens, prompt_tokens
from cotdistill.samplers import Reply, Request
from cotdistill.storage.ledger import LedgerEntry, utc_now


def ledger_entry(request: Request, key: str, reply: Reply) -> LedgerEntry:
    """Return the record of a reply; `key` is the request's."""
    return LedgerEntry(
        key=key,
        index=request.index,
        problem_id=request.problem.id,
        response=reply.response,
        latency_s=reply.latency_s,
        first_content_s=reply.first_content_s,
        attempts=reply.attempts,
        attempt_errors=reply.attempt_errors,
        applied=reply.applied,
        prompt_tokens=0 if billed_tokens(reply.response)[0] else prompt_tokens(map(dict, request.messages)),
        host=reply.host,
        received=utc_now(),
    )
