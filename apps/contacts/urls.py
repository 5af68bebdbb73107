from django.urls import path

from apps.contacts import views

urlpatterns = [
    path("contacts", views.ContactsView.as_view()),
    path("contacts/<uuid:pk>", views.ContactView.as_view()),
]
