"""http3.py - servers that speak HTTP/3, by the nginx of the system that a row is about."""
from compat import place
from compat.play import SERVERS
from lab import clients
from lab.servers import free_port

NGINX = clients.Program("nginx", "nginx", None, None)


def block(pki, home, server, port):
    leaf = server.partition("/")[0]
    return f"""
        server {{
            listen 127.0.0.1:{port} quic; listen 127.0.0.1:{port} ssl;
            location / {{ return 200 "hello from {server}\\n"; }}
            ssl_certificate {pki.chain(leaf)}; ssl_certificate_key {pki.key(leaf)};
        }}"""


def start(lab, row, store):
    """Where ROW's servers have a system's name before them: that system's nginx with all of them."""
    if not row.server or row.server + SERVERS[0] in lab.servers.ports:
        return
    suite = row.server.rstrip("/")
    home, ports = lab.scratch / f"http3-{suite}", {name: free_port() for name in SERVERS}
    home.mkdir()
    blocks = "".join(block(lab.pki, home, *each) for each in ports.items())
    temporary = "".join(f"{kind}_temp_path {home};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (home / "nginx.conf").write_text(
        f"daemon off; master_process off; user root root; pid {home}/pid; error_log {home}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} {blocks}\n}}\n")
    inside = place.inside(lab, store.debian(suite), NGINX)
    process = lab.servers.start([*inside.prefix, "nginx", "-e", f"{home}/error.log", "-c",
                                 f"{home}/nginx.conf", "-p", str(home)], cwd=home)
    for name, port in ports.items():
        lab.servers.wait_for(row.server + name, process, port)
