"""A conversation, and the chatbot that answers in it."""

import pytest

from apps.conversations.models import Conversation
from apps.flows.models import Chatbot
from apps.organizations.models import Organization
from tests.flows.factories import make_chatbot
from tests.support import inbox


@pytest.fixture
def conversation(organization: Organization) -> Conversation:
    return inbox.make_conversation(organization)


@pytest.fixture
def chatbot(organization: Organization, conversation: Conversation) -> Chatbot:
    return make_chatbot(organization, account=conversation.account)
