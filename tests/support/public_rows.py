"""Three invented exchanges, and what a row of each public set makes of one: its true columns, with short texts."""

from typing import Any, NamedTuple


class Exchange(NamedTuple):
    """A question and its answer, apart."""

    user: str
    reasoning: str
    answer: str
    gold: str | None


EXCHANGES = (
    Exchange("Ann has 3 pears and buys 4 more. How many?", "Three and four make seven.", "She has **7** pears.", "7"),
    Exchange("What is 6 times 9?", "Six nines are fifty-four.", "It is **54**.", "54"),
    Exchange("盒子里有12支笔,拿走5支,还剩几支?", "十二减五等于七。", "还剩 **7** 支。", "7"),
)
SYSTEM = "Think before you answer."

Row = dict[str, Any]


def think(e: Exchange) -> str:
    """Return an answer in R1's tags."""
    return f"<think>\n{e.reasoning}\n</think>\n\n{e.answer}"


def sky(e: Exchange) -> str:
    """Return an answer in Sky-T1's tags."""
    return (
        f"<|begin_of_thought|>\n\n{e.reasoning}\n\n<|end_of_thought|>\n\n"
        f"<|begin_of_solution|>\n\n{e.answer}\n\n<|end_of_solution|>"
    )


def openai(user: str, assistant: str) -> list[Row]:
    """Return two turns of role and content."""
    return [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]


def sharegpt(user: str, assistant: str, *, roles: tuple[str, str] = ("user", "assistant")) -> list[Row]:
    """Return two turns of from and value."""
    return [{"from": roles[0], "value": user}, {"from": roles[1], "value": assistant}]


def am_row(e: Exchange) -> Row:
    info = {"source": "school", "reference_answer": e.gold, "test_case": None}
    turns = openai(e.user, f"<think>{e.reasoning}</think> <answer>{e.answer}</answer>")
    turns[0]["info"] = info | {"think_content": None, "answer_content": None}
    turns[1]["info"] = info | {"think_content": e.reasoning, "answer_content": e.answer}
    return {"messages": turns}


def s1k_row(e: Exchange) -> Row:
    grades = {f"{model}_{key}": "Yes" for model in ("gemini", "deepseek") for key in ("grade", "grade_reason")}
    other = {"gemini_thinking_trajectory": "Another thought.", "gemini_attempt": "Another answer."}
    kind = {"cot_type": "math", "source_type": "school", "metadata": "{}", "cot": None}
    said = {"deepseek_thinking_trajectory": e.reasoning, "deepseek_attempt": e.answer}
    return {"solution": e.gold, "question": e.user, **kind, **other, **said, **grades}


def open_r1_row(e: Exchange) -> Row:
    checks = {"is_reasoning_complete": [True], "correctness_math_verify": [True], "correctness_llama": None}
    return {
        **{"problem": e.user, "solution": "Worked.", "answer": e.gold, "problem_type": "Algebra"},
        **{"question_type": "math-word-problem", "source": "school", "uuid": f"u-{e.user[:5]}", **checks},
        **{"generations": [think(e)], "finish_reasons": None, "correctness_count": 1},
        "messages": openai(e.user, think(e)),
    }


def nemotron_row(e: Exchange) -> Row:
    about = {"category": "math", "license": "cc-by-4.0", "reasoning": "on", "generator": "DeepSeek-R1"}
    more = {"used_in_training": "yes", "version": "v1", "system_prompt": "detailed thinking on"}
    return {"input": [{"role": "user", "content": e.user}], "output": think(e), **about, **more}


def open_math_row(e: Exchange) -> Row:
    about = {"problem_type": "has_answer_extracted", "problem_source": "forum", "generation_model": "DeepSeek-R1"}
    more = {"pass_rate_72b_tir": "0.9", "inference_mode": "cot", "used_in_kaggle": True}
    return {"expected_answer": e.gold, **about, **more, "problem": e.user, "generated_solution": think(e)}


def open_code_row(e: Exchange) -> Row:
    about = {"source": "contest", "license": "mit", "dataset": "apps", "split": "train", "difficulty": "EASY"}
    return {"id": f"c-{e.user[:5]}", "input": e.user, "output": think(e), **about, "solution": "print(7)"}


def dapo_row(e: Exchange) -> Row:
    return {
        "data_source": "math_dapo",
        "prompt": [{"content": e.user, "role": "user"}],
        "ability": "MATH",
        "reward_model": {"ground_truth": e.gold, "style": "rule-lighteval/MATH_v2"},
        "extra_info": {"index": f"i-{e.user[:5]}"},
    }


def distill_sft_row(e: Exchange) -> Row:
    about = {"id": f"r-{e.user[:5]}", "source": "school", "verified": True, "quality_metrics": None}
    said = {"reannotated_assistant_content": think(e), "solution": "Worked."}
    return {**about, "problem": e.user, **said, "reannotated_messages": openai(e.user, think(e))}


def magpie_row(e: Exchange) -> Row:
    about = {"intent": "to count", "knowledge": "sums", "difficulty": "easy", "language": "EN"}
    turns = sharegpt(e.user, think(e), roles=("human", "gpt"))
    drawn = {"gen_input_configs": {"temperature": 1.0, "seed": None}, "gen_response_configs": {"engine": "vllm"}}
    return {
        "conversation_id": "m1",
        "instruction": e.user,
        "response": think(e),
        "conversations": turns,
        **drawn,
    } | about


def deep_math_row(e: Exchange) -> Row:
    # R1's template opens the thinking, so the text begins inside of it.
    said = f"{e.reasoning}\n</think>\n\n{e.answer}"
    about = {"difficulty": 5.0, "topic": "Mathematics -> Algebra"}
    return {"question": e.user, "final_answer": e.gold, **about} | {f"r1_solution_{n}": said for n in (1, 2, 3)}


def chinese_r1_row(e: Exchange) -> Row:
    counts = {"prompt_tokens_len": 9, "reasoning_content_len": 9, "content_len": 9, "score": 10}
    said = {"input": e.user, "reasoning_content": e.reasoning, "content": e.answer}
    return {**said, "repo_name": "school", **counts}


def kodcode_row(e: Exchange) -> Row:
    tests = {"test_code": "assert f() == 7", "test_info": [{"function_name": "f", "docstring": ""}]}
    about = {"style": "instruct", "subset": "Prefill", "question_id": "k1", "r1_correctness": "True"}
    turns = sharegpt(e.user, think(e), roles=("human", "gpt"))
    said = {"question": e.user, "solution": "def f(): return 7", "r1_solution": "def f(): return 7"}
    return {**about, **said, **tests, "metadata": {"row_id": 1}, "conversations": turns}


def natural_row(e: Exchange) -> Row:
    responses = [{"response_model": "Llama", "response": "Another answer."}]
    return {"question": e.user, "reference_answer": e.gold, "responses": responses}


def medical_row(e: Exchange) -> Row:
    return {"Question": e.user, "Complex_CoT": e.reasoning, "Response": e.answer}


def thoughts_metadata_row(e: Exchange) -> Row:
    about = {"domain": "math", "source": "school", "test_cases": None, "starter_code": None}
    said = {"deepseek_reasoning": e.reasoning, "deepseek_solution": e.answer}
    return {"problem": e.user, **said, "ground_truth_solution": e.gold, **about}


def dolphin_row(e: Exchange) -> Row:
    asked = [{"role": "user", "content": e.user}]
    return {"messages": asked, "reasoning": e.reasoning, "answer": e.answer, "model": "deepseek-reasoner"}
