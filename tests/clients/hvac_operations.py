"""The life of a production server with hvac: initialised, unsealed, administered, sealed, given new shares.

What HashiCorp's tutorial does not walk: tuning and moving mounts, policies, tokens, audit devices, named certificate
authorities and listeners, rotation, root tokens. It needs a server on a configuration file that is not initialised yet.
"""

import argparse
import base64
import os
import tempfile

import hvac
from kmip import enums
from kmip.pie.client import ProxyKmipClient

from checks import Checks, equal, true

POLICY = """
path "kmip/scope" { capabilities = ["list"] }
path "kmip/scope/*" { capabilities = ["create", "update", "read", "list"] }
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", required=True, help="https://HOST:PORT of the admin API")
    parser.add_argument("--ca", required=True, help="what its certificate comes from, in PEM")
    parser.add_argument("--kmip", required=True, help="HOST:PORT where the listener of the mount shall be")
    parser.add_argument("--named", required=True, help="HOST:PORT where a named listener shall be")
    parser.add_argument("--all", action="store_true", help="go on after a failed check")
    return parser.parse_args()


def refused(kind, call, *args, **kwargs):
    """The call ends with that exception of hvac's, with the server's reason in it."""
    try:
        call(*args, **kwargs)
    except kind as error:
        # What is not there has no more to say, as Vault's.
        true(error.errors or kind is hvac.exceptions.InvalidPath, f"hvac reads the error list of {error!r}")
        return
    raise AssertionError(f"{call.__name__} was not refused")


class Life:
    def __init__(self, checks, options):
        self.check = checks.check
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="hvac-")
        self.vault = self.client()

    def client(self, token=None):
        return hvac.Client(url=self.options.api, token=token, verify=self.options.ca)

    def initialise(self):
        with self.check("a server that is not initialised says so"):
            true(not self.vault.sys.is_initialized(), "is_initialized")
            equal(self.vault.sys.read_health_status(method="GET").status_code, 501)
            equal(self.vault.sys.read_init_status()["initialized"], False)
            refused(hvac.exceptions.InvalidRequest, self.vault.sys.initialize, secret_shares=2, secret_threshold=3)
        with self.check("initialize"):
            made = self.vault.sys.initialize(secret_shares=5, secret_threshold=3)
            self.shares, self.root = made["keys"], made["root_token"]
            equal(len(self.shares), 5)
            equal([base64.b64decode(it).hex() for it in made["keys_base64"]], self.shares)
            true(self.vault.sys.is_initialized(), "is_initialized")
            refused(hvac.exceptions.InvalidRequest, self.vault.sys.initialize)
        with self.check("while sealed nothing else is answered"):
            true(self.vault.sys.is_sealed(), "is_sealed")
            refused(hvac.exceptions.VaultDown, self.client(self.root).sys.list_mounted_secrets_engines)

    def unseal(self):
        with self.check("submit_unseal_key: progress, reset, and what is no share"):
            equal(self.vault.sys.submit_unseal_key(self.shares[0])["progress"], 1)
            equal(self.vault.sys.submit_unseal_key(self.shares[0])["progress"], 1, "the same once more")
            equal(self.vault.sys.submit_unseal_key(self.shares[1])["progress"], 2)
            equal(self.vault.sys.submit_unseal_key(reset=True)["progress"], 0)
            refused(hvac.exceptions.InvalidRequest, self.vault.sys.submit_unseal_key, "no share")
        with self.check("submit_unseal_keys"):
            status = self.vault.sys.submit_unseal_keys(self.shares[2:])
            equal((status["sealed"], status["t"], status["n"]), (False, 3, 5))
            true(not self.vault.sys.is_sealed(), "is_sealed")
            self.vault.token = self.root
            true(self.vault.is_authenticated(), "the root token is good")
            equal(self.vault.sys.read_leader_status()["ha_enabled"], False)

    def mount(self):
        sys = self.vault.sys
        with self.check("enable, tune and read the tuning of a mount"):
            sys.enable_secrets_engine("kmip", path="first", description="to be moved")
            sys.tune_mount_configuration("first", default_lease_ttl="1h", max_lease_ttl="24h",
                                         description="moved", audit_non_hmac_request_keys=["force"])
            tuned = sys.read_mount_configuration("first")["data"]
            equal((tuned["default_lease_ttl"], tuned["max_lease_ttl"], tuned["description"]), (3600, 86400, "moved"))
            equal(tuned["audit_non_hmac_request_keys"], ["force"])
            equal(sys.list_mounted_secrets_engines()["data"]["first/"]["config"]["default_lease_ttl"], 3600)
            refused(hvac.exceptions.InvalidRequest, sys.tune_mount_configuration, "first", default_lease_ttl="soon")
        with self.check("move_backend: everything goes with it"):
            self.vault.write_data("first/scope/kept")
            sys.move_backend("first", "kmip")
            mounts = sys.list_mounted_secrets_engines()["data"]
            true("kmip/" in mounts and "first/" not in mounts, f"{sorted(mounts)}")
            equal(mounts["kmip/"]["description"], "moved")
            equal(self.vault.list("kmip/scope")["data"]["keys"], ["kept"])
            refused(hvac.exceptions.InvalidRequest, sys.move_backend, "first", "elsewhere")

    def policies(self):
        sys = self.vault.sys
        with self.check("policies, in the paths of today and of before"):
            sys.create_or_update_policy("operators", POLICY)
            equal(sys.read_policy("operators")["rules"], POLICY)
            true({"default", "operators", "root"} <= set(sys.list_policies()["policies"]), "listed")
            equal(sys.read_acl_policy("operators")["data"]["policy"], POLICY)
            sys.create_or_update_acl_policy("readers", {"path": {"kmip/scope": {"capabilities": ["list"]}}})
            true("readers" in sys.list_acl_policies()["data"]["keys"], "listed")
            sys.delete_acl_policy("readers")
            refused(hvac.exceptions.InvalidPath, sys.read_acl_policy, "readers")
            refused(hvac.exceptions.InvalidRequest, sys.create_or_update_policy, "bad", 'path "x" { capabilities = 1 }')

    def tokens(self):
        tokens = self.vault.auth.token
        with self.check("a token of a policy may do what it grants, and no more"):
            made = tokens.create(policies=["operators"], ttl="1h", meta={"who": "hvac"}, display_name="op")["auth"]
            self.operator = made
            other = self.client(made["client_token"])
            other.write_data("kmip/scope/by-policy")
            true("by-policy" in other.list("kmip/scope")["data"]["keys"], "made")
            refused(hvac.exceptions.Forbidden, other.delete, "kmip/scope/by-policy")
            refused(hvac.exceptions.Forbidden, other.sys.list_enabled_audit_devices)
            equal(other.auth.token.lookup_self()["data"]["meta"], {"who": "hvac"})
        with self.check("capabilities, of one's own token, of another, by accessor"):
            paths = ["kmip/scope/x", "kmip/config"]
            expected = {"kmip/scope/x": ["create", "list", "read", "update"], "kmip/config": ["deny"]}
            for found in (other.sys.get_capabilities(paths),
                          self.vault.sys.get_capabilities(paths, token=made["client_token"]),
                          self.vault.sys.get_capabilities(paths, accessor=made["accessor"])):
                equal({path: sorted(found["data"][path]) for path in paths}, expected)
        with self.check("lookup, renew"):
            true(made["accessor"] in tokens.list_accessors()["data"]["keys"], "listed")
            equal(tokens.lookup(made["client_token"])["data"]["display_name"], "token-op")
            equal(tokens.lookup_accessor(made["accessor"])["data"]["policies"], ["default", "operators"])
            equal(tokens.renew(made["client_token"], increment="30m")["auth"]["lease_duration"], 1800)
            true(other.auth.token.renew_self()["auth"]["lease_duration"] > 0, "renewed")
            true(tokens.renew_accessor(made["accessor"])["auth"]["lease_duration"] > 0, "renewed")
        with self.check("revoking a token ends its children, by any name"):
            parent = tokens.create(policies=["root"])["auth"]
            child = self.client(parent["client_token"]).auth.token.create(policies=["root"])["auth"]
            orphan = tokens.create_orphan(policies=["root"])["auth"]
            tokens.revoke(parent["client_token"])
            for gone in (parent, child):
                true(not self.client(gone["client_token"]).is_authenticated(), "gone")
            tokens.revoke_accessor(orphan["accessor"])
            true(not self.client(orphan["client_token"]).is_authenticated(), "gone")
            parent = tokens.create(policies=["root"])["auth"]
            child = self.client(parent["client_token"]).auth.token.create(policies=["root"])["auth"]
            tokens.revoke_and_orphan_children(parent["client_token"])
            kept = self.client(child["client_token"])
            true(kept.is_authenticated(), "an orphan now")
            kept.auth.token.revoke_self()
            true(not self.client(child["client_token"]).is_authenticated(), "gone")

    def audit(self):
        sys = self.vault.sys
        log = os.path.join(self.directory, "second.log")
        with self.check("an audit device, and the hash of what is on it"):
            sys.enable_audit_device("file", path="second", description="more", options={"file_path": log})
            devices = sys.list_enabled_audit_devices()["data"]
            equal((devices["second/"]["type"], devices["second/"]["options"]["file_path"]), ("file", log))
            self.vault.write_data("kmip/scope/audited", data={"force": True})
            digest = sys.calculate_hash("second", self.root)["data"]["hash"]
            with open(log) as lines:
                text = lines.read()
            true("kmip/scope/audited" in text and digest in text, "the request and the token's hash are there")
            true(self.root not in text, "the token is not")
        with self.check("a device that is disabled gets nothing more"):
            sys.disable_audit_device("second")
            true("second/" not in sys.list_enabled_audit_devices()["data"], "gone")
            self.vault.write_data("kmip/scope/unheard")
            with open(log) as lines:
                true("kmip/scope/unheard" not in lines.read(), "not heard")
            refused(hvac.exceptions.InvalidRequest, sys.calculate_hash, "second", "x")

    def authorities(self):
        vault = self.vault
        with self.check("the mount's listener"):
            vault.write_data("kmip/config", data={"listen_addrs": self.options.kmip, "server_ips": "127.0.0.1"})
            equal(vault.read("kmip/config")["data"]["listen_addrs"], [self.options.kmip])
        with self.check("a named authority and a named listener, by raw writes"):
            vault.write_data("kmip/ca/edge/generate", data={"key_type": "ec", "key_bits": 384, "ttl": "90d"})
            equal(vault.list("kmip/ca")["data"]["keys"], ["edge"])
            equal(vault.read("kmip/ca/edge")["data"]["key_bits"], 384)
            vault.write_data("kmip/listener/edge", data={
                "ca": "edge", "address": self.options.named, "server_ips": ["127.0.0.1"], "also_use_legacy_ca": False})
            equal(vault.list("kmip/listener")["data"]["keys"], ["edge"])
            equal(vault.read("kmip/listener/edge")["data"]["address"], self.options.named)
        with self.check("a credential of the named authority opens its listener, and no other"):
            role = "kmip/scope/kept/role/edge"
            vault.write_data(role, data={"operation_all": True, "ca": "edge"})
            made = vault.write_data(f"{role}/credential/generate", data={"format": "pem"})["data"]
            for name, text in (("cert", made["certificate"]), ("key", made["private_key"]),
                               ("ca", "\n".join(made["ca_chain"]))):
                with open(os.path.join(self.directory, f"{name}.pem"), "w") as out:
                    out.write(text.strip() + "\n")
            with self.kmip(self.options.named) as client:
                self.uid = client.create(enums.CryptographicAlgorithm.AES, 256, name="from-the-edge")
                self.key = client.get(self.uid).value
            try:
                with self.kmip(self.options.kmip) as client:
                    client.get(self.uid)
            except Exception:  # a handshake that fails, in the words of ssl or of PyKMIP
                pass
            else:
                raise AssertionError("the other listener took it")
        with self.check("what is in use is not deleted"):
            refused(hvac.exceptions.InvalidRequest, vault.delete, "kmip/ca/edge")

    def kmip(self, address):
        host, port = address.rsplit(":", 1)
        at = self.directory
        return ProxyKmipClient(hostname=host, port=int(port), cert=f"{at}/cert.pem", key=f"{at}/key.pem",
                               ca=f"{at}/ca.pem", ssl_version="PROTOCOL_SSLv23", config_file="/dev/null",
                               kmip_version=enums.KMIPVersion.KMIP_1_4)

    def root_key(self):
        sys = self.vault.sys
        with self.check("rotation of the key of records"):
            term = sys.get_encryption_key_status()["data"]["term"]
            sys.rotate_encryption_key()
            equal(sys.get_encryption_key_status()["data"]["term"], term + 1)
        with self.check("a root token of shares, hidden by a one-time password"):
            begun = sys.start_root_token_generation()
            given = sys.generate_root(self.shares[0], begun["nonce"])
            equal((given["progress"], given["complete"]), (1, False))
            sys.cancel_root_generation()
            equal(sys.read_root_generation_progress()["started"], False)
            begun = sys.start_root_token_generation()
            for share in self.shares[:3]:
                given = sys.generate_root(share, begun["nonce"])
            hidden = base64.b64decode(given["encoded_token"] + "==")
            token = bytes(a ^ b for a, b in zip(hidden, begun["otp"].encode())).decode()
            equal(self.client(token).auth.token.lookup_self()["data"]["policies"], ["root"])
            self.vault.auth.token.revoke(token)
        with self.check("rekey: begun, cancelled, done with verification"):
            begun = sys.start_rekey(secret_shares=3, secret_threshold=2)
            equal(sys.rekey(self.shares[0], begun["nonce"])["progress"], 1)
            sys.cancel_rekey()
            equal(sys.read_rekey_progress()["started"], False)
            begun = sys.start_rekey(secret_shares=3, secret_threshold=2, require_verification=True)
            dealt = sys.rekey_multi(self.shares[1:4], begun["nonce"])
            equal((dealt["complete"], len(dealt["keys"])), (True, 3))
            verified = sys.rekey_verify_multi(dealt["keys"][:2], dealt["verification_nonce"])
            equal(verified["complete"], True)
            self.old, self.shares = self.shares, dealt["keys"]

    def seal(self):
        with self.check("seal, and unseal with the new shares only"):
            self.vault.sys.seal()
            true(self.vault.sys.is_sealed(), "is_sealed")
            refused(hvac.exceptions.InvalidRequest, self.vault.sys.submit_unseal_keys, self.old[:2])
            true(self.vault.sys.is_sealed(), "still")
            equal(self.vault.sys.submit_unseal_keys(self.shares[1:])["sealed"], False)
            with self.kmip(self.options.named) as client:
                equal(client.get(self.uid).value, self.key)
            true(self.client(self.operator["client_token"]).is_authenticated(), "tokens outlive it")
        with self.check("disable the engine"):
            self.vault.delete("kmip/listener/edge")
            self.vault.sys.disable_secrets_engine("kmip")
            true("kmip/" not in self.vault.sys.list_mounted_secrets_engines()["data"], "gone")


def main():
    options = arguments()
    checks = Checks(options.all)
    life = Life(checks, options)
    for step in (life.initialise, life.unseal, life.mount, life.policies, life.tokens, life.audit, life.authorities,
                 life.root_key, life.seal):
        step()
    checks.finish()


main()
