#!/usr/bin/env bash
# Lists all QR codes, page by page, newest first: the id of each.
set -euo pipefail

api="${QRCS_BASE_URL:-http://127.0.0.1:8000/qrcodestack/api/v1}"

for ((page = 1, pages = 1; page <= pages; page++)); do
    # What may pass (429, 5xx) is tried again, as late as Retry-After says.
    answer=$(curl --silent --show-error --fail-with-body --retry 3 --header "Authorization: Bearer $QRCS_API_KEY" \
        "$api/qr-codes?page=$page&limit=100")
    grep -o '"id":"[^"]*' <<<"$answer" | cut -d '"' -f 4 || true  # there may be none
    pages=$(grep -o '"total_pages":[0-9]*' <<<"$answer" | cut -d : -f 2)
done
