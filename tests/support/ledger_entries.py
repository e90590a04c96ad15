"""Entries of a ledger for tests, and what a ledger's file holds."""

from pathlib import Path

from cotdistill.storage.ledger import Ledger, LedgerEntry


def entry(number: int = 0, *, index: int = 0, text: str = "72 →") -> LedgerEntry:
    return LedgerEntry(
        key=f"{number:064x}"[::-1],
        index=index,
        problem_id=f"p{number}",
        response={"choices": [{"message": {"content": text}, "finish_reason": "stop"}]},
        received="2026-11-21T12:00:00+00:00",
    )


def stored(path: Path) -> list[LedgerEntry]:
    with Ledger(path) as ledger:
        return list(ledger.read_entries())
