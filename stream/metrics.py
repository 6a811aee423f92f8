"""What the gateway counts, for Prometheus."""

from typing import Final

from prometheus_client import Counter, Gauge

CLIENTS: Final = Gauge("wellstream_gateway_clients", "Connected clients")
DELIVERIES: Final = Counter("wellstream_gateway_deliveries", "Records frames written to clients")
FRAMES: Final = Counter("wellstream_gateway_frames", "Records frames built, each shared by all its clients")
BACKFILLED: Final = Counter(
    "wellstream_gateway_backfilled", "Log rows read because the doorbell or a client lacked them"
)
OUTBOX_FULL: Final = Counter("wellstream_gateway_outbox_full", "Times that a client's outbox filled up")
CLOSES: Final = Counter("wellstream_gateway_closes", "Connections ended by the gateway", ["reason"])
RELOADS: Final = Counter("wellstream_gateway_reloads", "Topics that a client had to reload", ["reason"])
LAG: Final = Gauge("wellstream_gateway_lag", "Positions between the newest log row known and the newest sent")
