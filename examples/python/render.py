"""Draws a picture of which nothing is stored: the way into a WiFi, as a PDF of 5 cm."""

from pathlib import Path

from qredge import request

picture = request(
    "POST",
    "/render",
    json={
        "content": {"type": "wifi", "ssid": "Bistro", "password": "bon appetit"},
        "design": {"frame": {"style": "scan-me-bottom", "label": "Free WiFi"}},
        "format": "pdf",
        "size_inches": 1.97,
    },
)
Path("wifi.pdf").write_bytes(picture.content)
print("wifi.pdf")
