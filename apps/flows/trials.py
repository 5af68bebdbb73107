"""Trying a draft on a phone: a copy of its chatbot, drafts and all, answers on a number for tests."""

from django.db import transaction

from apps.conversations.models import ChannelAccount
from apps.core.errors import Conflict
from apps.flows import services, sharing
from apps.flows.models import Chatbot, ChatbotAccount, Flow
from apps.organizations.models import User

TRIAL_OF = "trial_of"
"""The setting by which such a copy is known: the id of the flow that is tried."""


class AccountTaken(Conflict):
    """Customers are answered on this account: it is no place for a trial."""

    code = "account_taken"


@transaction.atomic
def begin(*, flow: Flow, account: ChannelAccount, by: User) -> Chatbot:
    """Let the draft answer on a test account, in place of the trial before; FlowCannotRun if it cannot run."""
    taken = ChatbotAccount.objects.select_related("chatbot").filter(account=account).first()
    if taken and TRIAL_OF not in taken.chatbot.settings:
        raise AccountTaken(
            f"The chatbot {taken.chatbot.name!r} answers customers there: try the draft on another number."
        )
    if taken:
        services.delete_chatbot(chatbot=taken.chatbot)
    marked = {**flow.chatbot.settings, TRIAL_OF: str(flow.pk)}
    twin, twins = sharing.copy_chatbot(
        chatbot=flow.chatbot, by=by, suffix=" (trial)", settings=marked, publish_on_save=True
    )
    services.update_flow(flow=twins[flow.pk], by=by, is_main=True, is_active=True)
    services.activate_chatbot(chatbot=twin)
    services.choose_default_chatbot(account=account, chatbot=twin)
    return twin


@transaction.atomic
def end(*, flow: Flow) -> None:
    """Delete the copies with which a flow is tried."""
    marked = {f"settings__{TRIAL_OF}": str(flow.pk)}
    for twin in Chatbot.objects.present().filter(organization=flow.organization_id, **marked):
        services.delete_chatbot(chatbot=twin)
