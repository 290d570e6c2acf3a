#!/bin/sh
# Sends a message and says how far it got: CARILLON_TOKEN=… ./send.sh NAME TEXT
set -eu

# However often curl has to try, one key makes it one message.
key="$(hostname)-$$-$(date +%s)"

curl --silent --show-error --fail-with-body --max-time 30 --retry 5 --retry-connrefused \
  --get "${CARILLON_URL:-http://127.0.0.1:9093}/$1.send" --data-urlencode "text=$2" \
  --header "authorization: Bearer ${CARILLON_TOKEN:-}" \
  --header "idempotency-key: $key"
echo
