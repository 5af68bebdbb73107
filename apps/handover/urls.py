from django.urls import path

from apps.handover import views

urlpatterns = [
    path("conversations/<uuid:pk>/handover/human", views.ToHumanView.as_view()),
    path("conversations/<uuid:pk>/handover/bot", views.ToBotView.as_view()),
]
