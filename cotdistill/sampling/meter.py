"""The live line of a run that pays: tokens per second, what was spent, what it will come to."""

import time
from dataclasses import dataclass, field

from cotdistill.client.costs import Budget, Prices, Spending, dollars
from cotdistill.storage.broken_attempts import read_broken
from cotdistill.storage.ledger import Ledger, LedgerEntry
from cotdistill.storage.ledger_index import LedgerIndex, entry_name


def spent_in(*ledgers: Ledger) -> Spending:
    """Return what ledgers' answers cost, and the attempts that were billed beside them; they are read whole."""
    spending = Spending()
    for ledger in ledgers:
        CountedLedger(ledger, spending).spent()
    return spending


class CountedLedger:
    """A ledger that is read for its answers, and counts meanwhile what they cost: a large one is read once."""

    def __init__(self, ledger: Ledger, spending: Spending | None = None) -> None:
        """`spending` is added to; default: none was spent before."""
        self._ledger = ledger
        self._spending = Spending() if spending is None else spending
        self._counted = LedgerIndex()

    def __contains__(self, completion: tuple[str, int]) -> bool:
        """Whether the completion with this key and index is stored."""
        return completion in self._ledger

    def get(self, key: str, index: int) -> LedgerEntry:
        """Return a stored completion; see `Ledger.get`."""
        entry = self._ledger.get(key, index)
        self._count(entry)
        return entry

    def spent(self) -> Spending:
        """Return what the ledger's answers cost, and the attempts that were billed beside them.

        It is read whole where not every answer was got before. What another ledger of the run has paid for is counted
        there.
        """
        if len(self._counted) < len(self._ledger):
            for entry in self._ledger.read_entries():
                self._count(entry)
        for attempt in read_broken(self._ledger.path):
            self._spending.add_broken(attempt)
        return self._spending

    def _count(self, entry: LedgerEntry) -> None:
        is_new = self._counted.add(entry_name(entry.key, entry.index), 0) is None
        if is_new and not entry.is_borrowed:
            self._spending.add(entry.response, prompt_tokens=entry.prompt_tokens)


@dataclass
class Meter:
    """Counts answers as they arrive. `total` and `stored` are numbers of jobs."""

    total: int
    stored: int
    prices: Prices | None
    budget: Budget | None
    paid: Spending = field(default_factory=Spending)
    """In all starts of the run, as far as the ledger was read."""
    done: int = 0
    _tokens: int = 0
    _since_s: float = field(default_factory=time.monotonic)

    def take(self, entry: LedgerEntry) -> None:
        """Count a new answer."""
        before = self.paid.output_tokens
        self.paid.add(entry.response, prompt_tokens=entry.prompt_tokens)
        self._tokens += self.paid.output_tokens - before

    def over_budget(self) -> str:
        """Return why nothing more may be asked; empty while there is no reason."""
        return self.paid.over(self.budget, self.prices)

    def note(self) -> str:
        """Return the part of the live line that is about tokens and money."""
        seconds = time.monotonic() - self._since_s
        parts = [f"{self._tokens / seconds:,.0f} tokens/s"] if seconds > 0 and self._tokens else []
        if self.prices is not None:
            spent = self.paid.usd(self.prices)
            jobs = self.stored + self.done
            projected = f" of about {dollars(spent / jobs * self.total)}" if jobs else ""
            parts.append(dollars(spent) + projected)
        return ", ".join(parts)
