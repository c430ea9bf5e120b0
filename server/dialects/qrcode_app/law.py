"""qrcode-app: what is covered."""

from datetime import date

from server.dialects.dialect import Endpoint, Law

LAW = Law(
    vendor="qrcode-app.com",
    documentation="https://qrthecode2.com/docs/api",
    read=date(2026, 11, 20),
    endpoints=[
        Endpoint(
            "POST",
            "/qrcodes/generate",
            "different",
            "a payment's payee is `name` in its content, or the account's name, and its level M",
        ),
        Endpoint("POST", "/qrcodes/dynamic"),
        Endpoint("PUT", "/qrcodes/{qr_id}/destination"),
        Endpoint("GET", "/qrcodes"),
        Endpoint("GET", "/qrcodes/{qr_id}"),
        Endpoint("DELETE", "/qrcodes/{qr_id}"),
        Endpoint("GET", "/qrcodes/{qr_id}/download"),
        Endpoint("GET", "/qrcodes/{qr_id}/stats"),
        Endpoint("GET", "/qrcodes/{qr_id}/stats/daily"),
        Endpoint("GET", "/qrcodes/{qr_id}/stats/countries"),
        Endpoint("GET", "/qrcodes/{qr_id}/stats/devices"),
        Endpoint("GET", "/stats/overview"),
        Endpoint("POST", "/barcodes/generate", "different", "nothing of it is stored: its id says what it shows"),
        Endpoint(
            "GET", "/barcodes/{barcode_id}/image", "different", "ours: the `image_url` of a barcode, without a key"
        ),
        Endpoint("GET", "/barcodes/{barcode_id}/download", "different", "ours: the `download_url` of a barcode"),
        Endpoint("GET", "/api-keys"),
        Endpoint("POST", "/api-keys"),
        Endpoint("DELETE", "/api-keys/{key_id}"),
    ],
)
