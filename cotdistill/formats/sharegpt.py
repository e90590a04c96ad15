"""sharegpt: turns under `conversations`, the system prompt beside them.

{"id": "p1/0", "system": "…",
 "conversations": [{"from": "user", "value": "…"}, {"from": "assistant", "value": "…"}]}
"""

from dataclasses import dataclass

from cotdistill.formats import ID, JsonRow
from cotdistill.formats._checks import checked, list_at, text_at
from cotdistill.formats._conversations import Conversations
from cotdistill.formats._turns import message
from cotdistill.records import Conversation, Message
from cotdistill.registry import kind


@kind
@dataclass(frozen=True, kw_only=True)
class Sharegpt(Conversations):
    """ShareGPT rows, as openMind and LLaMA-Factory read them.

    Options:
        messages: Key of the list of turns.
        response: Key of the answer, a text or turns, where it stands beside the turns of the question.
        system: Key of the system prompt.
        tools: Key of tool descriptions; a row that has any is refused, since no student here learns tools.
        role_tag: Key of a turn's role.
        content_tag: Key of a turn's text.
        user_tag: Name of the user's role; `human` in LLaMA-Factory's own sets.
        assistant_tag: Name of the assistant's role; `gpt` in LLaMA-Factory's own sets.
        system_tag: Name of the system's role, where it is a turn.
        observation_tag: Name of the role of a tool's answer, which is refused.
        function_tag: Name of the role of a tool's call, which is refused.
    """

    messages: str = "conversations"
    response: str = ""
    system: str = "system"
    tools: str = "tools"
    role_tag: str = "from"
    content_tag: str = "value"
    user_tag: str | None = None
    assistant_tag: str | None = None
    system_tag: str = "system"
    observation_tag: str = "observation"
    function_tag: str = "function_call"

    def encode(self, conversation: Conversation, /) -> JsonRow:
        """Return the conversation as a row of the file."""
        names = {"user": self.user_tag or "user", "assistant": self.assistant_tag or "assistant"}
        first, *rest = conversation.messages
        turns = rest if first.role == "system" else conversation.messages
        # LLaMA-Factory reads the column that the entry names and fails where no row has it.
        row: JsonRow = {ID: conversation.id, self.system: first.content if first.role == "system" else ""}
        row[self.messages] = [{self.role_tag: names[m.role], self.content_tag: m.content} for m in turns]
        return row

    def decode(self, row: JsonRow, row_id: str, /) -> Conversation:
        """Return the row as a conversation.

        Raises: ValueError.
        """
        if row.get(self.tools):
            raise ValueError(f"{self.tools}: tool descriptions cannot be learned here")
        messages = [self._turn(turn, f"{self.messages}[{i}]") for i, turn in enumerate(list_at(row, self.messages))]
        messages += self._answer(row) if self.response else []
        if row.get(self.system):
            if messages[:1] and messages[0].role == "system":
                raise ValueError(f"{self.system}: a turn is a system prompt too, and only one is read")
            messages.insert(0, Message(role="system", content=text_at(row, self.system)))
        return checked(row_id, messages, self.messages)

    def entry(self, file_name: str, /) -> JsonRow:
        """Return the dataset_info.json entry under which openMind and LLaMA-Factory read the file."""
        return {
            "local_path": ".",
            "file_name": file_name,
            "formatting": "sharegpt",
            "columns": {"messages": self.messages, "system": self.system},
            "tags": {
                "role_tag": self.role_tag,
                "content_tag": self.content_tag,
                "user_tag": self.user_tag or "user",
                "assistant_tag": self.assistant_tag or "assistant",
                "system_tag": self.system_tag,
            },
        }

    def _answer(self, row: JsonRow) -> list[Message]:
        """Return the turns of an answer that stands in a column of its own."""
        if isinstance(row.get(self.response), list):
            return [self._turn(t, f"{self.response}[{i}]") for i, t in enumerate(list_at(row, self.response))]
        return [Message(role="assistant", content=text_at(row, self.response))]

    def _turn(self, turn: object, place: str) -> Message:
        if not isinstance(turn, dict):
            raise ValueError(f"{place}: expected an object, found {type(turn).__name__}")
        role = text_at(turn, self.role_tag, place)
        # A set that names its own roles means just those; others use one of the two usual pairs.
        roles = {
            **dict.fromkeys([self.user_tag] if self.user_tag else ["user", "human"], "user"),
            **dict.fromkeys([self.assistant_tag] if self.assistant_tag else ["assistant", "gpt"], "assistant"),
            **dict.fromkeys([self.system_tag, *(["developer"] if self.system_tag == "system" else [])], "system"),
        }
        if role not in roles:
            raise ValueError(f"{place}.{self.role_tag}: expected one of {', '.join(roles)}, found `{role}`")
        return message(roles[role], turn, self.content_tag, place)
