#!/bin/sh
# Process ids repeat from one container to the next, so each container counts in a folder of its own.
set -eu
export METRICS_DIR=/metrics PROMETHEUS_MULTIPROC_DIR="/metrics/$HOSTNAME"
rm -rf "$PROMETHEUS_MULTIPROC_DIR"
mkdir -p "$PROMETHEUS_MULTIPROC_DIR"
exec "$@"
