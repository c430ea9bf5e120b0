#!/usr/bin/env bash
# A link's scans of the last seven days, by day: stats.sh LINK_ID
set -euo pipefail
source "$(dirname "$0")/qredge.sh"

from=$(date --utc --date "6 days ago" +%F)
request GET "/links/$1/stats?from=$from&interval=day" |
    grep -o '"start":"[^"]*","scans":[0-9]*' | sed -E 's/"start":"([^T]*)T.*:([0-9]*)/\1 \2/'
