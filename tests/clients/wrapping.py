"""Response wrapping and token roles with hvac: a credential is handed over once."""

import hvac

from checks import Checks, arguments, equal, true


class Wrapping:
    def __init__(self, checks, options):
        self.check = checks.check
        self.options = options
        self.vault = hvac.Client(url=options.api, token=options.token)

    def refused(self, call, *args, **kwargs):
        try:
            call(*args, **kwargs)
        except hvac.exceptions.InvalidRequest as error:
            true("wrapping token is not valid or does not exist" in str(error), f"refused for {error}")
        else:
            raise AssertionError("a used wrapping token was good again")

    def run(self):
        with self.check("sys.wrap and sys.unwrap: what is wrapped is given once"):
            info = self.vault.sys.wrap({"a": "b"}, ttl=120)["wrap_info"]
            equal(info["ttl"], 120)
            equal(info["creation_path"], "sys/wrapping/wrap")
            equal(self.vault.sys.unwrap(info["token"])["data"], {"a": "b"})
            self.refused(self.vault.sys.unwrap, info["token"])
        with self.check("wrap_ttl: a credential for somebody who has nothing but the wrapping token"):
            self.vault.write_data("kmip/scope/wrapped")
            self.vault.write_data("kmip/scope/wrapped/role/r", data={"operation_all": True})
            path = "kmip/scope/wrapped/role/r/credential/generate"
            info = self.vault.write_data(path, data={"format": "pem"}, wrap_ttl="5m")["wrap_info"]
            other = hvac.Client(url=self.options.api, token=info["token"])
            made = other.sys.unwrap()["data"]
            true(made["private_key"].startswith("-----BEGIN EC PRIVATE KEY-----"), "the key is there")
            self.refused(other.sys.unwrap)
        with self.check("wrap_ttl: a token, with its accessor"):
            info = self.vault.auth.token.create(policies=["default"], wrap_ttl="60s")["wrap_info"]
            unwrapped = self.vault.sys.unwrap(info["token"])["auth"]
            equal(unwrapped["accessor"], info["wrapped_accessor"])
            true(hvac.Client(url=self.options.api, token=unwrapped["client_token"]).is_authenticated(), "alive")
        with self.check("token roles: written, read, listed, used, deleted"):
            token = self.vault.auth.token
            token.create_or_update_role("ci", allowed_policies="default", renewable=False, orphan=True)
            equal(token.read_role("ci")["data"]["allowed_policies"], ["default"])
            equal(token.list_roles()["data"]["keys"], ["ci"])
            made = token.create(role_name="ci")["auth"]
            equal((made["orphan"], made["renewable"], made["policies"]), (True, False, ["default"]))
            token.delete_role("ci")
            token.tidy()


def main():
    options = arguments(__doc__, api=True)
    checks = Checks(options.all)
    Wrapping(checks, options).run()
    checks.finish()


main()
