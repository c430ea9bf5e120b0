"""The processes that answer: Granian's, as they are started, watched and stopped here."""

from pathlib import Path

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer as Granian

from server import logs
from server.settings import Settings

WORKER_STOP_S = 15


class Workers(Granian):
    """As many as the settings say; `serve` returns when a signal has said stop."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            "server.app:create_app",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.host,
            port=settings.port,
            uds=Path(settings.unix_socket) if settings.unix_socket else None,
            uds_permissions=int(settings.unix_socket_mode, 8),
            workers=settings.workers,
            ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate else None,
            ssl_key=Path(settings.tls_key) if settings.tls_key else None,
            ssl_protocol_min=SSLProtocols.tls12,  # phones of ten years ago scan, too
            http=HTTPModes.http1,
            loop=Loops.uvloop,
            websockets=False,
            backlog=4096,
            log_level=LogLevels.warning,
            log_dictconfig=logs.configuration(settings.log_level),
            respawn_failed_workers=True,
            workers_kill_timeout=WORKER_STOP_S,
        )

    def shutdown(self, exit_code: int = 0) -> None:
        # Nobody is let in who would not be answered any more.
        if self.bind_uds is not None:
            self.bind_uds.unlink(missing_ok=True)
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]
