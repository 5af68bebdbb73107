"""Verbs of the inbox that touch several stages of the line."""

from collections.abc import Sequence

from django.db import transaction

from apps.contacts.models import Contact
from apps.conversations import holding, outbound
from apps.conversations.authors import Author
from apps.conversations.channels import Content
from apps.conversations.models import ChannelAccount, Conversation
from apps.core import outbox
from apps.organizations.models import Organization, User


@transaction.atomic
def start(
    *, organization: Organization, account: ChannelAccount, contact: Contact, by: User, content: Content | None
) -> Conversation:
    """The open conversation with a contact, a new one if there is none; with first words, if given, or not at all."""
    if not account.is_active:
        raise outbound.AccountInactive("This number is switched off.")
    conversation = outbound.open_conversation(organization=organization, account=account, contact=contact)
    if content:
        outbound.send(conversation=conversation, content=content, author=Author.person(by))
    return conversation


@transaction.atomic
def update(
    *,
    conversation: Conversation,
    by: User,
    priority: str | None = None,
    tags: Sequence[str] | None = None,
    assignee: User | None = None,
    status: str | None = None,
) -> None:
    """Change what is given: how urgent it is, its tags, whose it is, and whether it is over (resolved or closed)."""
    conversation = holding.lock(conversation.pk)
    if priority is not None or tags is not None:
        conversation.priority = conversation.priority if priority is None else priority
        conversation.tags = conversation.tags if tags is None else list(tags)
        conversation.save(update_fields=["priority", "tags", "updated_at"])
        outbox.add(conversation.organization_id, "conversation.updated", conversation.pk)
    author = Author.person(by)
    if assignee is not None:
        holding.assign(conversation=conversation, to=assignee, by=author)
    if status is not None:
        end = Conversation.Status(status)
        resolved = end == Conversation.Status.RESOLVED
        holding.close(conversation=conversation, by=author, resolved=resolved, status=end)
