#!/usr/bin/env bash
# Sends a code that is printed already elsewhere: update.sh LINK_ID DESTINATION
set -euo pipefail
source "$(dirname "$0")/qredge.sh"

# If-Match refuses the change (412) where somebody else has changed the link since we looked at it.
etag=$(request GET "/links/$1" --dump-header - --output /dev/null | tr -d '\r' | sed -n 's/^etag: //Ip')
request PATCH "/links/$1" --header "If-Match: $etag" --data "{\"destination\": \"$2\"}" | field destination
