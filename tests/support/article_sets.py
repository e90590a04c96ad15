"""Small copies of the sets that the recipes of examples/qwen2.5 name, as files that stand for their hubs."""

import json

LANGUAGES = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def question(n):
    people = ", ".join(f"{name}{n} has {n + place} coins" for place, name in enumerate(("Ann", "Bo", "Cy", "Di", "Ed")))
    return f"{people}. How many coins do all {n} of them have together?"


def write_sets(data):
    """Write them into a new folder; s1K holds some questions of the exam."""
    data.mkdir()
    trained = [{"question": f"What is {n} + 7?", "answer": f"{n} + 7 = {n + 7}\n#### {n + 7}"} for n in range(16)]
    (data / "gsm8k.jsonl").write_text(lines(trained))
    answers = [
        {"question": f"What is {n} + 7?", "reasoning": "So.", "answer": f"{n + 7}", "gold": str(n + 7)}
        for n in range(16)
    ]
    (data / "r1_gsm8k.jsonl").write_text(lines(answers))
    tests = [{"question": question(n), "answer": f"#### {n}"} for n in range(40)]
    (data / "gsm8k_test.jsonl").write_text(lines(tests))
    traces = [f"How many orders of {n} books?" for n in range(8)] + [question(n) for n in range(4)]
    said = {"deepseek_thinking_trajectory": "So.", "deepseek_attempt": "It is 42.", "solution": "42"}
    (data / "s1K-1.1.jsonl").write_text(lines({"question": asked, **said} for asked in traces))
    rows = [
        {"question": f"Which {n}?", "subject": f"s{n % 2}", "choices": list("abcd"), "answer": n % 4} for n in range(12)
    ]
    (data / "mmlu.jsonl").write_text(lines(rows))
    for language in LANGUAGES:
        text = "".join(f"{language} {n}: 2 + {n}?\t{n + 2}\n" for n in range(1, 7))
        (data / f"mgsm_{language}.tsv").write_text(text)
