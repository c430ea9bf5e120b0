"""GET /i/{qr_id}.{format}: the picture of a stored code, for whoever knows its id."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.schema import path_id
from server.domain.errors import BadPicture, Busy, InvalidValue, NotFound, StorageUnavailable
from server.domain.model import QrCodeId
from server.domain.order import MEDIA_TYPES, ImageFormat
from server.domain.qrcodes import QrCodes
from server.images import PICTURE, PICTURE_HEADERS, image_answer
from server.openapi import operation
from server.wire import ByMethod

FORMATS: dict[str, ImageFormat] = {name: name for name in MEDIA_TYPES}

#: A code may change; so long its old picture may be shown by browsers and caches, which then ask by its ETag.
CACHED = "public, max-age=60, must-revalidate"


def public_routes(codes: QrCodes) -> list[Route]:
    @operation(
        takes=["If-None-Match"],
        answers={200: PICTURE, 304: None},
        sends=["Cache-Control", *PICTURE_HEADERS],
        refusals=[NotFound, BadPicture, InvalidValue, Busy, StorageUnavailable],
    )
    async def get_public_image(request: Request) -> Response:
        """Show a QR code to anyone.

        The picture of a stored code as it is, for web pages: there is nothing to choose but the format.
        """
        name = str(request.path_params["format"])
        if name not in FORMATS:
            raise NotFound(f"There are no pictures as {name!r}. Ask for {', '.join(FORMATS)}.")
        code_id = QrCodeId(path_id(request, "qr", "QR code", "qr_id"))
        shown = await codes.show_to_anyone(code_id, format=FORMATS[name])
        # Whoever looks at a page is no request of the account, so nobody else can use its plan up.
        return await image_answer(request, shown, None, cached=CACHED)

    return [Route("/i/{qr_id}.{format}", ByMethod(GET=get_public_image))]
