"""/api/v1/conversations, the inbox; and /api/v1/webhook-events, what became of webhooks that were not simply done."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.contacts.models import Contact
from apps.conversations import filters, holding, inbound, outbound, pagination, services
from apps.conversations.authors import Author
from apps.conversations.channels import Content
from apps.conversations.models import ChannelAccount, Conversation, Message, WebhookItem
from apps.conversations.serializers import conversations, messages
from apps.conversations.serializers.conversations import (
    AssignSerializer,
    CloseSerializer,
    ConversationSerializer,
    CreateConversationSerializer,
    UpdateConversationSerializer,
)
from apps.conversations.serializers.messages import MessageSerializer, SendMessageSerializer
from apps.conversations.serializers.webhooks import WebhookItemSerializer
from apps.organizations import permissions
from apps.organizations.models import Role, User
from apps.organizations.tenancy import TenantView

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="A repeated key sends once and answers the first message; with another body it is refused (422).",
)


class InboxView(TenantView):
    """What every view of conversations needs: the tenant's rows, and the answer with a whole conversation."""

    write_roles = permissions.AGENTS

    def rows(self) -> QuerySet[Conversation]:
        """The organization's conversations."""
        return Conversation.objects.for_organization(self.organization)

    def find(self, pk: UUID) -> Conversation:
        """One of them; 404 otherwise."""
        return get_object_or_404(self.rows(), pk=pk)

    def colleague(self, pk: UUID) -> User:
        """A person of the organization; 404 otherwise."""
        return get_object_or_404(User.objects.filter(organization=self.organization), pk=pk)

    def answer(self, pk: UUID, code: int = status.HTTP_200_OK) -> Response:
        """The conversation as it is now."""
        [shape] = conversations.shapes([conversations.shown(self.rows()).get(pk=pk)])
        return Response(shape, code)


class ConversationsView(InboxView, generics.GenericAPIView):
    queryset = Conversation.objects.none()
    serializer_class = ConversationSerializer
    filterset_class = filters.ConversationFilter
    pagination_class = pagination.InboxPagination

    @extend_schema(responses=ConversationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The inbox, newest first."""
        page = self.paginate_queryset(self.filter_queryset(conversations.shown(self.rows())))
        return self.get_paginated_response(conversations.shapes(page or []))

    @extend_schema(request=CreateConversationSerializer, responses={201: ConversationSerializer})
    def post(self, request: Request) -> Response:
        """Begin a conversation with a contact, or come back to the open one; with first words or without."""
        body = CreateConversationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        accounts = ChannelAccount.objects.for_organization(self.organization)
        contacts = Contact.objects.for_organization(self.organization)
        conversation = services.start(
            organization=self.user.organization,
            account=get_object_or_404(accounts, pk=asked["whatsapp_number_id"]),
            contact=get_object_or_404(contacts, pk=asked["contact_id"]),
            by=self.user,
            content=_first_words(asked["initial_message"]),
        )
        return self.answer(conversation.pk, status.HTTP_201_CREATED)


class ConversationView(InboxView):
    @extend_schema(responses=ConversationSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One conversation."""
        return self.answer(self.find(pk).pk)

    @extend_schema(request=UpdateConversationSerializer, responses=ConversationSerializer)
    def put(self, request: Request, pk: UUID) -> Response:
        """Change what is sent, and nothing else."""
        conversation = self.find(pk)
        body = UpdateConversationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = dict(body.validated_data)
        if "assigned_agent_id" in asked:
            asked["assignee"] = self.colleague(asked.pop("assigned_agent_id"))
        services.update(conversation=conversation, by=self.user, **asked)
        return self.answer(pk)

    @extend_schema(request=UpdateConversationSerializer(partial=True), responses=ConversationSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what is sent, and nothing else."""
        return self.put(request, pk)


class MessagesView(InboxView, generics.GenericAPIView):
    queryset = Message.objects.none()
    serializer_class = MessageSerializer
    filterset_class = filters.MessageFilter
    pagination_class = pagination.ThreadPagination

    @extend_schema(responses=MessageSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """The newest messages, oldest first; `order`, `before` and `after` reach every other page."""
        thread = Message.objects.filter(conversation=self.find(pk)).prefetch_related("attachments")
        page = self.paginate_queryset(self.filter_queryset(thread))
        return self.get_paginated_response(messages.shapes(page or []))

    @extend_schema(
        request=SendMessageSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={201: MessageSerializer, 200: MessageSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Send a message, which takes the conversation from a bot. 200: it had been sent before, with the same key."""
        conversation = self.find(pk)
        body = SendMessageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        request_id = _request_id(request, asked["client_request_id"])
        repeats = request_id != "" and self.user_has_asked(conversation, request_id)
        message = outbound.send(
            conversation=conversation,
            content=messages.content(asked["message_type"], asked["content"]),
            author=Author.person(self.user),
            reply_to=asked["reply_to"],
            request_id=request_id,
        )
        [shape] = messages.shapes([message])
        return Response(shape, status.HTTP_200_OK if repeats else status.HTTP_201_CREATED)

    def user_has_asked(self, conversation: Conversation, request_id: str) -> bool:
        """Whether the key has been used; it decides the answer's code alone."""
        return Message.objects.filter(conversation=conversation, user=self.user, client_request_id=request_id).exists()


class ReadView(InboxView):
    @extend_schema(request=None, responses=ConversationSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """All that the customer wrote has been read."""
        holding.mark_read(conversation=self.find(pk), by=self.user)
        return self.answer(pk)


class AssignView(InboxView):
    @extend_schema(request=AssignSerializer, responses=ConversationSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Give it to one person, whoever had it; bots fall silent."""
        conversation = self.find(pk)
        body = AssignSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        colleague = self.colleague(body.validated_data["agent_id"])
        holding.assign(conversation=conversation, to=colleague, by=Author.person(self.user))
        return self.answer(pk)


class CloseView(InboxView):
    @extend_schema(request=CloseSerializer, responses=ConversationSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """End it; the customer's next message begins a new one."""
        conversation = self.find(pk)
        body = CloseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        holding.close(conversation=conversation, by=Author.person(self.user), **body.validated_data)
        return self.answer(pk)


class WebhookItemMixin(TenantView):
    """Items of the organization; those that no organization owns are the super_admin's to see."""

    read_roles = write_roles = permissions.ADMINS

    @property
    def is_super_admin(self) -> bool:
        """Whether raw payloads and tracebacks are shown."""
        return self.user.role == Role.SUPER_ADMIN

    def rows(self) -> QuerySet[WebhookItem]:
        """What the caller may see."""
        mine = Q(organization=self.user.organization_id)
        shown = WebhookItem.objects.filter(state__in=filters.WebhookItemFilter.SHOWN)
        shown = shown.select_related("event").defer("event__body")
        return shown.filter(mine | Q(organization=None)) if self.is_super_admin else shown.filter(mine)

    def shape(self, item: WebhookItem) -> dict[str, Any]:
        """The item as this caller may see it."""
        return dict(WebhookItemSerializer(item, context={"raw": self.is_super_admin}).data)


class WebhookItemsView(WebhookItemMixin, generics.GenericAPIView):
    queryset = WebhookItem.objects.none()
    serializer_class = WebhookItemSerializer
    filterset_class = filters.WebhookItemFilter
    pagination_class = pagination.KeysetPagination

    @extend_schema(responses=WebhookItemSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What was not simply done, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.rows()))
        return self.get_paginated_response([self.shape(item) for item in page or []])


class ReplayView(WebhookItemMixin):
    @extend_schema(request=None, responses=WebhookItemSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Do an item again; its status is `done`, or what it is now."""
        item = get_object_or_404(self.rows(), pk=pk)
        try:
            left = inbound.replay(item)
        except WebhookItem.DoesNotExist:
            raise Http404 from None  # somebody else replayed it in this moment
        return Response(self.shape(left) if left else {**self.shape(item), "status": "done"})


def _first_words(asked: dict[str, Any] | None) -> Content | None:
    """The content of a first message: a text, or media by link with its caption."""
    if asked is None:
        return None
    if not asked["media_url"]:
        return messages.content("text", {"text": asked["content"]})
    caption = asked["media_caption"] or asked["content"]
    link = {"url": asked["media_url"]}
    return messages.content(asked["media_type"], {**link, "caption": caption} if caption else link)


def _request_id(request: Request, sent: str) -> str:
    """The caller's idempotency key, from the header or the body."""
    request_id = request.headers.get("Idempotency-Key", "").strip() or sent
    if len(request_id) > 100:
        raise ValidationError({"Idempotency-Key": ["Ensure this has no more than 100 characters."]})
    return request_id
