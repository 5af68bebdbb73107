from django.urls import path

from apps.organizations import views

urlpatterns = [
    path("auth/register", views.RegisterView.as_view()),
    path("auth/login", views.LoginView.as_view()),
    path("auth/refresh", views.RefreshView.as_view()),
    path("auth/logout", views.LogoutView.as_view()),
    path("auth/me", views.MeView.as_view()),
    path("auth/verify-token", views.VerifyTokenView.as_view()),
    path("auth/change-password", views.ChangePasswordView.as_view()),
    path("secrets", views.SecretsView.as_view()),
    path("secrets/<uuid:pk>", views.SecretView.as_view()),
    path("secrets/<uuid:pk>/rotate", views.RotateSecretView.as_view()),
    path("secrets/<uuid:pk>/usage", views.SecretUsageView.as_view()),
]
