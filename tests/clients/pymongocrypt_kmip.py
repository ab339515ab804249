"""libmongocrypt, the library of every MongoDB driver, with its KMIP provider: both of its master-key flows.

Local: a 96-byte seed is registered and read back whenever a data key is opened. Delegated: the server makes the key
and encrypts and decrypts with it. A value is encrypted and decrypted in each, so that every request is made.
"""

import socket
import ssl

import bson
from bson.binary import Binary

from pymongocrypt.options import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.synchronous.state_machine import MongoCryptCallback

from checks import Checks, arguments, equal, kmip_address, true

ALGORITHM = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"


class Callback(MongoCryptCallback):
    """Carries bytes between libmongocrypt and the KMIP server, and holds the key vault."""

    def __init__(self, options):
        self.address = kmip_address(options.kmip)
        self.context = ssl.create_default_context(cafile=f"{options.client}/ca.pem")
        self.context.load_cert_chain(f"{options.client}/cert.pem", f"{options.client}/key.pem")
        self.vault = []
        self.requests = 0

    def kms_request(self, kms_context):
        """One request on a connection of its own, as the drivers do."""
        self.requests += 1
        with socket.create_connection(self.address, timeout=30) as tcp:
            with self.context.wrap_socket(tcp, server_hostname=self.address[0]) as tls:
                tls.sendall(kms_context.message)
                while kms_context.bytes_needed > 0:
                    data = tls.recv(kms_context.bytes_needed)
                    true(data, "the server closed before its answer was whole")
                    kms_context.feed(data)

    def insert_data_key(self, data_key):
        self.vault.append(bytes(data_key))
        return bson.decode(data_key)["_id"]

    def fetch_keys(self, _filter):
        yield from self.vault

    def bson_encode(self, doc):
        return bson.encode(doc)

    def collection_info(self, database, filter):
        raise NotImplementedError("explicit encryption asks for no collection")

    def mark_command(self, database, cmd):
        raise NotImplementedError("explicit encryption marks no command")

    def close(self):
        pass


def encrypter(options, callback):
    providers = MongoCryptOptions({"kmip": {"endpoint": options.kmip}})
    return ExplicitEncrypter(callback, providers)


def flow(checks, options, name, master_key, made):
    callback = Callback(options)
    with checks.check(f"{name}: create a data key"):
        one = encrypter(options, callback)
        key_id = one.create_data_key("kmip", master_key={"endpoint": options.kmip, **master_key})
        stored = bson.decode(callback.vault[0])["masterKey"]
        true(stored["keyId"], "the data key names its master key")
        equal(stored.get("delegated", False), master_key.get("delegated", False))
        equal(callback.requests, made, "requests")
    with checks.check(f"{name}: encrypt a value"):
        value = bson.encode({"v": "a secret"})
        sealed = one.encrypt(value, ALGORITHM, key_id=bytes(Binary(bytes(key_id))))
        one.close()
        true(b"a secret" not in sealed, "it is encrypted")
    with checks.check(f"{name}: another process decrypts it"):
        # A new library state has no cached keys: the master key is used again.
        other = Callback(options)
        other.vault = callback.vault
        two = encrypter(options, other)
        equal(bson.decode(two.decrypt(sealed)), {"v": "a secret"})
        true(other.requests > 0, "the master key was used")
        two.close()
    with checks.check(f"{name}: a data key under the same master key"):
        three = encrypter(options, callback)
        three.create_data_key("kmip", master_key={
            "endpoint": options.kmip, "keyId": stored["keyId"], **master_key})
        equal(bson.decode(callback.vault[1])["masterKey"]["keyId"], stored["keyId"])
        three.close()


def main():
    options = arguments(__doc__)
    checks = Checks(options.all)
    # Register, Activate, Get.
    flow(checks, options, "local master key", {}, 3)
    # Create, Activate, Encrypt.
    flow(checks, options, "delegated master key", {"delegated": True}, 3)
    with checks.check("a master key that is not there is an error, not a hang"):
        callback = Callback(options)
        one = encrypter(options, callback)
        try:
            one.create_data_key("kmip", master_key={"endpoint": options.kmip, "keyId": "no-such-key"})
        except Exception as error:
            true("not" in str(error).lower() or "fail" in str(error).lower(), f"a KMIP failure: {error}")
        else:
            raise AssertionError("a data key was made under a key that does not exist")
    checks.finish()


main()
