#!/usr/bin/env bash
# Makes a QR code, saves its picture as qr.png, and prints where it leads from: create-qr.sh NAME URL
set -euo pipefail

api="${QRCS_BASE_URL:-http://127.0.0.1:8000/qrcodestack/api/v1}"
ask=(curl --silent --show-error --fail-with-body --header "Authorization: Bearer $QRCS_API_KEY")

code=$("${ask[@]}" --header "Content-Type: application/json" "$api/qr-codes" --data "{
    \"name\": \"$1\",
    \"type\": \"url\",
    \"destination_url\": \"$2\",
    \"render_customizations\": {\"dot_color\": \"#1d4ed8\", \"dot_shape\": \"rounded\", \"frame\": \"scan-me-bottom\"}
}")
id=$(grep -o '"id":"[^"]*' <<<"$code" | cut -d '"' -f 4)
"${ask[@]}" --output qr.png "$api/qr-codes/$id/image?size=1024"
grep -o '"redirect_url":"[^"]*' <<<"$code" | cut -d '"' -f 4
