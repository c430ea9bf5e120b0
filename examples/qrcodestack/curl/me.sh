#!/usr/bin/env bash
# The account, its plan, and what is used of it.
set -euo pipefail

api="${QRCS_BASE_URL:-http://127.0.0.1:8000/qrcodestack/api/v1}"

curl --silent --show-error --fail-with-body --header "Authorization: Bearer $QRCS_API_KEY" "$api/me"
