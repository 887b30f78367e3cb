"""From which address a request comes: `ClientAddress`."""

from typing import Any

from starlette.requests import HTTPConnection

from donjon import Client, MalformedAddress, Proxies

__all__ = ["ClientAddress"]


class ClientAddress:
    """Depends: the client's address, `None` where the peer has none: a socket of Unix, a test.

        address = ClientAddress(Proxies("x-forwarded-for", trusted=["10.0.0.0/8"]))

        @app.get("/me")
        def me(client: Annotated[Client | None, Depends(address)]) -> str: ...

    Without `proxies` it is the peer's, whatever the request's headers say.
    """

    def __init__(self, proxies: Proxies | None = None) -> None:
        self._proxies = proxies or Proxies()
        header = self._proxies.header
        self._header = None if header is None else header.lower().encode()

    async def __call__(self, connection: HTTPConnection) -> Client | None:
        """Return the client's address."""
        return self.of(connection.scope)

    def of(self, scope: Any) -> Client | None:
        """Return the address of what has this ASGI scope."""
        peer, _ = scope.get("client") or (None, None)
        lines = [line for name, line in scope["headers"] if name == self._header]
        try:
            return self._proxies.client(peer, lines)
        except MalformedAddress:
            return None
