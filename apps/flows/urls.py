from django.urls import path

from apps.flows.views import chatbots, flows, publishing

urlpatterns = [
    path("chatbots", chatbots.ChatbotsView.as_view()),
    path("chatbots/<uuid:pk>", chatbots.ChatbotView.as_view()),
    path("chatbots/<uuid:pk>/activate", chatbots.ActivateChatbotView.as_view()),
    path("chatbots/<uuid:pk>/deactivate", chatbots.DeactivateChatbotView.as_view()),
    path("chatbots/<uuid:pk>/flows", flows.ChatbotFlowsView.as_view()),
    # the builder's path of a flow
    path("chatbots/flows/<uuid:pk>", flows.FlowView.as_view()),
    path("flows", flows.FlowListView.as_view()),
    path("flows/<uuid:pk>", flows.FlowView.as_view()),
    path("flows/<uuid:pk>/activate", flows.ActivateFlowView.as_view()),
    path("flows/<uuid:pk>/deactivate", flows.DeactivateFlowView.as_view()),
    path("flows/<uuid:pk>/validate", publishing.ValidateFlowView.as_view()),
    path("flows/<uuid:pk>/publish", publishing.PublishFlowView.as_view()),
    path("flows/<uuid:pk>/versions", publishing.FlowVersionsView.as_view()),
    path("flows/<uuid:pk>/versions/<int:number>", publishing.FlowVersionView.as_view()),
    path("flows/<uuid:pk>/versions/<int:number>/restore", publishing.RestoreFlowVersionView.as_view()),
]
