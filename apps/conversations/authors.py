"""Who does something in a conversation."""

import uuid
from dataclasses import dataclass
from typing import Self

from apps.conversations.models import Message
from apps.organizations.models import User


@dataclass(frozen=True)
class Author:
    """A person, a bot, or the system; people stop bots by whatever they do."""

    kind: Message.Author
    user: User | None = None
    bot_id: uuid.UUID | None = None

    @classmethod
    def person(cls, user: User | None) -> Self:
        """A person of the organization; None is somebody on the phone app or in the platform's own inbox."""
        return cls(Message.Author.PERSON, user=user)

    @classmethod
    def bot(cls, chatbot_id: uuid.UUID | None) -> Self:
        """A chatbot."""
        return cls(Message.Author.BOT, bot_id=chatbot_id)

    @classmethod
    def agent(cls, agent_id: uuid.UUID | None) -> Self:
        """An AI agent."""
        return cls(Message.Author.AGENT, bot_id=agent_id)

    @classmethod
    def system(cls) -> Self:
        """Recado itself: a policy, a time that ran out."""
        return cls(Message.Author.SYSTEM)

    @property
    def is_person(self) -> bool:
        """Whether this is a human being."""
        return self.kind == Message.Author.PERSON
