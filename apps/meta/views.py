"""`/api/v1/{channel}/webhook` as Django sees it: verification. Deliveries are taken by the intake, ahead of Django."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.meta import verification

_NOT_HERE = "This process takes no webhooks: they belong to the intake (config.asgi)."


@csrf_exempt
@require_http_methods(["GET", "POST"])
def webhook(request: HttpRequest, channel: str) -> HttpResponse:
    """Answer the challenge to one who knows a verify token. Public: it gives nothing away."""
    if request.method == "POST":
        error = {"code": "intake_elsewhere", "message": _NOT_HERE, "details": None}
        return JsonResponse({"detail": _NOT_HERE, "error": error}, status=503)
    mode, token, challenge = (request.GET.get(f"hub.{name}", "") for name in ("mode", "verify_token", "challenge"))
    if not (mode and token and challenge):
        return HttpResponse("hub.mode, hub.verify_token and hub.challenge are required.", "text/plain", 400)
    if mode != "subscribe" or not verification.is_known(channel=channel, token=token):
        return HttpResponse("The verify token is not known.", "text/plain", 403)
    return HttpResponse(challenge, "text/plain")
