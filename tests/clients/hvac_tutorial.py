"""HashiCorp's tutorial for the KMIP secrets engine, step by step, with hvac, their Python client.

The credential that the tutorial generates then drives PyKMIP, which is what the tutorial is for.
"""

import os
import ssl
import tempfile
import warnings

import hvac
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID, NameOID

from kmip import enums
from kmip.pie.client import ProxyKmipClient

from checks import Checks, arguments, equal, true

OPERATIONS = ["activate", "create", "get"]


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w") as out:
        out.write(text)
    return path


def kmip_client(address, directory, version=enums.KMIPVersion.KMIP_1_4):
    host, port = address.rsplit(":", 1)
    return ProxyKmipClient(
        hostname=host, port=int(port), cert=f"{directory}/cert.pem", key=f"{directory}/key.pem",
        ca=f"{directory}/ca.pem", ssl_version="PROTOCOL_SSLv23", config_file="/dev/null", kmip_version=version)


def denied(call, *args, **kwargs):
    """The call is refused by permission, not by anything else."""
    try:
        call(*args, **kwargs)
    except Exception as error:
        equal(getattr(error, "reason", None), enums.ResultReason.PERMISSION_DENIED, f"reason of {error!r}")
    else:
        raise AssertionError("the operation was allowed")


def shut_out(address, directory):
    """The credential no longer opens a connection, or no request on it."""
    client = kmip_client(address, directory)
    try:
        client.open()
        client.create(enums.CryptographicAlgorithm.AES, 256)
    except (OSError, ssl.SSLError):
        return
    except Exception as error:
        reason = getattr(error, "reason", None)
        true(reason in (None, enums.ResultReason.PERMISSION_DENIED,
                        enums.ResultReason.AUTHENTICATION_NOT_SUCCESSFUL), f"refused for {reason}")
        return
    finally:
        try:
            client.close()
        except Exception:  # the server has closed already
            pass
    raise AssertionError("a revoked credential still works")


class Tutorial:
    def __init__(self, checks, options):
        self.checks = checks
        self.check = checks.check
        self.vault = hvac.Client(url=options.api, token=options.token)
        self.directory = tempfile.mkdtemp(prefix="hvac-")

    def mount(self):
        with self.check("the server is there, initialised and unsealed"):
            true(self.vault.is_authenticated(), "the token is good")
            true(self.vault.sys.is_initialized(), "initialised")
            true(not self.vault.sys.is_sealed(), "unsealed")
            status = self.vault.sys.read_health_status(method="GET")
            equal(status["initialized"], True)
            equal(self.vault.sys.read_health_status(method="HEAD").status_code, 200)
            equal(self.vault.auth.token.lookup_self()["data"]["policies"], ["root"])
        with self.check("step 1: enable the engine at a path"):
            # The dev server has kmip/ already, so that the tutorial runs at another path.
            mounts = self.vault.sys.list_mounted_secrets_engines()["data"]
            equal(mounts["kmip/"]["type"], "kmip")
            self.vault.sys.enable_secrets_engine("kmip", path="tutorial")
            mounts = self.vault.sys.list_mounted_secrets_engines()["data"]
            equal(mounts["tutorial/"]["type"], "kmip")
        with self.check("a path is mounted once, and only engines that exist"):
            for kind, path in (("kmip", "tutorial"), ("no-such-engine", "elsewhere")):
                try:
                    self.vault.sys.enable_secrets_engine(kind, path=path)
                except hvac.exceptions.InvalidRequest:
                    continue
                raise AssertionError(f"{kind} was mounted at {path}")

    def configure(self):
        with self.check("a mount that was never configured has no configuration and no CA"):
            equal(self.vault.read("tutorial/config"), None)
        with self.check("step 1: configure the listener"):
            self.vault.write_data("tutorial/config", data={
                "listen_addrs": "127.0.0.1:0", "server_hostnames": "localhost", "default_tls_client_ttl": "24h"})
            found = self.vault.read("tutorial/config")["data"]
            equal(found["tls_ca_key_type"], "ec")
            equal(found["tls_ca_key_bits"], 256)
            equal(found["server_hostnames"], ["localhost"])
            equal(found["server_ips"], ["127.0.0.1", "::1"])
            equal(found["tls_min_version"], "tls12")
            equal(found["default_tls_client_ttl"], 86400)
            equal(found["default_tls_client_key_type"], "ec")
            equal(found["default_tls_client_key_bits"], 256)
            self.address = found["listen_addrs"]
            true(isinstance(self.address, list) and len(self.address) == 1, "a list of one")
        with self.check("step 1: the CA, intermediate then root"):
            pem = self.vault.read("tutorial/ca")["data"]["ca_pem"]
            chain = x509.load_pem_x509_certificates(pem.encode())
            equal(len(chain), 2)
            equal(chain[0].issuer, chain[1].subject)
            equal(chain[1].issuer, chain[1].subject, "self-signed")
            write(self.directory, "ca.pem", pem)

    def scope_and_role(self, mount):
        with self.check(f"{mount}: step 2: scopes"):
            equal(self.vault.list(f"{mount}/scope/finance/role"), None, "nothing to list")
            self.vault.write_data(f"{mount}/scope/finance")
            self.vault.write_data(f"{mount}/scope/finance")
            true("finance" in self.vault.list(f"{mount}/scope")["data"]["keys"], "listed, once more is no error")
        with self.check(f"{mount}: step 2: roles"):
            self.vault.write_data(f"{mount}/scope/finance/role/accounting", data={"operation_all": True})
            equal(self.vault.list(f"{mount}/scope/finance/role")["data"]["keys"], ["accounting"])
            role = self.vault.read(f"{mount}/scope/finance/role/accounting")["data"]
            equal(role, {"operation_all": True, "tls_client_key_bits": 0, "tls_client_key_type": "",
                         "tls_client_ttl": 0})
            equal(self.vault.read(f"{mount}/scope/finance/role/nobody"), None)

    def credential(self, mount):
        base = f"{mount}/scope/finance/role/accounting/credential"
        with self.check(f"{mount}: step 3: generate, pem"):
            equal(self.vault.list(base), None, "none yet")
            made = self.vault.write_data(f"{base}/generate", data={"format": "pem"})["data"]
            certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
            subject = {a.oid: a.value for a in certificate.subject}
            equal(sorted(len(v) for v in subject.values()), [5, 5])
            true(NameOID.ORGANIZATIONAL_UNIT_NAME in subject and NameOID.COMMON_NAME in subject, "OU and CN are ids")
            equal(str(certificate.serial_number), made["serial_number"], "decimal")
            true(isinstance(certificate.public_key(), ec.EllipticCurvePublicKey), "EC by default")
            certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
            equal(len(made["ca_chain"]), 2)
            true(made["private_key"].startswith("-----BEGIN EC PRIVATE KEY-----"), "SEC1")
            write(self.directory, "ca.pem", "".join(part.rstrip("\n") + "\n" for part in made["ca_chain"]))
            write(self.directory, "cert.pem", made["certificate"])
            write(self.directory, "key.pem", made["private_key"])
            self.serial = made["serial_number"]
        with self.check(f"{mount}: step 3: list and lookup"):
            equal(self.vault.list(base)["data"]["keys"], [self.serial])
            found = self.vault.read(f"{base}/lookup?serial_number={self.serial}")["data"]
            equal(found["serial_number"], self.serial)
            equal(found["certificate"].strip(), made["certificate"].strip())
            true("private_key" not in found, "the key is given once")
        with self.check(f"{mount}: pem_bundle is the default: key, certificate, chain"):
            bundle = self.vault.write_data(f"{base}/generate")["data"]
            parts = [line for line in bundle["certificate"].splitlines() if line.startswith("-----BEGIN")]
            equal(parts, ["-----BEGIN EC PRIVATE KEY-----"] + ["-----BEGIN CERTIFICATE-----"] * 3)
            self.vault.write_data(f"{base}/revoke", data={"serial_number": bundle["serial_number"]})

    def use(self, address):
        with self.check("step 4: the credential drives PyKMIP"):
            client = kmip_client(address, self.directory)
            client.open()
            uid = client.create(enums.CryptographicAlgorithm.AES, 256, name="tutorial")
            equal(len(client.get(uid).value), 32)
            client.activate(uid)
            self.client, self.uid = client, uid

    def revoke(self, mount, address):
        base = f"{mount}/scope/finance/role/accounting/credential"
        with self.check("step 5: revoke, and it no longer exists"):
            self.vault.write_data(f"{base}/revoke", data={"serial_number": self.serial})
            equal(self.vault.read(f"{base}/lookup?serial_number={self.serial}"), None)
            equal(self.vault.list(base), None)
        with self.check("step 5: revocation acts on the open connection and on new ones"):
            try:
                self.client.get(self.uid)
            except Exception as error:
                true(getattr(error, "reason", None) in (None, enums.ResultReason.PERMISSION_DENIED,
                                                        enums.ResultReason.AUTHENTICATION_NOT_SUCCESSFUL),
                     f"refused: {error}")
            else:
                raise AssertionError("a revoked credential still reads keys")
            shut_out(address, self.directory)

    def roles(self, mount, address):
        role = f"{mount}/scope/finance/role/accounting"
        with self.check("step 6: least privilege replaces operation_all"):
            self.vault.write_data(role, data={f"operation_{name}": True for name in OPERATIONS})
            found = self.vault.read(role)["data"]
            equal(found, {**{f"operation_{name}": True for name in OPERATIONS}, "tls_client_key_bits": 0,
                          "tls_client_key_type": "", "tls_client_ttl": 0})
        with self.check("step 6: further writes merge"):
            self.vault.write_data(role, data={"operation_locate": True, "operation_get": False})
            granted = {k for k, v in self.vault.read(role)["data"].items() if k.startswith("operation_") and v}
            equal(granted, {"operation_activate", "operation_create", "operation_locate"})
        with self.check("step 6: what the role lacks is denied"):
            made = self.vault.write_data(f"{role}/credential/generate", data={"format": "pem"})["data"]
            write(self.directory, "cert.pem", made["certificate"])
            write(self.directory, "key.pem", made["private_key"])
            with kmip_client(address, self.directory) as client:
                uid = client.create(enums.CryptographicAlgorithm.AES, 256)
                true(uid in client.locate(), "it is there")
                denied(client.get, uid)
                denied(client.destroy, uid)
        with self.check("a role says which keys its credentials get"):
            self.vault.write_data(role, data={"tls_client_key_type": "rsa", "tls_client_key_bits": "2048",
                                              "tls_client_ttl": "1h"})
            found = self.vault.read(role)["data"]
            equal((found["tls_client_key_type"], found["tls_client_key_bits"], found["tls_client_ttl"]),
                  ("rsa", 2048, 3600))
            made = self.vault.write_data(f"{role}/credential/generate", data={"format": "pem"})["data"]
            certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
            true(isinstance(certificate.public_key(), rsa.RSAPublicKey), "an RSA key")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                life = certificate.not_valid_after - certificate.not_valid_before
            true(3600 <= life.total_seconds() <= 3700, f"an hour: {life}")

    def end(self, mount):
        with self.check("step 6: delete the role"):
            self.vault.delete(f"{mount}/scope/finance/role/accounting")
            equal(self.vault.read(f"{mount}/scope/finance/role/accounting"), None)
            equal(self.vault.list(f"{mount}/scope/finance/role"), None)
        with self.check("step 7: a scope with objects is deleted only by force"):
            try:
                self.vault.delete(f"{mount}/scope/finance")
            except hvac.exceptions.InvalidRequest:
                pass
            else:
                raise AssertionError("a scope with objects was deleted without force")
            true("finance" in self.vault.list(f"{mount}/scope")["data"]["keys"], "still there")
            self.vault.delete(f"{mount}/scope/finance?force=true")
            keys = self.vault.list(f"{mount}/scope")
            true(keys is None or "finance" not in keys["data"]["keys"], "gone")
        with self.check("a scope of the same name does not revive old credentials"):
            self.vault.write_data(f"{mount}/scope/finance")
            self.vault.write_data(f"{mount}/scope/finance/role/accounting", data={"operation_all": True})
            shut_out(self.kmip, self.directory)
            self.vault.delete(f"{mount}/scope/finance?force=true")

    def unmount(self):
        with self.check("disable the engine"):
            self.vault.sys.disable_secrets_engine("tutorial")
            true("tutorial/" not in self.vault.sys.list_mounted_secrets_engines()["data"], "gone")
            equal(self.vault.read("tutorial/config"), None)

    def errors(self, options):
        with self.check("a wrong token and no token"):
            for token in ("wrong", ""):
                other = hvac.Client(url=options.api, token=token)
                true(not other.is_authenticated(), "not authenticated")
                try:
                    other.read("kmip/config")
                except hvac.exceptions.Forbidden as error:
                    true(error.errors, "hvac reads the error list")
                else:
                    raise AssertionError("read without a token")


def main():
    options = arguments(__doc__, kmip=True, api=True)
    checks = Checks(options.all)
    tutorial = Tutorial(checks, options)
    tutorial.kmip = options.kmip
    tutorial.mount()
    tutorial.configure()
    tutorial.scope_and_role("tutorial")
    tutorial.credential("tutorial")
    # The dev server's own mount has the port that the harness knows; the rest of the tutorial runs there.
    tutorial.scope_and_role("kmip")
    tutorial.credential("kmip")
    tutorial.use(options.kmip)
    tutorial.revoke("kmip", options.kmip)
    tutorial.roles("kmip", options.kmip)
    tutorial.end("kmip")
    tutorial.unmount()
    tutorial.errors(options)
    checks.finish()


main()
