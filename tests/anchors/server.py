"""Serves the folders below `sites` by host name over TLS on port 443 of loopback, and writes down what it is asked for."""

import fcntl
import http.server
import os
import socket
import ssl
import struct

# The loopback device of a new namespace is down.
with socket.socket() as device:
    up = struct.pack("16sh", b"lo", 1)
    fcntl.ioctl(device, 0x8914, up)


class Handler(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        host = self.headers.get("Host", "").split(":")[0]
        return os.path.join("sites", host, path.split("?")[0].lstrip("/"))

    def log_request(self, code="-", size="-"):
        with open("requests", "a") as log:
            print(self.headers.get("Host"), self.path, code, file=log)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.crt", "server.key")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
open("ready", "w").close()
server.serve_forever()
