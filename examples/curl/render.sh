#!/usr/bin/env bash
# Draws a picture of which nothing is stored: the way into a WiFi, as a PDF of 5 cm.
set -euo pipefail
source "$(dirname "$0")/qredge.sh"

request POST /render --output wifi.pdf --data '{
    "content": {"type": "wifi", "ssid": "Bistro", "password": "bon appetit"},
    "design": {"frame": {"style": "scan-me-bottom", "label": "Free WiFi"}},
    "format": "pdf",
    "size_inches": 1.97
}'
echo wifi.pdf
