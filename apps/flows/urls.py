from django.urls import path

from apps.flows import views

urlpatterns = [
    path("chatbots", views.ChatbotsView.as_view()),
    path("chatbots/<uuid:pk>", views.ChatbotView.as_view()),
    path("chatbots/<uuid:pk>/activate", views.ActivateChatbotView.as_view()),
    path("chatbots/<uuid:pk>/deactivate", views.DeactivateChatbotView.as_view()),
    path("chatbots/<uuid:pk>/flows", views.ChatbotFlowsView.as_view()),
    # the builder's path of a flow
    path("chatbots/flows/<uuid:pk>", views.FlowView.as_view()),
    path("flows", views.FlowListView.as_view()),
    path("flows/<uuid:pk>", views.FlowView.as_view()),
    path("flows/<uuid:pk>/activate", views.ActivateFlowView.as_view()),
    path("flows/<uuid:pk>/deactivate", views.DeactivateFlowView.as_view()),
]
