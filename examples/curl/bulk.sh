#!/usr/bin/env bash
# Makes a hundred links by one request: all of them, or none.
set -euo pipefail
source "$(dirname "$0")/qredge.sh"

items=$(for table in $(seq 100); do
    printf '{"destination": "https://example.com/menu?table=%d", "title": "Table %d"},' "$table" "$table"
done)
request POST /links/batch --data "{\"mode\": \"all_or_nothing\", \"items\": [${items%,}]}" |
    grep -o '"created":[0-9]*' | cut -d : -f 2
