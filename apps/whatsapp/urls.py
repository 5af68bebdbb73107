from rest_framework.routers import SimpleRouter

from apps.whatsapp import views

router = SimpleRouter(trailing_slash=False)
router.register("whatsapp", views.WhatsAppAccountViewSet, basename="whatsapp-account")

urlpatterns = router.urls
