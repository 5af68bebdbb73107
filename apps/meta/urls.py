from django.urls import path

from apps.meta import views

urlpatterns = [
    path(f"{channel}/webhook", views.webhook, {"channel": channel}, name=f"{channel}-webhook")
    for channel in ("whatsapp", "instagram", "messenger")
]
