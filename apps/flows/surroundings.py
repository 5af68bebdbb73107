"""Where a flow is to run: what its author may name there, and what can be shown."""

from collections.abc import Iterable

from apps.conversations.channels import channels
from apps.conversations.models import ChannelAccount
from apps.flows.models import Chatbot, ChatbotAccount, DatabaseConnection, Flow
from apps.flows.scope import NAMES
from apps.flows.validation import Surroundings
from apps.organizations.models import Department, Queue, Secret, User


def of(flow: Flow) -> Surroundings:
    """What is there around a flow: a handful of queries."""
    tenant = flow.organization_id
    people = [
        *Queue.objects.filter(organization=tenant, is_active=True).values_list("pk", "slug", "name"),
        *Department.objects.filter(organization=tenant, is_active=True).values_list("pk", "slug", "name"),
        *User.objects.filter(organization=tenant, is_active=True).values_list("pk", "email", "full_name"),
    ]
    return Surroundings(
        variables=NAMES | set(flow.variables) | set(flow.chatbot.global_variables),
        names={
            "flow": frozenset(
                str(pk) for pk in Flow.objects.present().filter(chatbot=flow.chatbot).values_list("pk", flat=True)
            ),
            "people": _names(people),
            "secret": _names(Secret.objects.filter(organization=tenant).values_list("pk", "name")),
            "connection": _names(
                DatabaseConnection.objects.filter(organization=tenant, is_active=True).values_list("pk", "name")
            ),
        },
        channels=tuple((key, channels.get(key).capabilities) for key in sorted(_channels(flow.chatbot))),
    )


def _names(rows: Iterable[tuple[object, ...]]) -> frozenset[str]:
    return frozenset(str(name).strip().casefold() for row in rows for name in row)


def _channels(chatbot: Chatbot) -> set[str]:
    accounts = ChannelAccount.objects.filter(pk__in=ChatbotAccount.objects.filter(chatbot=chatbot).values("account"))
    return {key for key in accounts.values_list("channel", flat=True) if key in channels}
