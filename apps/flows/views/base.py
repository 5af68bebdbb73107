"""What the views of chatbots and flows have in common: the tenant's rows, and who may write them."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from rest_framework import serializers
from rest_framework.generics import get_object_or_404

from apps.flows.models import Chatbot, ChatbotQuerySet, Flow, FlowQuerySet
from apps.organizations import permissions
from apps.organizations.tenancy import TenantView


class PageSerializer(serializers.Serializer):
    skip = serializers.IntegerField(min_value=0, max_value=10_000, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)


class FlowsView(TenantView):
    """The tenant's chatbots and flows, and who may write them."""

    write_roles = permissions.ADMINS

    def chatbots(self) -> ChatbotQuerySet:
        """The organization's chatbots, with their accounts and whether they have something to say."""
        published = Flow.objects.present().filter(chatbot=OuterRef("pk"), is_main=True, version__isnull=False)
        rows = Chatbot.objects.for_organization(self.organization).present().prefetch_related("accounts")
        return rows.annotate(is_published=Exists(published))

    def flows(self) -> FlowQuerySet:
        """The organization's flows."""
        return Flow.objects.for_organization(self.organization).present().select_related("chatbot", "version")

    def chatbot(self, pk: UUID) -> Chatbot:
        """One of its chatbots; 404 if there is none."""
        return get_object_or_404(self.chatbots(), pk=pk)

    def flow(self, pk: UUID) -> Flow:
        """One of its flows; 404 if there is none."""
        return get_object_or_404(self.flows(), pk=pk)

    def flows_of(self, chatbot: Chatbot) -> dict[str, Any]:
        """All flows of a chatbot, the main one first."""
        flows = list(self.flows().filter(chatbot=chatbot).order_by("-is_main", "created_at", "pk"))
        return {"items": flows, "total": len(flows), "page": 1, "per_page": len(flows)}
