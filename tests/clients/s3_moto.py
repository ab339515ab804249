"""An S3 store for the gateway to stand before: moto, which keeps everything in memory.

Says `ready store=http://127.0.0.1:PORT`, and ends when its standard input does.
"""

import logging
import sys

from moto.server import ThreadedMotoServer


def main():
    # One line for each request is too many.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    print(f"ready store=http://127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
