"""The columns of public data sets, as files of three invented rows, and what every one of them must come to.

The three exchanges are the same in every layout; a layout holds as much of them as its columns have room for:

    for layout in LAYOUTS:
        path = layout.write(tmp_path)           # a file; beside it a registry, where the layout needs an entry
        assert read(path) == layout.expected    # user, reasoning, answer and gold of its rows
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.public_rows import (
    EXCHANGES,
    SYSTEM,
    Exchange,
    Row,
    am_row,
    chinese_r1_row,
    dapo_row,
    deep_math_row,
    distill_sft_row,
    dolphin_row,
    kodcode_row,
    magpie_row,
    medical_row,
    natural_row,
    nemotron_row,
    open_code_row,
    open_math_row,
    open_r1_row,
    openai,
    s1k_row,
    sharegpt,
    sky,
    think,
    thoughts_metadata_row,
)


@dataclass(frozen=True)
class Layout:
    """The columns of one public set."""

    name: str
    holds: str
    """problems, traces or conversations."""
    row: Callable[[Exchange], Row]
    """What the set makes of an exchange."""
    entry: Row = field(default_factory=dict)
    """What a registry has to say of it; nothing where the columns say it themselves."""
    lacks: tuple[str, ...] = ()
    """Fields of an exchange that no column has, or that one has only beside others."""
    unused: tuple[str, ...] = ()
    """Columns that hold nothing a student could learn from, and that `data check` has to name."""
    answers: int = 1
    """Answers in a row."""
    answer_is_gold: bool = False
    """Whether one column is what was said and what is right."""
    is_object: bool = False
    """Whether the file is one object of rows."""

    @property
    def rows(self) -> list[Row]:
        """Return the three rows."""
        return [self.row(exchange) for exchange in EXCHANGES]

    @property
    def expected(self) -> list[Exchange]:
        """Return what the rows must be read as, in order."""
        empty: Row = {name: None if name == "gold" else "" for name in self.lacks}
        read = [exchange._replace(**empty) for exchange in EXCHANGES for _ in range(self.answers)]
        return [exchange._replace(answer=str(exchange.gold)) for exchange in read] if self.answer_is_gold else read

    def write(self, folder: Path, rows: list[Row] | None = None) -> Path:
        """Write the rows (these, or others of this layout), and a registry where one is needed; return the file."""
        rows = self.rows if rows is None else rows
        path = folder / (f"{self.name}.json" if self.is_object else f"{self.name}.jsonl")
        if self.is_object:
            text = json.dumps({str(number): row for number, row in enumerate(rows)}, ensure_ascii=False)
        else:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
        if self.entry:
            registry = {f"{self.name}_entry": {"file_name": path.name, **self.entry}}
            (folder / "dataset_info.json").write_text(json.dumps(registry))
        return path

    @property
    def asked_as(self) -> str:
        """Return the name under which the file is read: its entry's, or the file's own."""
        return f"{self.name}_entry" if self.entry else f"{self.name}.{'json' if self.is_object else 'jsonl'}"


_NO_GOLD = ("gold",)
_TEXT_ALONE = ("reasoning", "gold")
_PROBLEM = ("reasoning", "answer")

LAYOUTS = (
    Layout("s1K-1.1", "traces", s1k_row, unused=("gemini_attempt", "cot_type", "metadata", "deepseek_grade")),
    Layout("OpenR1-Math-220k", "traces", open_r1_row, unused=("solution", "problem_type", "source")),
    Layout(
        *("OpenThoughts-114k", "conversations"),
        lambda e: {"system": SYSTEM, "conversations": sharegpt(e.user, sky(e))},
        lacks=_NO_GOLD,
    ),
    Layout("OpenThoughts-114k-metadata", "traces", thoughts_metadata_row, unused=("domain", "test_cases")),
    Layout(
        *("OpenThoughts2-1M", "conversations"),
        lambda e: {
            "conversations": sharegpt(e.user, think(e)),
            "question": e.user,
            "source": "school",
            "id": e.user[:5],
        },
        lacks=_NO_GOLD,
        unused=("question", "source"),
    ),
    Layout(
        *("OpenThoughts3-1.2M", "conversations"),
        lambda e: {
            **{"difficulty": 7, "source": "school", "domain": "math"},
            "conversations": sharegpt(e.user, think(e), roles=("human", "gpt")),
        },
        lacks=_NO_GOLD,
        unused=("difficulty", "source", "domain"),
    ),
    Layout("AM-DeepSeek-R1-Distilled", "conversations", am_row, lacks=_NO_GOLD),
    Layout("medical-o1-reasoning-SFT", "traces", medical_row, lacks=_NO_GOLD),
    Layout(
        *("CoT-Collection", "traces"),
        lambda e: {"source": e.user, "target": e.gold, "rationale": e.reasoning, "task": "sums", "type": "CoT"},
        unused=("task", "type"),
        answer_is_gold=True,
        is_object=True,
    ),
    Layout(
        *("Sky-T1_data_17k", "conversations"),
        lambda e: {"system": SYSTEM, "conversations": sharegpt(e.user, sky(e))},
        lacks=_NO_GOLD,
    ),
    Layout(
        *("Mixture-of-Thoughts", "conversations"),
        lambda e: {"messages": openai(e.user, think(e)), "num_tokens": 40, "source": "school"},
        lacks=_NO_GOLD,
        unused=("num_tokens", "source"),
    ),
    Layout(
        "Llama-Nemotron", "conversations", nemotron_row, lacks=_NO_GOLD, unused=("category", "reasoning", "version")
    ),
    Layout("OpenMathReasoning", "traces", open_math_row, unused=("problem_type", "pass_rate_72b_tir")),
    Layout("OpenCodeReasoning", "conversations", open_code_row, lacks=_NO_GOLD, unused=("solution", "difficulty")),
    Layout("dolphin-r1", "traces", dolphin_row, lacks=_NO_GOLD, unused=("model",)),
    Layout("DAPO-Math-17k", "problems", dapo_row, lacks=_PROBLEM, unused=("data_source", "ability")),
    Layout(
        *("Bespoke-Stratos-17k", "conversations"),
        lambda e: {"system": SYSTEM, "conversations": sharegpt(e.user, sky(e))},
        lacks=_NO_GOLD,
    ),
    Layout(
        *("LIMO", "traces"),
        lambda e: {"question": e.user, "solution": e.answer, "answer": e.gold},
        entry={"formatting": "traces", "columns": {"question": "question", "answer": "solution", "gold": "answer"}},
        lacks=("reasoning",),
    ),
    Layout(
        *("NuminaMath-CoT", "conversations"),
        lambda e: {
            **{"source": "school", "problem": e.user, "solution": e.answer},
            "messages": openai(e.user, e.answer),
        },
        lacks=_TEXT_ALONE,
        unused=("source", "problem", "solution"),
    ),
    Layout(
        *("NuminaMath-TIR", "conversations"),
        lambda e: {"problem": e.user, "solution": e.answer, "messages": openai(e.user, e.answer)},
        lacks=_TEXT_ALONE,
        unused=("problem", "solution"),
    ),
    Layout(
        *("MetaMathQA", "conversations"),
        lambda e: {"type": "GSM_Rephrased", "query": e.user, "original_question": "Other words.", "response": e.answer},
        lacks=_TEXT_ALONE,
        unused=("type", "original_question"),
    ),
    Layout("gsm8k", "problems", lambda e: {"question": e.user, "answer": f"Worked.\n#### {e.gold}"}, lacks=_PROBLEM),
    Layout(
        *("R1-Distill-SFT", "traces", distill_sft_row),
        {"formatting": "traces", "columns": {"question": "problem", "answer": "reannotated_assistant_content"}},
        lacks=_NO_GOLD,
        unused=("solution", "verified"),
    ),
    Layout(
        "Magpie-Reasoning", "conversations", magpie_row, lacks=_NO_GOLD, unused=("instruction", "response", "intent")
    ),
    Layout(
        *("II-Thought-RL", "problems"),
        lambda e: {"id": f"t-{e.user[:5]}", "problem": e.user, "answer": e.gold, "type": "math", "source": "school"},
        lacks=_PROBLEM,
        unused=("type", "source"),
    ),
    Layout(
        *("SYNTHETIC-1-SFT", "conversations"),
        lambda e: {
            **{"response_id": "r1", "problem_id": "p1", "task_type": "verifiable_math", "score": 1.0},
            "messages": openai(e.user, think(e)),
        },
        lacks=_NO_GOLD,
        unused=("task_type", "score"),
    ),
    Layout(
        *("DeepMath-103K", "traces", deep_math_row),
        {
            "formatting": "traces",
            "columns": {"generations": ["r1_solution_1", "r1_solution_2", "r1_solution_3"], "gold": "final_answer"},
        },
        unused=("difficulty", "topic"),
        answers=3,
    ),
    Layout(
        *("Big-Math", "problems"),
        lambda e: {
            **{"problem": e.user, "answer": e.gold, "source": "school"},
            **{"domain": ["Algebra"], "llama8b_solve_rate": 0.5},
        },
        lacks=_PROBLEM,
        unused=("domain", "llama8b_solve_rate"),
    ),
    Layout("ScaleQuest-Math", "conversations", lambda e: {"query": e.user, "response": e.answer}, lacks=_TEXT_ALONE),
    Layout("Chinese-DeepSeek-R1-110k", "traces", chinese_r1_row, lacks=_NO_GOLD, unused=("repo_name", "score")),
    Layout(
        *("Chinese-DeepSeek-R1-110k-SFT", "conversations"),
        lambda e: {"instruction": e.user, "input": "", "output": think(e), "repo_name": "school", "score": 10},
        lacks=_NO_GOLD,
        unused=("repo_name", "score"),
    ),
    Layout("KodCode-V1-SFT-R1", "conversations", kodcode_row, lacks=_NO_GOLD, unused=("solution", "test_code")),
    Layout("natural_reasoning", "problems", natural_row, lacks=_PROBLEM, unused=("responses",)),
)
