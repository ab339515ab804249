"""curl, sending what the `vault` command sends: PUT, every value a string, no Content-Type, LIST and ?list=true.

Then what it must not be confused by: a form content type, a null body, unknown fields; and every kind of error with
its status and body.
"""

import json
import subprocess
import sys

from checks import Checks, arguments, equal, true


class Curl:
    def __init__(self, api, token):
        self.api = api
        self.token = token

    def run(self, method, path, body=None, headers=(), token=None, version="v1"):
        """Status, headers, and the body as text."""
        command = ["curl", "--silent", "--show-error", "--max-time", "30", "--include", "--request", method]
        token = self.token if token is None else token
        if token:
            command += ["--header", f"X-Vault-Token: {token}", "--header", "X-Vault-Request: true"]
        # curl adds a Content-Type to data; the Go client sends none.
        command += ["--header", "Content-Type:"] if not any("Content-Type" in h for h in headers) else []
        for header in headers:
            command += ["--header", header]
        if body is not None:
            command += ["--data-binary", body]
        answer = subprocess.run(command + [f"{self.api}/{version}/{path}"], capture_output=True, timeout=60)
        if answer.returncode != 0:
            raise AssertionError(f"curl: {answer.stderr.decode()}")
        head, _, text = answer.stdout.decode().partition("\r\n\r\n")
        while head.startswith("HTTP/1.1 100"):
            head, _, text = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        fields = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        return int(lines[0].split()[1]), fields, text

    def write(self, path, fields):
        """`vault write PATH k=v…`"""
        return self.run("PUT", path, json.dumps(fields) if fields is not None else "null")

    def data(self, path):
        status, _, text = self.run("GET", path)
        equal(status, 200, f"GET {path}: {text}")
        return json.loads(text)["data"]


def empty(answer):
    status, _, text = answer
    equal((status, text), (204, ""))


def error(answer, status, contains=None):
    """The answer is a Vault error: status, exact content type, a list of errors."""
    found, fields, text = answer
    equal(found, status, text)
    equal(fields["content-type"], "application/json")
    errors = json.loads(text)["errors"]
    true(isinstance(errors, list), "a list of errors")
    if contains is not None:
        true(any(contains in e for e in errors), f"{contains!r} is in {errors}")
    return errors


def walk(checks, curl):
    check = checks.check
    with check("vault status"):
        status, fields, text = curl.run("GET", "sys/seal-status", token="")
        found = json.loads(text)
        equal((status, found["initialized"], found["sealed"]), (200, True, False))
        equal(fields["content-type"], "application/json")
        status, _, text = curl.run("GET", "sys/health", token="")
        equal(status, 200)
        for key in ("initialized", "sealed", "standby", "server_time_utc", "version"):
            true(key in json.loads(text), f"{key} in sys/health")
    with check("vault login: lookup-self"):
        data = curl.data("auth/token/lookup-self")
        equal((data["policies"], data["type"], data["ttl"]), (["root"], "service", 0))
        status, _, _ = curl.run("GET", "auth/token/lookup-self", token="", headers=[f"Authorization: Bearer {curl.token}"])
        equal(status, 200, "bearer")
    with check("vault secrets enable, list"):
        body = {"type": "kmip", "description": "", "config": {
            "options": None, "default_lease_ttl": "0s", "max_lease_ttl": "0s", "force_no_cache": False},
            "local": False, "seal_wrap": False, "external_entropy_access": False, "options": None}
        empty(curl.run("POST", "sys/mounts/curl/", json.dumps(body)))
        true("curl/" in curl.data("sys/mounts"), "listed")
        equal(curl.data("sys/mounts/curl")["type"], "kmip")
        error(curl.run("POST", "sys/mounts/curl/", json.dumps(body)), 400, "path is already in use at curl/")
    with check("vault write kmip/config, all strings"):
        error(curl.run("GET", "curl/config"), 404)
        empty(curl.write("curl/config", {
            "listen_addrs": "127.0.0.1:0", "server_hostnames": "kms1,kms2", "default_tls_client_ttl": "365d",
            "tls_ca_key_type": "ec", "tls_ca_key_bits": "384"}))
        data = curl.data("curl/config")
        equal(data["server_hostnames"], ["kms1", "kms2"])
        equal(data["default_tls_client_ttl"], 365 * 86400)
        equal(data["tls_ca_key_bits"], 384)
    with check("the envelope"):
        status, fields, text = curl.run("GET", "curl/config")
        found = json.loads(text)
        true(found.pop("request_id"), "a request id")
        found.pop("data")
        found.pop("mount_type", None)
        equal(found, {"lease_id": "", "renewable": False, "lease_duration": 0, "wrap_info": None, "warnings": None,
                      "auth": None})
        equal((fields["content-type"], fields["cache-control"]), ("application/json", "no-store"))
    with check("vault write -f kmip/scope/finance: null body, again, empty body"):
        empty(curl.write("curl/scope/finance", None))
        empty(curl.write("curl/scope/finance", {}))
        empty(curl.run("PUT", "curl/scope/finance"))
        empty(curl.run("POST", "curl/scope/finance", '{"scope":"finance","force":false}'))
    with check("vault list kmip/scope, by query and by verb"):
        for method, path in (("GET", "curl/scope?list=true"), ("GET", "curl/scope/?list=True"), ("GET", "curl/scope?list=1"),
                             ("LIST", "curl/scope"), ("LIST", "curl/scope/")):
            status, _, text = curl.run(method, path)
            equal((status, json.loads(text)["data"]["keys"]), (200, ["finance"]), f"{method} {path}")
    with check("vault write role, strings for booleans"):
        role = "curl/scope/finance/role/accounting"
        empty(curl.write(role, {"operation_all": "true"}))
        equal(curl.data(role), {"operation_all": True, "tls_client_key_bits": 0, "tls_client_key_type": "",
                                "tls_client_ttl": 0})
        empty(curl.write(role, {"operation_activate": "1", "operation_create": "true", "operation_get": "true"}))
        granted = sorted(k for k, v in curl.data(role).items() if k.startswith("operation_"))
        equal(granted, ["operation_activate", "operation_create", "operation_get"])
        empty(curl.write(role, {"operation_all": "true", "operation_destroy": "false"}))
        data = curl.data(role)
        true("operation_destroy" not in data and data.get("operation_get", data.get("operation_all")), f"all but one: {data}")
        empty(curl.write(role, {"operation_none": "true"}))
        true(not any(k != "operation_none" and k.startswith("operation_") for k in curl.data(role)), "none")
        empty(curl.write(role, {"operation_all": "true"}))
    with check("an unknown field is ignored with a warning, a wrong value is not"):
        status, _, text = curl.write(role, {"operation_all": "true", "no_such_field": "x"})
        true(status in (200, 204), f"{status} {text}")
        if status == 200:
            true("no_such_field" in json.dumps(json.loads(text)["warnings"]), "a warning names it")
        error(curl.write(role, {"operation_get": "perhaps"}), 400)
    with check("vault write credential/generate in every format"):
        base = f"{role}/credential"
        serials = []
        for form in ("pem", "pem_bundle", "der"):
            status, _, text = curl.write(f"{base}/generate", {"format": form})
            equal(status, 200)
            data = json.loads(text)["data"]
            serials.append(data["serial_number"])
            true(data["serial_number"].isdigit(), "a decimal serial")
            true(data["private_key"] and data["certificate"] and data["ca_chain"], "all parts")
        error(curl.write(f"{base}/generate", {"format": "jks"}), 400)
        status, _, text = curl.run("LIST", base)
        equal(sorted(json.loads(text)["data"]["keys"]), sorted(serials))
    with check("vault read lookup, vault write revoke"):
        data = curl.data(f"{base}/lookup?serial_number={serials[0]}")
        equal(data["serial_number"], serials[0])
        empty(curl.write(f"{base}/revoke", {"serial_number": serials[0]}))
        error(curl.run("GET", f"{base}/lookup?serial_number={serials[0]}"), 404)
        certificate = curl.data(f"{base}/lookup?serial_number={serials[1]}")["certificate"]
        empty(curl.write(f"{base}/revoke", {"certificate": certificate}))
        error(curl.write(f"{base}/revoke", {}), 400)
        error(curl.write(f"{base}/revoke", {"serial_number": serials[2], "certificate": certificate}), 400)
    with check("vault write credential/sign"):
        request = subprocess.run(
            [sys.executable, "-c", SIGNING_REQUEST], capture_output=True, check=True, timeout=60).stdout.decode()
        status, _, text = curl.write(f"{base}/sign", {"csr": request, "format": "pem"})
        equal(status, 200, text)
        data = json.loads(text)["data"]
        true("private_key" not in data and data["certificate"], "a certificate and no key")
        error(curl.write(f"{base}/sign", {"csr": "nonsense"}), 400)
    with check("vault delete role and scope"):
        empty(curl.run("DELETE", role))
        error(curl.run("GET", role), 404)
        empty(curl.run("DELETE", role))
        empty(curl.run("DELETE", "curl/scope/finance?force=true"))
        error(curl.run("LIST", "curl/scope"), 404)
    with check("vault secrets disable"):
        empty(curl.run("DELETE", "sys/mounts/curl/"))
        error(curl.run("GET", "sys/mounts/curl"), 400, "No secret engine mount at curl/")
        error(curl.run("GET", "curl/config"), 404, "no handler for route")


def errors(checks, curl):
    check = checks.check
    with check("403: no token, a wrong token"):
        error(curl.run("GET", "kmip/config", token=""), 403)
        error(curl.run("GET", "kmip/config", token="hvs.wrong"), 403, "permission denied")
        error(curl.run("PUT", "kmip/scope/x", "{}", token="hvs.wrong"), 403, "permission denied")
    with check("404: nothing there"):
        equal(error(curl.run("GET", "kmip/scope/default/role/nobody"), 404), [])
        equal(error(curl.run("LIST", "kmip/scope/nobody/role"), 404), [])
        error(curl.run("GET", "no-such-mount/config"), 404, "no handler for route")
    with check("405: an operation that the path has not"):
        error(curl.run("GET", "kmip/scope/default"), 405, "unsupported operation")
        error(curl.run("DELETE", "kmip/config"), 405, "unsupported operation")
    with check("400: bodies that are no JSON, values that are wrong"):
        for body in ("{", "[1]", '"text"', "a=b", "\x01"):
            error(curl.run("PUT", "kmip/scope/x/role/y", body), 400)
        error(curl.write("kmip/scope/no-such-scope/role/y", {"operation_all": "true"}), 400)
        error(curl.write("kmip/config", {"tls_ca_key_bits": "many"}), 400)
        error(curl.write("kmip/config", {"tls_min_version": "tls10"}), 400)
        error(curl.write("kmip/config", {"tls_ca_key_type": "dsa"}), 400)
    with check("curl -d: JSON under a form content type"):
        form = ["Content-Type: application/x-www-form-urlencoded"]
        empty(curl.run("POST", "kmip/scope/by-form", '{"force":false}', headers=form))
        empty(curl.run("DELETE", "kmip/scope/by-form"))
    with check("names: slashes and control bytes are refused, other letters are not"):
        error(curl.run("PUT", "kmip/scope/a%0Ab", "{}"), 400)
        error(curl.run("PUT", "kmip/scope/" + "a" * 256, "{}"), 400)
        for name in ("a" * 255, "b%C3%BCcher", "with%20blank"):
            empty(curl.run("PUT", f"kmip/scope/{name}", "{}"))
            empty(curl.run("DELETE", f"kmip/scope/{name}"))
    with check("headers that the clients send are accepted"):
        for header in ("X-Vault-Namespace: root/", "X-Vault-Wrap-TTL: ", "X-Vault-Index: x", "X-Vault-MFA: x"):
            status, _, _ = curl.run("GET", "kmip/config", headers=[header])
            equal(status, 200, header)


# A program of its own, so that this one needs nothing but curl.
SIGNING_REQUEST = """
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ignored")])
request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
print(request.public_bytes(serialization.Encoding.PEM).decode(), end="")
"""


def main():
    options = arguments(__doc__, kmip=False, api=True)
    checks = Checks(options.all)
    curl = Curl(options.api, options.token)
    walk(checks, curl)
    errors(checks, curl)
    checks.finish()


main()
