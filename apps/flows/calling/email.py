"""Sends a letter by the mail server of EMAIL_URL."""

import smtplib

import structlog
from django.conf import settings
from django.core import exceptions, mail, validators

from apps.flows import calls

RECIPIENTS = 10
_UNSENT = ("django.core.mail.backends.console.EmailBackend", "django.core.mail.backends.dummy.EmailBackend")

log = structlog.get_logger(__name__)


def perform(call: calls.Email) -> calls.Result:
    """Send the letter, as plain text, from EMAIL_FROM; it is sent once the mail server has taken it."""
    if error := _refusal(call):
        return calls.Result(ok=False, error=error)
    letter = mail.EmailMessage(subject=call.subject, body=call.text, to=list(call.to))
    try:
        letter.send()
    except smtplib.SMTPRecipientsRefused as refused:
        return calls.Result(ok=False, error=f"The mail server refuses {', '.join(sorted(refused.recipients))}.")
    except smtplib.SMTPResponseException as refused:
        log.warning("mail_refused", code=refused.smtp_code)
        return calls.Result(ok=False, error=f"The mail server refused the letter with the code {refused.smtp_code}.")
    except (smtplib.SMTPException, OSError) as failed:
        log.warning("mail_failed", error=type(failed).__name__)
        return calls.Result(ok=False, error="The mail server cannot be reached, or broke off.")
    return calls.Result(ok=True)


def _refusal(call: calls.Email) -> str:
    """Why the letter is not sent; empty if it is."""
    if settings.EMAIL_BACKEND in _UNSENT:
        return "No letter can be sent: no mail server is configured (EMAIL_URL)."
    if not 1 <= len(call.to) <= RECIPIENTS:
        return f"A letter goes to between 1 and {RECIPIENTS} recipients, not to {len(call.to)}."
    for address in call.to:
        try:
            validators.validate_email(address)
        except exceptions.ValidationError:
            return f"{address!r} is no e-mail address."
    if call.subject.splitlines() not in ([], [call.subject]):
        return "The subject of a letter has one line."
    return ""
