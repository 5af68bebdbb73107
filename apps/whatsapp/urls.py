from django.urls import path

from apps.whatsapp import views

urlpatterns = [
    path("whatsapp", views.NumbersView.as_view()),
    path("whatsapp/<uuid:pk>", views.NumberView.as_view()),
    path("whatsapp/<uuid:pk>/test", views.TestNumberView.as_view()),
    path("whatsapp/<uuid:pk>/compatible-chatbots", views.CompatibleChatbotsView.as_view()),
]
