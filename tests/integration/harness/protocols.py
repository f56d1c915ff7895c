"""WebSocket and gRPC servers that echo."""

from concurrent import futures

import grpc
import websockets


class WebSocketEcho:
    """Echoes text and binary messages; the first message after connecting is the request's path."""

    def __init__(self, thread):
        async def serve(socket):
            await socket.send(socket.path)
            async for message in socket:
                await socket.send(message)

        async def start():
            return await websockets.serve(serve, "127.0.0.1", 0, max_size=1 << 22)

        self._thread = thread
        self._server = thread.call(start())
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self):
        async def end():
            self._server.close()
            await self._server.wait_closed()

        self._thread.call(end())


class GrpcEcho:
    """
    /echo.Echo/Say (unary, in capitals), /echo.Echo/Stream (each message back, both ways), /echo.Echo/Fail,
    /echo.Echo/Metadata (a header's name in, its value out).
    """

    def __init__(self, credentials=None):
        def fail(request, context):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked")

        def stream(requests, context):
            for request in requests:
                yield request + b"!"

        methods = {
            "Say": grpc.unary_unary_rpc_method_handler(lambda request, _: request.upper()),
            "Metadata": grpc.unary_unary_rpc_method_handler(
                lambda request, context: dict(context.invocation_metadata()).get(request.decode(), "").encode()),
            "Fail": grpc.unary_unary_rpc_method_handler(fail),
            "Stream": grpc.stream_stream_rpc_method_handler(stream),
        }
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", methods),))
        self.port = (self._server.add_secure_port("127.0.0.1:0", credentials) if credentials
                     else self._server.add_insecure_port("127.0.0.1:0"))
        self._server.start()

    def close(self):
        self._server.stop(0).wait(5)
