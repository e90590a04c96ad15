"""The sets that the repository registers, each read from a small file of its shape."""

import json
from pathlib import Path

import pytest

from cotdistill.data import open_catalog
from cotdistill.data.hub import hub_names, offline_hint
from cotdistill.data.listing import list_datasets

S1K = {
    "solution": "128",
    "question": "How many orderings?",
    "cot_type": "math",
    "source_type": "AIME",
    "gemini_thinking_trajectory": "other",
    "gemini_attempt": "other",
    "deepseek_thinking_trajectory": "First, count.",
    "deepseek_attempt": "It is **128**.",
}
MEDICAL = {"Question": "What is it?", "Complex_CoT": "Let me see.", "Response": "A cold."}
OPEN_R1 = {
    "problem": "What is 2 + 2?",
    "answer": "4",
    "uuid": "u1",
    "generations": ["<think>\nTwo and two.\n</think>\n\n**4**", "<think>\nnever ends"],
    "messages": [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": "…"}],
}
OPEN_THOUGHTS = {
    "problem": "What is 3 + 3?",
    "deepseek_reasoning": "Three and three.",
    "deepseek_solution": "It is 6.",
    "ground_truth_solution": "6",
    "domain": "math",
}
SKY_T1 = {
    "system": "Think first.",
    "conversations": [
        {"from": "user", "value": "What is 5 + 5?"},
        {
            "from": "assistant",
            "value": "<|begin_of_thought|>\n\nFive twice.\n\n<|end_of_thought|>\n\n"
            "<|begin_of_solution|>\n\n10\n\n<|end_of_solution|>",
        },
    ],
}
MATH_500 = {"problem": "Compute.", "solution": "…", "answer": "\\frac{1}{2}", "level": 1, "unique_id": "test/a/1.json"}
COT = {"source": "Is it?", "target": "yes", "rationale": "It is.", "task": "t", "type": "CoT"}


@pytest.fixture
def find(repository, tmp_path):
    def found(name, text, suffix="jsonl"):
        (tmp_path / "dataset_info.json").write_text((repository / "dataset_info.json").read_text())
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / f"{name}.{suffix}").write_text(text, encoding="utf-8")
        return open_catalog([tmp_path]).find(name)

    return found


TRACES = [
    ("s1K-1.1", S1K, "How many orderings?", "First, count.", "It is **128**.", "128"),
    ("medical-o1-reasoning-SFT_en", MEDICAL, "What is it?", "Let me see.", "A cold.", None),
    ("medical-o1-reasoning-SFT_zh", MEDICAL, "What is it?", "Let me see.", "A cold.", None),
    ("OpenR1-Math-220k", OPEN_R1, "What is 2 + 2?", "Two and two.", "**4**", "4"),
    ("OpenThoughts-114k", OPEN_THOUGHTS, "What is 3 + 3?", "Three and three.", "It is 6.", "6"),
    ("Sky-T1_data_17k_traces", SKY_T1, "What is 5 + 5?", "Five twice.", "10", None),
]


@pytest.mark.parametrize(("name", "row", "question", "reasoning", "text", "gold"), TRACES)
def test_traces_of_other_sets_are_read(find, name, row, question, reasoning, text, gold):
    trace = next(find(name, json.dumps(row)).read_traces())
    assert (trace.problem.question, trace.problem.gold) == (question, gold)
    assert (trace.completion.reasoning, trace.completion.text) == (reasoning, text)
    assert trace.completion.status == "ok"


def test_every_generation_is_a_trace_and_an_unfinished_one_has_no_answer(find):
    traces = list(find("OpenR1-Math-220k", json.dumps(OPEN_R1)).read_traces())
    assert [trace.completion.status for trace in traces] == ["ok", "empty_answer"]
    assert len({trace.completion.key for trace in traces}) == 2


def test_cot_collection_is_one_object_of_rows(find):
    (trace,) = find("CoT-Collection", json.dumps({"0": COT}), "json").read_traces()
    assert (trace.problem.question, trace.problem.gold, trace.completion.reasoning) == ("Is it?", "yes", "It is.")


@pytest.mark.parametrize(
    ("name", "text", "suffix", "gold"),
    [
        ("gsm8k", json.dumps({"question": "q", "answer": "1 + 1\n#### 2"}), "jsonl", "2"),
        ("gsm8k_test", json.dumps({"question": "q", "answer": "1 + 1\n#### 2"}), "jsonl", "2"),
        ("MATH-500", json.dumps(MATH_500), "jsonl", "\\frac{1}{2}"),
        *((f"mgsm_{language}", "珍妮特？\t70,000\n", "tsv", "70,000") for language in ("zh", "bn", "de", "en", "es")),
        *((f"mgsm_{language}", "q\t18\n", "tsv", "18") for language in ("fr", "ja", "ru", "sw", "te", "th")),
    ],
)
def test_problems_of_other_sets_are_read(find, name, text, suffix, gold):
    (problem,) = find(name, text, suffix).read_problems()
    assert problem.gold == gold


def test_sky_t1_can_be_trained_on_as_it_is(find):
    (conversation,) = find("Sky-T1_data_17k", json.dumps([SKY_T1]), "json").read_conversations()
    assert [message.role for message in conversation.messages] == ["system", "user", "assistant"]


def test_no_robots_is_a_set_of_conversations(find):
    row = {
        "prompt": "Name a colour.",
        "prompt_id": "1",
        "messages": [{"content": "Name a colour.", "role": "user"}, {"content": "Blue.", "role": "assistant"}],
        "category": "Brainstorm",
    }
    (conversation,) = find("no_robots", json.dumps(row)).read_conversations()
    assert [message.content for message in conversation.messages] == ["Name a colour.", "Blue."]


def test_every_entry_names_a_hub_a_licence_and_what_to_do_offline(repository):
    catalog = open_catalog([repository])
    ready = [row for row in list_datasets(catalog) if row.registry and row.name != "DS_r1_answer"]
    assert all(row.license and not row.fault for row in ready), ready
    sets = [row for row in ready if row.formatting != "task"]
    assert len(sets) == 65
    for row in sets:
        entry = catalog.find(row.name).entry
        assert hub_names(entry, "huggingface"), row
        hint = offline_hint(row.name, entry, "auto", root=Path("sets"))
        assert f"data/{row.name}." in hint and "https://" in hint and "\n" not in hint


def test_only_the_hub_that_was_asked_for_counts(repository):
    entry = open_catalog([repository]).find("gsm8k").entry
    assert [hub for hub, _ in hub_names(entry, "auto")] == ["huggingface", "modelscope"]
    assert hub_names(entry, "modelscope") == [("modelscope", "modelscope/gsm8k")]


def test_a_mirror_is_where_the_environment_says(repository, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    entry = open_catalog([repository]).find("gsm8k").entry
    assert "https://mirror.example/datasets/openai/gsm8k" in offline_hint("gsm8k", entry, "auto", root=Path())
