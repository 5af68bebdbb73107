"""What operators and their tools look at; outside the API, without sign-in."""

from django.urls import path

from apps.core import views

urlpatterns = [
    path("readyz", views.ready),
    path("metrics", views.metrics),
]
