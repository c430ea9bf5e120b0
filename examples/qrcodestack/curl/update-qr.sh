#!/usr/bin/env bash
# Sends a QR code that is printed already elsewhere: update-qr.sh ID URL
set -euo pipefail

api="${QRCS_BASE_URL:-http://127.0.0.1:8000/qrcodestack/api/v1}"

curl --silent --show-error --fail-with-body --request PATCH --header "Authorization: Bearer $QRCS_API_KEY" \
    --header "Content-Type: application/json" "$api/qr-codes/$1" --data "{\"destination_url\": \"$2\"}" |
    grep -o '"destination_url":"[^"]*' | cut -d '"' -f 4
