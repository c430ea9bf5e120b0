#!/usr/bin/env bash
# Makes a QR code with a link of its own, and saves its picture.
set -euo pipefail
source "$(dirname "$0")/qredge.sh"

# With an Idempotency-Key, a request whose answer was lost can be sent again.
code=$(request POST /qr-codes --header "Idempotency-Key: table-7-$(date +%s%N)" --data '{
    "destination": "https://example.com/menu",
    "name": "Table 7",
    "design": {"modules": {"shape": "rounded", "color": "#203080"}}
}')
request GET "/qr-codes/$(field id <<<"$code")/image?format=png&size=1024" --output table-7.png
field short_url <<<"$code"
