"""prompt_completion: what is asked and what is answered in columns of their own, as TRL reads them.

{"id": "p1/0", "prompt": [{"role": "user", "content": "…"}], "completion": [{"role": "assistant", "content": "…"}]}
{"id": "p1/0", "prompt": "…", "completion": "…"}
"""

from dataclasses import dataclass

from cotdistill import prompts
from cotdistill.formats import ID, JsonRow
from cotdistill.formats._conversations import Conversations
from cotdistill.formats.alpaca import Alpaca
from cotdistill.formats.openai import Openai
from cotdistill.records import Conversation
from cotdistill.registry import kind


@kind
@dataclass(frozen=True, kw_only=True)
class PromptCompletion(Conversations):
    """Rows of TRL's prompt-completion sets: lists of turns, or texts.

    Options:
        prompt: Key of what is asked: a text, or turns with role and content.
        response: Key of what is answered, in the same form.
        system: Key of a system prompt beside a prompt that is a text.
        turns: Whether lists of turns are written, which a chat template goes around; false writes texts, for trainers
            that take them as they are: system prompt and earlier turns stand in the prompt, a blank line between.
    """

    prompt: str = "prompt"
    response: str = "completion"
    system: str = "system"
    turns: bool = True

    def encode(self, conversation: Conversation, /) -> JsonRow:
        """Return the conversation as a row of the file."""
        *asked, answer = conversation.messages
        if not self.turns:
            return {ID: conversation.id, self.prompt: prompts.as_text(asked), self.response: answer.content}
        turns = [[{"role": m.role, "content": m.content} for m in part] for part in (asked, [answer])]
        return {ID: conversation.id, self.prompt: turns[0], self.response: turns[1]}

    def decode(self, row: JsonRow, row_id: str, /) -> Conversation:
        """Return the row as a conversation.

        Raises: ValueError.
        """
        if isinstance(row.get(self.prompt), list):
            return Openai(messages=self.prompt, response=self.response, system=self.system).decode(row, row_id)
        texts = Alpaca(prompt=self.prompt, query="", response=self.response, system=self.system, history="")
        return texts.decode(row, row_id)

    def entry(self, file_name: str, /) -> JsonRow:
        """Return the dataset_info.json entry of the file; of texts one that openMind and LLaMA-Factory read too."""
        return {
            "local_path": ".",
            "file_name": file_name,
            "formatting": "prompt_completion" if self.turns else "alpaca",
            "columns": {"prompt": self.prompt, "response": self.response},
        }
