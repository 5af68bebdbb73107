"""The shapes of signing in, and of secrets."""

import re
from typing import Any

from rest_framework import serializers

from apps.core import encryption
from apps.organizations import secrets
from apps.organizations.models import Secret, User
from apps.organizations.permissions import PERMISSIONS


class EmailField(serializers.EmailField):
    """An e-mail as it is stored: in lower case, before its length is checked."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).strip().lower()


class PasswordField(serializers.CharField):
    """A password that is being chosen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=8, max_length=100, trim_whitespace=False, write_only=True, **options)
        self.validators.append(_check_mixed)


def _check_mixed(password: str) -> None:
    if not all(re.search(pattern, password) for pattern in ("[A-Z]", "[a-z]", "[0-9]")):
        raise serializers.ValidationError("Use at least one capital letter, one small letter and one digit.")


class UserSerializer(serializers.ModelSerializer[User]):
    """A person; of these fields they change their own profile's, the others say what administrators decided."""

    is_online = serializers.BooleanField(read_only=True)
    last_login_at = serializers.DateTimeField(source="last_login", read_only=True)
    department_ids = serializers.PrimaryKeyRelatedField(source="departments", many=True, read_only=True)  # type: ignore[var-annotated]
    permissions = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "id",
            "organization_id",
            "email",
            "full_name",
            "phone_number",
            "avatar_url",
            "bio",
            "role",
            "email_verified",
            "is_active",
            "is_online",
            "last_seen_at",
            "last_login_at",
            "agent_status",
            "agent_greeting_message",
            "department_ids",
            "permissions",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["email", "role", "email_verified", "is_active", "last_seen_at"]

    def get_permissions(self, user: User) -> list[str]:
        return PERMISSIONS[user.role]


class RegisterSerializer(serializers.Serializer[Any]):
    email = EmailField()
    password = PasswordField()
    full_name = serializers.CharField(min_length=2, max_length=255)
    organization_name = serializers.CharField(min_length=2, max_length=255)


class LoginSerializer(serializers.Serializer[Any]):
    """A wrong password may be of any length: only one that is right needs to fit."""

    email = EmailField()
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)


class RefreshSerializer(serializers.Serializer[Any]):
    """Clients send the token by either name."""

    refresh_token = serializers.CharField(max_length=4000, required=False)
    refresh = serializers.CharField(max_length=4000, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        token = attrs.get("refresh_token") or attrs.get("refresh")
        if token is None:
            raise serializers.ValidationError({"refresh_token": "This field is required."})
        return {"refresh_token": token}


class ChangePasswordSerializer(serializers.Serializer[Any]):
    current_password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    new_password = PasswordField()


class TokenSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField(source="access")
    refresh_token = serializers.CharField(source="refresh")
    token_type = serializers.CharField(default="bearer")
    expires_in = serializers.IntegerField(help_text="Seconds.")


class SignedInSerializer(serializers.Serializer[Any]):
    user = UserSerializer()
    token = TokenSerializer()
    message = serializers.CharField()


class DoneSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=True)
    message = serializers.CharField()


class VerifiedTokenSerializer(serializers.Serializer[Any]):
    valid = serializers.BooleanField()
    user_id = serializers.UUIDField()
    organization_id = serializers.UUIDField()
    role = serializers.CharField()


class SecretSerializer(serializers.ModelSerializer[Secret]):
    """A secret as it is shown and taken: its value goes in, and never comes out."""

    name = serializers.RegexField(f"^{secrets.NAME}$", max_length=64)
    host = serializers.CharField(max_length=2000, help_text="Where its value may be sent; a URL stands for its host.")
    value = serializers.CharField(max_length=secrets.MAX_VALUE, write_only=True, trim_whitespace=False)
    hint = serializers.SerializerMethodField(help_text="The end of the value, if it is long enough to keep the rest.")

    class Meta:
        model = Secret
        fields = ("id", "name", "host", "description", "value", "hint", "rotated_at", "created_at", "updated_at")
        read_only_fields = ("id", "rotated_at", "created_at", "updated_at")

    def get_hint(self, secret: Secret) -> str:
        """What may be shown of the value."""
        return encryption.mask(secret.value)


class RotateSerializer(serializers.Serializer):
    """A new value for the same host."""

    value = serializers.CharField(max_length=secrets.MAX_VALUE, write_only=True, trim_whitespace=False)


class UseSerializer(serializers.Serializer):
    """Where a secret is named."""

    kind = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()
    detail = serializers.CharField()
