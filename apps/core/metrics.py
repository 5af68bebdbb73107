"""What Prometheus sees; in several processes when PROMETHEUS_MULTIPROC_DIR is set (the launcher and compose set it)."""

from prometheus_client import Counter, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

ACKNOWLEDGED = Counter("recado_webhooks_acknowledged_total", "Webhooks stored and answered 200", ["channel"])
REFUSED = Counter("recado_webhooks_refused_total", "Webhooks not answered 200", ["channel", "reason"])
STORE_SECONDS = Histogram("recado_intake_store_seconds", "From body read to committed", buckets=_SECONDS)
PROCESSED = Counter("recado_webhooks_processed_total", "Events drained")
ITEMS = Counter("recado_items_total", "Webhook items by what became of them", ["kind", "state"])
TURNS = Counter("recado_turns_total", "Turns by outcome", ["outcome"])
TURN_SECONDS = Histogram(
    "recado_turn_seconds", "From the customer's message received to the reply queued", buckets=_SECONDS
)
SENDS = Counter("recado_sends_total", "Send attempts by the status they left", ["status"])
SEND_SECONDS = Histogram("recado_send_seconds", "One call to the platform", ["channel"], buckets=_SECONDS)
