from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.flows.models import Chatbot, FlowSession
from apps.organizations.models import Organization, User
from tests.flows.factories import main_flow, make_chatbot
from tests.support import inbox

MODELS = ("chatbot", "flow", "flowversion", "flowsession")


@pytest.fixture
def operator(super_admin: User) -> Client:
    client = Client()
    client.force_login(super_admin)
    return client


@pytest.fixture
def rows(organization: Organization) -> dict[str, Any]:
    """One row of each model, by the model's name."""
    conversation = inbox.make_conversation(organization)
    chatbot = make_chatbot(organization, account=conversation.account)
    flow = main_flow(chatbot)
    assert flow.version
    session = FlowSession.objects.create(
        organization=organization,
        conversation=conversation,
        flow=flow,
        version=flow.version,
        state={"node": "question"},
    )
    return {"chatbot": chatbot, "flow": flow, "flowversion": flow.version, "flowsession": session}


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_listed_searched_and_shown(operator: Client, rows: dict[str, Any], model: str) -> None:
    listing = reverse(f"admin:flows_{model}_changelist")
    change = reverse(f"admin:flows_{model}_change", args=[rows[model].pk])
    found = operator.get(listing, {"q": "Atend" if model == "chatbot" else "Main"}).content.decode()
    missed = operator.get(listing, {"q": "nobody"}).content.decode()
    assert (change in found, change in missed) == (True, False)
    assert operator.get(change).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_neither_added_nor_deleted_there(operator: Client, rows: dict[str, Any], model: str) -> None:
    delete = reverse(f"admin:flows_{model}_delete", args=[rows[model].pk])
    assert operator.get(reverse(f"admin:flows_{model}_add")).status_code == 403
    assert operator.post(delete, {"post": "yes"}).status_code == 403
    assert type(rows[model]).objects.count() == 1


@pytest.mark.parametrize("model", ["flow", "flowversion", "flowsession"])
def test_flows_and_sessions_are_not_changed_there(operator: Client, rows: dict[str, Any], model: str) -> None:
    change = reverse(f"admin:flows_{model}_change", args=[rows[model].pk])
    assert operator.post(change, {"name": "x", "problem": "x"}).status_code == 403


def test_a_chatbot_is_renamed_but_not_activated_there(operator: Client, organization: Organization) -> None:
    chatbot = make_chatbot(organization, is_active=False)
    formset = {"accounts-TOTAL_FORMS": "0", "accounts-INITIAL_FORMS": "0"}
    fields = {"name": "Outro", "global_variables": "{}", "settings": "{}", "after_end": "agent", "is_active": "on"}
    fields |= formset
    assert operator.post(reverse("admin:flows_chatbot_change", args=[chatbot.pk]), fields).status_code == 302
    assert Chatbot.objects.values_list("name", "is_active").get() == ("Outro", False)
