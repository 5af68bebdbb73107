from django.urls import path

from apps.flows.views import chatbots, flows, numbers, publishing, sharing, trying

urlpatterns = [
    path("chatbots", chatbots.ChatbotsView.as_view()),
    path("chatbots/<uuid:pk>", chatbots.ChatbotView.as_view()),
    path("chatbots/<uuid:pk>/activate", chatbots.ActivateChatbotView.as_view()),
    path("chatbots/<uuid:pk>/deactivate", chatbots.DeactivateChatbotView.as_view()),
    path("chatbots/<uuid:pk>/flows", flows.ChatbotFlowsView.as_view()),
    path("chatbots/<uuid:pk>/full", chatbots.FullChatbotView.as_view()),
    path("chatbots/<uuid:pk>/stats", chatbots.ChatbotStatsView.as_view()),
    path("chatbots/<uuid:pk>/import", sharing.ImportFlowView.as_view()),
    path("chatbots/<uuid:pk>/duplicate", sharing.DuplicateChatbotView.as_view()),
    # the builder's paths of a flow
    path("chatbots/flows/<uuid:pk>", flows.FlowView.as_view()),
    path("chatbots/flows/<uuid:pk>/full", flows.FullFlowView.as_view()),
    path("chatbots/flows/<uuid:pk>/nodes", flows.FlowNodesView.as_view()),
    path("chatbots/flows/<uuid:pk>/export", sharing.ExportFlowView.as_view()),
    path("flows/chatbots/<uuid:pk>/main", flows.MainFlowView.as_view()),
    path("flows/chatbots/<uuid:pk>/fallback", flows.FallbackFlowView.as_view()),
    path("flows/<uuid:pk>/export", sharing.ExportFlowView.as_view()),
    path("flows/<uuid:pk>/duplicate", sharing.DuplicateFlowView.as_view()),
    path("flows", flows.FlowListView.as_view()),
    path("flows/<uuid:pk>", flows.FlowView.as_view()),
    path("flows/<uuid:pk>/activate", flows.ActivateFlowView.as_view()),
    path("flows/<uuid:pk>/deactivate", flows.DeactivateFlowView.as_view()),
    path("flows/<uuid:pk>/simulate", trying.SimulateFlowView.as_view()),
    path("flows/<uuid:pk>/validate", publishing.ValidateFlowView.as_view()),
    path("flows/<uuid:pk>/publish", publishing.PublishFlowView.as_view()),
    path("flows/<uuid:pk>/versions", publishing.FlowVersionsView.as_view()),
    path("flows/<uuid:pk>/versions/<int:number>", publishing.FlowVersionView.as_view()),
    path("flows/<uuid:pk>/versions/<int:number>/restore", publishing.RestoreFlowVersionView.as_view()),
    path("flows/<uuid:pk>/stats", numbers.FlowStatsView.as_view()),
    path("flows/<uuid:pk>/diagram.svg", numbers.FlowDiagramView.as_view()),
    path("flows/<uuid:pk>/sessions", numbers.FlowSessionsView.as_view()),
    path("flows/<uuid:pk>/sessions/<uuid:session>", numbers.FlowSessionView.as_view()),
]
