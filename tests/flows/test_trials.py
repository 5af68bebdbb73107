"""Trying a draft on a phone, from webhook to Graph."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from apps.flows import services
from apps.flows.models import Chatbot, ChatbotAccount, Flow
from apps.organizations.models import Organization, User
from apps.whatsapp.models import WhatsAppAccount
from tests.flows.canvases import draw, node
from tests.flows.factories import main_flow, make_chatbot
from tests.support import inbox
from tests.support.line import Line

Api = Callable[..., APIClient]


def words(text: str) -> dict[str, object]:
    return draw(node("start"), node("message", content=text), node("end"))


@pytest.fixture
def draft(organization: Organization) -> Flow:
    """A flow that was never published, beside the main one that customers meet."""
    chatbot = make_chatbot(organization, publish_on_save=False, is_active=False)
    return services.create_flow(chatbot=chatbot, name="Novo", canvas_data=words("Rascunho"))


def test_a_draft_answers_on_a_phone_until_the_trial_ends(
    api: Api, admin: User, line: Line, number: WhatsAppAccount, draft: Flow
) -> None:
    url = f"/api/v1/flows/{draft.pk}/trial"
    begun = api(admin).post(url, {"account_id": str(number.pk)})
    assert begun.status_code == 201
    body = begun.json()
    assert (body["name"], body["whatsapp_number_ids"], body["is_active"]) == (
        "Atendente (trial)",
        [str(number.pk)],
        True,
    )
    line.says("oi")
    services.update_flow(flow=draft, canvas_data=words("Melhor"))
    line.says("oi")
    assert api(admin).post(url, {"account_id": str(number.pk)}).status_code == 201
    line.says("oi")
    assert line.meta.texts() == ["Rascunho", "Rascunho", "Melhor"]
    assert api(admin).delete(url).status_code == 204
    line.says("oi")
    assert line.meta.texts() == ["Rascunho", "Rascunho", "Melhor"]
    assert list(Chatbot.objects.present()) == [draft.chatbot]
    draft.refresh_from_db()
    assert (draft.version, draft.is_main, draft.chatbot.is_active) == (None, False, False)


def test_a_number_on_which_customers_are_answered_is_no_place_for_a_trial(
    api: Api, admin: User, organization: Organization, draft: Flow
) -> None:
    account = inbox.make_account(organization)
    theirs = make_chatbot(organization, account=account, name="Recepção")
    answer = api(admin).post(f"/api/v1/flows/{draft.pk}/trial", {"account_id": str(account.pk)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "account_taken")
    assert ChatbotAccount.objects.get(account=account).chatbot == theirs


def test_a_draft_that_cannot_run_changes_nothing(
    api: Api, admin: User, organization: Organization, draft: Flow
) -> None:
    account = inbox.make_account(organization)
    services.update_flow(flow=draft, canvas_data=draw(node("start"), node("fax")))
    answer = api(admin).post(f"/api/v1/flows/{draft.pk}/trial", {"account_id": str(account.pk)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "flow_cannot_run")
    assert (Chatbot.objects.count(), ChatbotAccount.objects.count()) == (1, 0)


def test_another_organizations_number_is_not_found(
    api: Api, admin: User, other_organization: Organization, draft: Flow
) -> None:
    account = inbox.make_account(other_organization)
    assert api(admin).post(f"/api/v1/flows/{draft.pk}/trial", {"account_id": str(account.pk)}).status_code == 404


def test_the_chatbot_keeps_its_own_main_flow(api: Api, admin: User, organization: Organization, draft: Flow) -> None:
    api(admin).post(f"/api/v1/flows/{draft.pk}/trial", {"account_id": str(inbox.make_account(organization).pk)})
    assert main_flow(draft.chatbot).name == "Main Flow"
