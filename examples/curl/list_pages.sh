#!/usr/bin/env bash
# Lists all links, page by page, newest first.
set -euo pipefail
source "$(dirname "$0")/qredge.sh"

cursor=
while
    page=$(request GET "/links?limit=100${cursor:+&cursor=$cursor}")
    grep -o '"short_url":"[^"]*' <<<"$page" | cut -d '"' -f 4 || true  # the last page may be empty
    cursor=$(field next_cursor <<<"$page" || true)
    [ -n "$cursor" ]
do :; done
