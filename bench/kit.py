"""
What the plugin kit itself costs: user-space instructions per request of a route without plugins, and of the same route
with a plugin that has a method in every phase and does nothing in it (tests/plugins/noop).
"""

import sys

from instructions import per_request
from rig import BODY_BYTES, UPSTREAM, Nginx
from harness.gateway import BUILD, Gateway

MOST = 300


def main():
    upstream = Nginx(UPSTREAM, body="x" * BODY_BYTES)
    gateway = Gateway(workers=1, settings={"proxy_access_log": "off", "plugins": "noop", "plugin_path": BUILD / "tests" / "kit"})
    try:
        gateway.start()
        path = gateway.add(f"http://127.0.0.1:{upstream.port}").path + "/"
        conf = gateway.prefix / "nginx.conf"
        without = per_request(conf, gateway.proxy, path)
        gateway.admin.ok("POST", "/plugins", {"name": "noop"})
        with_noop = per_request(conf, gateway.proxy, path)
    finally:
        gateway.close()
        upstream.close()
    print(f"no plugin     {without:>9,.0f} instructions/request")
    print(f"noop plugin   {with_noop:>9,.0f} instructions/request, {with_noop - without:+,.0f} (at most {MOST})")
    return 0 if with_noop - without <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
