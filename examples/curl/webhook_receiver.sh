#!/usr/bin/env bash
# Has events sent to a receiver (that of Python or Node), and shows what became of a first one: webhook_receiver.sh URL
# The receiver needs the secret, so this prints it; it is shown this once.
set -euo pipefail
source "$(dirname "$0")/qredge.sh"

webhook=$(request POST /webhooks --data "{
    \"url\": \"$1\",
    \"events\": [\"link.created\", \"link.updated\", \"link.deleted\"]
}")
field secret <<<"$webhook"
request POST "/webhooks/$(field id <<<"$webhook")/test" | field status
