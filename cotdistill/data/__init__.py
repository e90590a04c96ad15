"""dataset_info.json -> problems, traces or conversations, from a file or a hub.

One entry, as openMind and LLaMA-Factory write it:

    "DS_r1_answer": {
        "local_path": "data", "file_name": "DS_r1_answer.json", "formatting": "sharegpt",
        "columns": {"messages": "conversations", "system": "system"},
        "tags": {"role_tag": "from", "content_tag": "value", "user_tag": "user", "assistant_tag": "assistant"}}

a set of problems, and one of traces (answers with their reasoning, recorded by others):

    "gsm8k": {"hf_hub_url": "openai/gsm8k", "subset": "main", "formatting": "problems", "gold": "gsm8k"}
    "medical": {"hub_url": "…", "formatting": "traces",
                "columns": {"question": "Question", "reasoning": "Complex_CoT", "answer": "Response"}}
"""

from cotdistill.data.bad_rows import BadRows
from cotdistill.data.catalog import REGISTRY, Catalog, open_catalog
from cotdistill.data.dataset import Dataset, Sample
from cotdistill.data.entry import Columns, Entry, Tags
from cotdistill.data.options import DataOptions

__all__ = [
    "REGISTRY",
    "BadRows",
    "Catalog",
    "Columns",
    "DataOptions",
    "Dataset",
    "Entry",
    "Sample",
    "Tags",
    "open_catalog",
]
