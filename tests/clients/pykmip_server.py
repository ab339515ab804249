"""A stock PyKMIP server beside ours: the speed baseline, and the peer the client scripts can be compared with.

    pykmip_server.py [--rsa] DIR [PORT]

DIR receives what `claviger server --export-client` writes (ca.pem, cert.pem, key.pem, client.pem), so that every
client script and `claviger bench --client DIR` works against either server. Prints one line when the port accepts:

    ready kmip=127.0.0.1:PORT

PyKMIP offers AEAD suites only to ECDSA certificates, so that everything here is P-256; with --rsa everything is RSA,
and whoever has no CBC suites has nothing in common with it.
It knows nothing of Claviger.
"""

import datetime
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def issue(subject, issuer, issuer_key, public_key, extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=30))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def write(directory, file, data):
    path = os.path.join(directory, file)
    with open(path, "wb") as out:
        out.write(data)
    return path


def ecdsa_key():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificates(directory, new_key):
    """One CA, a server and a client certificate; returns nothing, leaves the files in `directory`."""
    ca_key = new_key()
    ca = issue("baseline ca", "baseline ca", ca_key, ca_key.public_key(),
               [(x509.BasicConstraints(ca=True, path_length=None), True)])
    server_key = new_key()
    server = issue("127.0.0.1", "baseline ca", ca_key, server_key.public_key(), [
        (x509.SubjectAlternativeName([
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    ])
    client_key = new_key()
    client = issue("baseline client", "baseline ca", ca_key, client_key.public_key(), [
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    ])
    write(directory, "ca.pem", pem(ca))
    write(directory, "server-cert.pem", pem(server))
    write(directory, "server-key.pem", key_pem(server_key))
    write(directory, "cert.pem", pem(client))
    write(directory, "key.pem", key_pem(client_key))
    write(directory, "client.pem", key_pem(client_key) + pem(client) + pem(ca))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--rsa"]
    directory = os.path.abspath(arguments[0])
    port = int(arguments[1]) if len(arguments) > 1 else free_port()
    os.makedirs(os.path.join(directory, "policy"), exist_ok=True)
    certificates(directory, rsa_key if "--rsa" in sys.argv else ecdsa_key)
    configuration = write(directory, "server.conf", "\n".join([
        "[server]",
        "hostname=127.0.0.1",
        f"port={port}",
        f"certificate_path={directory}/server-cert.pem",
        f"key_path={directory}/server-key.pem",
        f"ca_path={directory}/ca.pem",
        "auth_suite=TLS1.2",
        f"policy_path={directory}/policy",
        "enable_tls_client_auth=True",
        "logging_level=ERROR",
        f"database_path={directory}/pykmip.db",
        "",
    ]).encode())
    program = os.path.join(os.path.dirname(sys.executable), "pykmip-server")
    with open(os.path.join(directory, "stderr.txt"), "wb") as stderr:
        server = subprocess.Popen(
            [program, "-f", configuration, "-l", os.path.join(directory, "server.log")],
            stdout=stderr, stderr=stderr, start_new_session=True)
    # However we end, it ends with us: it starts processes of its own, and outlives a polite request.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(server, port, directory)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def serve(server, port, directory):
    """Waits until the port accepts, says so, and lasts until our stdin is closed."""
    deadline = time.monotonic() + 30
    while not accepts(port):
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"PyKMIP's server did not start; see {directory}/stderr.txt and server.log")
        time.sleep(0.05)
    print(f"ready kmip=127.0.0.1:{port}", flush=True)
    sys.stdin.read()


main()
