"""openai: turns under `messages`, each with role and content.

{"id": "p1/0", "messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
"""

from dataclasses import dataclass

from cotdistill.formats import ID, JsonRow
from cotdistill.formats._conversations import Conversations
from cotdistill.formats.sharegpt import Sharegpt
from cotdistill.records import Conversation
from cotdistill.registry import kind


@kind
@dataclass(frozen=True, kw_only=True)
class Openai(Conversations):
    """OpenAI's fine-tuning rows.

    Options:
        messages: Key of the list of turns.
        response: Key of the answer, a text or turns, where it stands beside the turns of the question.
        system: Key of a system prompt beside the turns.
        tools: Key of tool descriptions; a row that has any is refused.
        role_tag: Key of a turn's role.
        content_tag: Key of a turn's text.
        user_tag: Name of the user's role.
        assistant_tag: Name of the assistant's role.
        system_tag: Name of the system's role.
    """

    messages: str = "messages"
    response: str = ""
    system: str = "system"
    tools: str = "tools"
    role_tag: str = "role"
    content_tag: str = "content"
    user_tag: str = "user"
    assistant_tag: str = "assistant"
    system_tag: str = "system"

    def encode(self, conversation: Conversation, /) -> JsonRow:
        """Return the conversation as a row of the file."""
        names = {"user": self.user_tag, "assistant": self.assistant_tag, "system": self.system_tag}
        turns = [{self.role_tag: names[m.role], self.content_tag: m.content} for m in conversation.messages]
        return {ID: conversation.id, self.messages: turns}

    def decode(self, row: JsonRow, row_id: str, /) -> Conversation:
        """Return the row as a conversation.

        Raises: ValueError.
        """
        # The two layouts read alike, a system prompt beside the turns included, as Anthropic's API has it.
        return self._as_sharegpt().decode(row, row_id)

    def entry(self, file_name: str, /) -> JsonRow:
        """Return the dataset_info.json entry under which LLaMA-Factory reads the file."""
        entry = self._as_sharegpt().entry(file_name)
        entry["columns"] = {"messages": self.messages}
        return entry

    def _as_sharegpt(self) -> Sharegpt:
        return Sharegpt(
            messages=self.messages,
            response=self.response,
            system=self.system,
            tools=self.tools,
            role_tag=self.role_tag,
            content_tag=self.content_tag,
            user_tag=self.user_tag,
            assistant_tag=self.assistant_tag,
            system_tag=self.system_tag,
        )
