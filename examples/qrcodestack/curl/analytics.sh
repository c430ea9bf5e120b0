#!/usr/bin/env bash
# What is known of a QR code's scans: analytics.sh ID [FROM [TO]], by days such as 2026-11-20
set -euo pipefail

api="${QRCS_BASE_URL:-http://127.0.0.1:8000/qrcodestack/api/v1}"

curl --silent --show-error --fail-with-body --header "Authorization: Bearer $QRCS_API_KEY" \
    "$api/qr-codes/$1/analytics?${2:+from=$2&}${3:+to=$3}"
