"""alpaca: one instruction and its response, earlier turns under `history`.

{"id": "p1/0", "instruction": "…", "input": "", "output": "…", "system": "", "history": [["…", "…"]]}
"""

from dataclasses import dataclass

from cotdistill.formats import ID, JsonRow
from cotdistill.formats._checks import checked, list_at, text_at
from cotdistill.formats._conversations import Conversations
from cotdistill.records import Conversation, Message
from cotdistill.registry import kind


@kind
@dataclass(frozen=True, kw_only=True)
class Alpaca(Conversations):
    """Alpaca rows, as openMind and LLaMA-Factory read them.

    Options:
        prompt: Key of the instruction.
        query: Key of the input that follows the instruction, where there is one.
        response: Key of the answer.
        system: Key of the system prompt.
        history: Key of the earlier turns, pairs of instruction and answer.
    """

    prompt: str = "instruction"
    query: str = "input"
    response: str = "output"
    system: str = "system"
    history: str = "history"

    def encode(self, conversation: Conversation, /) -> JsonRow:
        """Return the conversation as a row of the file."""
        first, *rest = conversation.messages
        turns = [m.content for m in (rest if first.role == "system" else conversation.messages)]
        # LLaMA-Factory reads the columns that the entry names and fails where no row has them.
        return {
            ID: conversation.id,
            self.prompt: turns[-2],
            self.query: "",
            self.response: turns[-1],
            self.system: first.content if first.role == "system" else "",
            self.history: [list(turns[i : i + 2]) for i in range(0, len(turns) - 2, 2)],
        }

    def decode(self, row: JsonRow, row_id: str, /) -> Conversation:
        """Return the row as a conversation.

        Raises: ValueError.
        """
        messages = [Message(role="system", content=text_at(row, self.system))] if row.get(self.system) else []
        for i, pair in enumerate(list_at(row, self.history) if row.get(self.history) else []):
            if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(t, str) for t in pair):
                raise ValueError(f"{self.history}[{i}]: expected [instruction, answer]")
            messages += [Message(role="user", content=pair[0]), Message(role="assistant", content=pair[1])]
        prompt = text_at(row, self.prompt)
        # LLaMA-Factory joins instruction and input by a line break.
        user = f"{prompt}\n{text_at(row, self.query)}" if row.get(self.query) else prompt
        messages.append(Message(role="user", content=user))
        messages.append(Message(role="assistant", content=text_at(row, self.response)))
        return checked(row_id, messages, self.prompt)

    def entry(self, file_name: str, /) -> JsonRow:
        """Return the dataset_info.json entry under which openMind and LLaMA-Factory read the file."""
        return {
            "local_path": ".",
            "file_name": file_name,
            "formatting": "alpaca",
            "columns": {
                "prompt": self.prompt,
                "query": self.query,
                "response": self.response,
                "system": self.system,
                "history": self.history,
            },
        }
