#!/usr/bin/env bash
# Makes a hundred QR codes by one request, all of them or none; prints how many (plan Advanced).
set -euo pipefail

api="${QRCS_BASE_URL:-http://127.0.0.1:8000/qrcodestack/api/v1}"

items=$(for table in $(seq 100); do
    printf '{"name": "Table %d", "type": "url", "destination_url": "https://example.com/menu?table=%d"},' \
        "$table" "$table"
done)
curl --silent --show-error --fail-with-body --header "Authorization: Bearer $QRCS_API_KEY" \
    --header "Content-Type: application/json" "$api/qr-codes/bulk" --data "{\"items\": [${items%,}]}" |
    grep -o '"count":[0-9]*' | cut -d : -f 2
