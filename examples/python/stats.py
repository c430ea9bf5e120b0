"""A link's scans of the last seven days, by day: stats.py LINK_ID"""

import sys
from datetime import UTC, datetime, timedelta

from qredge import request

_, link_id = sys.argv

first = datetime.now(UTC).date() - timedelta(days=6)
stats = request("GET", f"/links/{link_id}/stats", params={"from": first.isoformat(), "interval": "day"}).json()
for day in stats["series"]:
    print(day["start"][:10], day["scans"])
