"""`make bench`: every benchmark once, as ratios from this one run; `python -m tests.bench --traces FILE` adds real data.

Numbers are printed as a table and written to bench.json with the machine that they were measured on.
"""

import argparse
import json
import os
import platform
from pathlib import Path

from tests.bench import command, filtering, sampling, tokens, verify


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--traces", type=Path, help="labelled answers, JSONL of {gold, answer, equal}")
    parser.add_argument("--curator", type=Path, help="python of an environment that holds bespokelabs-curator")
    parser.add_argument(
        "--only", choices=["command", "verify", "filtering", "sampling", "tokens"], help="one section alone"
    )
    parser.add_argument(
        "--tokenizer", type=Path, help="folder of a tokenizer; with it and --traces, tokens are measured"
    )
    parser.add_argument("--trl", type=Path, help="python of an environment that holds trl")
    parser.add_argument("--llamafactory", type=Path, help="python of an environment that holds llamafactory")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the numbers are written")
    arguments = parser.parse_args()
    sections = {
        "command": command.measure,
        "verify": lambda: verify.measure(arguments.traces),
        "filtering": filtering.measure,
        "sampling": lambda: sampling.measure(arguments.curator),
        "tokens": lambda: tokens.measure(arguments.traces, arguments.tokenizer, arguments.trl, arguments.llamafactory),
    }
    rows = [row for name, measure in sections.items() if arguments.only in (None, name) for row in measure()]
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.name:<{width}}  {row.value:>10.4g} {row.unit:<12} {row.against}")
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    result = {"machine": machine, "rows": [row._asdict() for row in rows]}
    arguments.json.write_text(json.dumps(result, indent=1) + "\n")


main()
