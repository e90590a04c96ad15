"""`make bench`: every benchmark once, as ratios from this one run; `python -m tests.bench --traces FILE` adds real data.

Numbers are printed as a table and written to bench.json with the machine that they were measured on.
"""

import argparse
import json
import os
import platform
from pathlib import Path

from tests.bench import command, verify


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--traces", type=Path, help="labelled answers, JSONL of {gold, answer, equal}")
    arguments = parser.parse_args()
    rows = [*command.measure(), *verify.measure(arguments.traces)]
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.name:<{width}}  {row.value:>10.4g} {row.unit:<12} {row.against}")
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    result = {"machine": machine, "rows": [row._asdict() for row in rows]}
    Path("bench.json").write_text(json.dumps(result, indent=1) + "\n")


main()
