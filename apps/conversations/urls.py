from django.urls import path

from apps.conversations import views

urlpatterns = [
    path("conversations", views.ConversationsView.as_view()),
    path("conversations/<uuid:pk>", views.ConversationView.as_view()),
    path("conversations/<uuid:pk>/messages", views.MessagesView.as_view()),
    path("conversations/<uuid:pk>/read", views.ReadView.as_view()),
    path("conversations/<uuid:pk>/assign", views.AssignView.as_view()),
    path("conversations/<uuid:pk>/close", views.CloseView.as_view()),
    path("webhook-events", views.WebhookItemsView.as_view()),
    path("webhook-events/<uuid:pk>/replay", views.ReplayView.as_view()),
]
