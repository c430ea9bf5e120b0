"""What a program in Python does with the API, by the client that openapi-python-client made of its document."""

import sys

from qredge_client import AuthenticatedClient
from qredge_client.api.links import create_link, list_links, update_link
from qredge_client.api.qr_codes import create_qr_code, get_qr_code_image
from qredge_client.models import Link, LinkChange, LinkCreate, LinkPage, Problem, QrCode, QrCodeCreate
from qredge_client.models.get_qr_code_image_format import GetQrCodeImageFormat

url, key = sys.argv[1:]

with AuthenticatedClient(base_url=url, token=key) as client:
    link = create_link.sync(client=client, body=LinkCreate(destination="https://example.com/", title="One"))
    assert isinstance(link, Link)
    assert link.redirect_status == 302

    page = list_links.sync(client=client, limit=1)
    assert isinstance(page, LinkPage)
    assert [each.id for each in page.data] == [link.id]

    changed = update_link.sync(link.id, client=client, body=LinkChange(title=None))
    assert isinstance(changed, Link)
    assert changed.title is None

    code = create_qr_code.sync(client=client, body=QrCodeCreate(link_id=link.id))
    assert isinstance(code, QrCode)
    assert code.short_url == link.short_url

    image = get_qr_code_image.sync_detailed(code.id, client=client, format_=GetQrCodeImageFormat.SVG)
    assert image.status_code == 200
    assert b"<svg" in image.content

    refused = create_link.sync(client=client, body=LinkCreate(destination="ftp://example.com/"))
    assert isinstance(refused, Problem)
    assert refused.code == "invalid_fields"
