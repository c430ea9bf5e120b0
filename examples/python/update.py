"""Sends a code that is printed already elsewhere: update.py LINK_ID DESTINATION"""

import sys

from qredge import request

_, link_id, destination = sys.argv

# If-Match refuses the change (412) where somebody else has changed the link since we looked at it.
etag = request("GET", f"/links/{link_id}").headers["etag"]
link = request("PATCH", f"/links/{link_id}", json={"destination": destination}, headers={"If-Match": etag}).json()
print(link["destination"])
