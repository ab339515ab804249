"""PyKMIP's KMIPProxy, the low-level client, at every KMIP version that it speaks.

What ProxyKmipClient hides: result objects, credentials in the header, Query and Discover Versions, TemplateAttribute
with any attribute, key formats asked for on Get, operations that the server does not have.
"""

from cryptography.hazmat.primitives import serialization

from kmip.core import attributes as core_attributes
from kmip.core import enums
from kmip.core import objects
from kmip.core.factories.attributes import AttributeFactory
from kmip.core.factories.credentials import CredentialFactory
from kmip.core.factories.secrets import SecretFactory
from kmip.core.messages.contents import ProtocolVersion
from kmip.core.misc import KeyFormatType
from kmip.services.kmip_client import KMIPProxy

from checks import Checks, arguments, equal, kmip_address, true

Operation = enums.Operation
Function = enums.QueryFunction
Status = enums.ResultStatus
Kind = enums.AttributeType
VERSIONS = {
    "1.0": enums.KMIPVersion.KMIP_1_0,
    "1.1": enums.KMIPVersion.KMIP_1_1,
    "1.2": enums.KMIPVersion.KMIP_1_2,
    "1.3": enums.KMIPVersion.KMIP_1_3,
    "1.4": enums.KMIPVersion.KMIP_1_4,
    "2.0": enums.KMIPVersion.KMIP_2_0,
}
BASE = [Operation.CREATE, Operation.CREATE_KEY_PAIR, Operation.REGISTER, Operation.DERIVE_KEY, Operation.LOCATE,
        Operation.REKEY, Operation.GET, Operation.GET_ATTRIBUTES, Operation.GET_ATTRIBUTE_LIST, Operation.ADD_ATTRIBUTE,
        Operation.MODIFY_ATTRIBUTE, Operation.DELETE_ATTRIBUTE, Operation.ACTIVATE, Operation.REVOKE,
        Operation.DESTROY, Operation.QUERY]
SINCE = {
    "1.1": [Operation.DISCOVER_VERSIONS, Operation.REKEY_KEY_PAIR],
    "1.2": [Operation.ENCRYPT, Operation.DECRYPT, Operation.SIGN, Operation.SIGNATURE_VERIFY, Operation.MAC],
    "2.0": [Operation.SET_ATTRIBUTE],
}
OBJECTS = [enums.ObjectType.SYMMETRIC_KEY, enums.ObjectType.PUBLIC_KEY, enums.ObjectType.PRIVATE_KEY,
           enums.ObjectType.CERTIFICATE, enums.ObjectType.SECRET_DATA, enums.ObjectType.OPAQUE_DATA]


def attribute(kind, value):
    return AttributeFactory().create_attribute(kind, value)


def template(*attributes):
    return objects.TemplateAttribute(attributes=list(attributes))


def aes(length=256, mask=(enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT), *more):
    return template(
        attribute(Kind.CRYPTOGRAPHIC_ALGORITHM, enums.CryptographicAlgorithm.AES),
        attribute(Kind.CRYPTOGRAPHIC_LENGTH, length),
        attribute(Kind.CRYPTOGRAPHIC_USAGE_MASK, list(mask)),
        *more)


def success(result):
    status = result.get("result_status") if isinstance(result, dict) else result.result_status.value
    if status != Status.SUCCESS:
        if isinstance(result, dict):
            raise AssertionError(f"{result.get('result_reason')}: {result.get('result_message')}")
        raise AssertionError(f"{result.result_reason.value}: {result.result_message.value}")
    return result


def failure(result, *reasons):
    if isinstance(result, dict):
        status, reason = result.get("result_status"), result.get("result_reason")
    else:
        status = result.result_status.value
        reason = result.result_reason.value if result.result_reason else None
    equal(status, Status.OPERATION_FAILED, "status")
    true(reason in reasons, f"refused with {reason}, expected one of {reasons}")


class Run:
    def __init__(self, checks, client, version):
        self.checks = checks
        self.client = client
        self.version = version

    def check(self, name):
        return self.checks.check(f"{self.version} {name}")

    def name(self, text):
        return attribute(Kind.NAME, f"low-level-{self.version}-{text}")

    def at_least(self, version):
        return self.version >= version

    def destroy(self, uid):
        success(self.client.destroy(uid))

    # ---- what the server says of itself -----------------------------------------------------------------------

    def discover_versions(self):
        if not self.at_least("1.1"):
            return
        with self.check("discover versions: all, best first"):
            found = [(v.major, v.minor) for v in success(self.client.discover_versions()).protocol_versions]
            equal(found, sorted(found, reverse=True))
            for version in VERSIONS:
                major, minor = version.split(".")
                true((int(major), int(minor)) in found, f"{version} is among {found}")
        with self.check("discover versions: the intersection, also when it is empty"):
            asked = [ProtocolVersion(1, 2), ProtocolVersion(1, 0), ProtocolVersion(7, 0)]
            found = success(self.client.discover_versions(protocol_versions=asked)).protocol_versions
            equal(sorted((v.major, v.minor) for v in found), [(1, 0), (1, 2)])
            found = success(self.client.discover_versions(protocol_versions=[ProtocolVersion(7, 0)]))
            equal(found.protocol_versions, [])

    def query(self):
        client = self.client
        with self.check("query: operations of this version, and none of a later one"):
            found = success(client.query(query_functions=[Function.QUERY_OPERATIONS])).operations
            expected, later = list(BASE), []
            for since, operations in SINCE.items():
                (expected if self.at_least(since) else later).extend(operations)
            # PyKMIP's server: leaves out Delete, Modify and Set Attribute, which it has.
            equal([o for o in expected if o not in found], [], "missing")
            equal([o for o in later if o in found], [], "younger than this version")
            equal(len(found), len(set(found)), "each once")
        with self.check("query: object types"):
            # PyKMIP's server: none at all.
            types = success(client.query(query_functions=[Function.QUERY_OBJECTS])).object_types
            equal([t for t in OBJECTS if t not in types], [], "missing")
        with self.check("query: server information"):
            answer = success(client.query(query_functions=[Function.QUERY_SERVER_INFORMATION]))
            true(answer.vendor_identification, "a vendor identification")
            equal(answer.operations, [], "only what was asked")
        with self.check("query: every function of this version, alone and together"):
            functions = [Function.QUERY_OPERATIONS, Function.QUERY_OBJECTS, Function.QUERY_SERVER_INFORMATION,
                         Function.QUERY_APPLICATION_NAMESPACES]
            if self.at_least("1.1"):
                functions += [Function.QUERY_EXTENSION_LIST, Function.QUERY_EXTENSION_MAP]
            if self.at_least("1.2"):
                functions += [Function.QUERY_ATTESTATION_TYPES]
            if self.at_least("1.3"):
                functions += [Function.QUERY_RNGS, Function.QUERY_VALIDATIONS, Function.QUERY_PROFILES,
                              Function.QUERY_CAPABILITIES, Function.QUERY_CLIENT_REGISTRATION_METHODS]
            if self.at_least("2.0"):
                functions += [Function.QUERY_DEFAULTS_INFORMATION, Function.QUERY_STORAGE_PROTECTION_MASKS]
            for function in functions:
                success(client.query(query_functions=[function]))
            success(client.query(query_functions=functions))

    # ---- objects ----------------------------------------------------------------------------------------------

    def create(self):
        client = self.client
        with self.check("create: identifier, type, then get with and without credentials"):
            result = success(client.create(enums.ObjectType.SYMMETRIC_KEY, aes(256)))
            equal(result.object_type, enums.ObjectType.SYMMETRIC_KEY)
            uid = result.uuid
            credential = CredentialFactory().create_credential(
                enums.CredentialType.USERNAME_AND_PASSWORD, {"Username": "nobody", "Password": ""})
            for given in (None, credential):
                answer = success(client.get(uuid=uid, credential=given))
                equal((answer.uuid, answer.object_type), (uid, enums.ObjectType.SYMMETRIC_KEY))
                equal(len(answer.secret.key_block.key_value.key_material.value), 32)
                true(answer.secret.key_block.key_wrapping_data is None, "not wrapped")
        with self.check("get attributes: one, some"):
            one = success(client.get_attributes(uid, ["State"])).attributes
            equal([a.attribute_name.value for a in one], ["State"])
            some = success(client.get_attributes(uid, ["State", "Object Type", "x-none"])).attributes \
                if not self.at_least("2.0") else \
                success(client.get_attributes(uid, ["State", "Object Type"])).attributes
            equal(sorted(a.attribute_name.value for a in some), ["Object Type", "State"])
            self.destroy(uid)
        with self.check("create: every AES length"):
            for length in (128, 192, 256):
                uid = success(client.create(enums.ObjectType.SYMMETRIC_KEY, aes(length))).uuid
                material = success(client.get(uuid=uid)).secret.key_block.key_value.key_material.value
                equal(len(material) * 8, length)
                self.destroy(uid)
        with self.check("create: what cannot be made is refused"):
            failure(client.create(enums.ObjectType.SYMMETRIC_KEY, aes(200)), enums.ResultReason.INVALID_FIELD,
                    enums.ResultReason.CRYPTOGRAPHIC_FAILURE, enums.ResultReason.BAD_CRYPTOGRAPHIC_PARAMETERS,
                    enums.ResultReason.INVALID_ATTRIBUTE_VALUE)
            failure(client.create(enums.ObjectType.CERTIFICATE, aes(256)), enums.ResultReason.INVALID_FIELD,
                    enums.ResultReason.INVALID_OBJECT_TYPE)

    def create_dated(self):
        client = self.client
        with self.check("create: with dates that decide its state"):
            # PyKMIP's server: takes no date in Create.
            past = attribute(Kind.ACTIVATION_DATE, 1)
            uid = success(client.create(enums.ObjectType.SYMMETRIC_KEY, aes(256, aes_mask(), past))).uuid
            state = success(client.get_attributes(uid, ["State"])).attributes[0].attribute_value.value
            equal(state, enums.State.ACTIVE)
            success(client.revoke(enums.RevocationReasonCode.KEY_COMPROMISE, uid))
            self.destroy(uid)
            future = attribute(Kind.ACTIVATION_DATE, 4102444800)
            uid = success(client.create(enums.ObjectType.SYMMETRIC_KEY, aes(256, aes_mask(), future))).uuid
            state = success(client.get_attributes(uid, ["State"])).attributes[0].attribute_value.value
            equal(state, enums.State.PRE_ACTIVE)
            self.destroy(uid)

    def create_key_pair(self):
        client = self.client
        # EC is the name since 1.4; before, a curve key is asked for by its signature algorithm.
        curve = enums.CryptographicAlgorithm.EC if self.at_least("1.4") else enums.CryptographicAlgorithm.ECDSA
        for algorithm, length in ((enums.CryptographicAlgorithm.RSA, 2048), (curve, 256)):
            with self.check(f"create key pair: {algorithm.name}, formats on get"):
                # PyKMIP's server: RSA only.
                common = objects.TemplateAttribute(attributes=[
                    attribute(Kind.CRYPTOGRAPHIC_ALGORITHM, algorithm),
                    attribute(Kind.CRYPTOGRAPHIC_LENGTH, length),
                ], tag=enums.Tags.COMMON_TEMPLATE_ATTRIBUTE)
                private = objects.TemplateAttribute(attributes=[
                    self.name(f"{algorithm.name} private"),
                    attribute(Kind.CRYPTOGRAPHIC_USAGE_MASK, [enums.CryptographicUsageMask.SIGN]),
                ], tag=enums.Tags.PRIVATE_KEY_TEMPLATE_ATTRIBUTE)
                public = objects.TemplateAttribute(attributes=[
                    self.name(f"{algorithm.name} public"),
                    attribute(Kind.CRYPTOGRAPHIC_USAGE_MASK, [enums.CryptographicUsageMask.VERIFY]),
                ], tag=enums.Tags.PUBLIC_KEY_TEMPLATE_ATTRIBUTE)
                result = success(client.create_key_pair(
                    common_template_attribute=common, private_key_template_attribute=private,
                    public_key_template_attribute=public))
                halves = (result.private_key_uuid, result.public_key_uuid)
                self.formats(*halves)
                if self.at_least("1.1"):
                    halves += self.rekey_key_pair(halves[0])
                    self.formats(*halves[2:])
                    found = success(self.client.locate(attributes=[self.name(f"{algorithm.name} private")])).uuids
                    equal(found, [halves[2]], "the name is the new key's")
                for uid in halves:
                    # The library cannot read the Link between them.
                    true("Link" in success(client.get_attribute_list(uid)).names, "the halves are linked")
                    self.destroy(uid)

    def rekey(self):
        client = self.client
        with self.check("re-key: the new key has the name, the old one its material"):
            # PyKMIP's server: has no Re-key.
            key = self.name("re-keyed")
            past = attribute(Kind.ACTIVATION_DATE, 1)
            old = success(client.create(enums.ObjectType.SYMMETRIC_KEY, aes(256, aes_mask(), key, past))).uuid
            before = self.material(old)
            new = success(client.rekey(uuid=old, offset=0))["unique_identifier"]
            equal(success(client.locate(attributes=[key])).uuids, [new])
            equal(self.material(old), before)
            true(self.material(new) != before and len(self.material(new)) == 32, "a new key as long")
            state = success(client.get_attributes(new, ["State"])).attributes[0].attribute_value.value
            equal(state, enums.State.ACTIVE)
            # The library cannot read the Link between them.
            for uid in (old, new):
                true("Link" in success(client.get_attribute_list(uid)).names, "both are linked")
                success(client.revoke(enums.RevocationReasonCode.SUPERSEDED, uid))
                self.destroy(uid)
            reasons = (enums.ResultReason.ITEM_NOT_FOUND, enums.ResultReason.OBJECT_DESTROYED)
            failure(client.rekey(uuid=old), *reasons)
        if self.at_least("2.0"):
            return
        with self.check("re-key: attributes of the request"):
            old = success(client.create(enums.ObjectType.SYMMETRIC_KEY, aes(256))).uuid
            asked = template(attribute(Kind.CRYPTOGRAPHIC_LENGTH, 128), self.name("shorter"))
            new = success(client.rekey(uuid=old, template_attribute=asked))["unique_identifier"]
            equal(len(self.material(new)), 16)
            equal(success(client.locate(attributes=[self.name("shorter")])).uuids, [new])
            self.destroy(old)
            self.destroy(new)

    def material(self, uid):
        return success(self.client.get(uuid=uid)).secret.key_block.key_value.key_material.value

    def rekey_key_pair(self, private):
        """The halves of the new pair."""
        old = core_attributes.PrivateKeyUniqueIdentifier(private)
        result = success(self.client.rekey_key_pair(private_key_uuid=old))
        return result.private_key_uuid, result.public_key_uuid

    def formats(self, private, public):
        """Each format that is asked for is the one that comes, and it can be read."""
        formats = enums.KeyFormatType
        answer = success(self.client.get(uuid=private, key_format_type=KeyFormatType(formats.PKCS_8)))
        equal(answer.secret.key_block.key_format_type.value, formats.PKCS_8)
        pkcs8 = answer.secret.key_block.key_value.key_material.value
        key = serialization.load_der_private_key(pkcs8, None)
        answer = success(self.client.get(uuid=public, key_format_type=KeyFormatType(formats.X_509)))
        equal(answer.secret.key_block.key_format_type.value, formats.X_509)
        spki = serialization.load_der_public_key(answer.secret.key_block.key_value.key_material.value)
        equal(spki.public_numbers(), key.public_key().public_numbers(), "the halves belong together")

    def register(self):
        client = self.client
        secrets = SecretFactory()
        block = {"key_format_type": enums.KeyFormatType.RAW,
                 "cryptographic_algorithm": enums.CryptographicAlgorithm.AES,
                 "cryptographic_length": 128}
        with self.check("register: a symmetric key comes back as it was"):
            value = {**block, "key_value": bytes(range(16))}
            key = secrets.create(enums.ObjectType.SYMMETRIC_KEY, value)
            uid = success(client.register(enums.ObjectType.SYMMETRIC_KEY, template(
                self.name("registered"),
                attribute(Kind.CRYPTOGRAPHIC_USAGE_MASK, [enums.CryptographicUsageMask.ENCRYPT])), key)).uuid
            answer = success(client.get(uuid=uid))
            equal(answer.secret.key_block.key_value.key_material.value, bytes(range(16)))
            self.destroy(uid)
        with self.check("register: secret data without usage and without a name"):
            value = {"secret_data_type": enums.SecretDataType.PASSWORD,
                     "key_format_type": enums.KeyFormatType.OPAQUE, "key_value": b"hunter2"}
            secret = secrets.create(enums.ObjectType.SECRET_DATA, value)
            uid = success(client.register(enums.ObjectType.SECRET_DATA, template(), secret)).uuid
            answer = success(client.get(uuid=uid))
            equal(answer.secret.key_block.key_value.key_material.value, b"hunter2")
            self.destroy(uid)
        if not self.at_least("2.0"):
            with self.check("register: custom attributes are kept and found"):
                # PyKMIP's server: has no custom attributes.
                custom = objects.Attribute(
                    attribute_name=objects.Attribute.AttributeName("x-purpose"),
                    attribute_value=core_attributes.CustomAttribute("testing"))
                key = secrets.create(enums.ObjectType.SYMMETRIC_KEY, {**block, "key_value": b"\x01" * 16})
                uid = success(client.register(enums.ObjectType.SYMMETRIC_KEY, template(
                    attribute(Kind.CRYPTOGRAPHIC_USAGE_MASK, [enums.CryptographicUsageMask.ENCRYPT]),
                    custom), key)).uuid
                names = success(client.get_attribute_list(uid)).names
                true("x-purpose" in names, f"x-purpose is among {names}")
                equal(success(client.locate(attributes=[custom])).uuids, [uid])
                self.destroy(uid)

    # ---- the rest ---------------------------------------------------------------------------------------------

    def locate(self):
        client = self.client
        with self.check("locate: maximum and offset, storage status, nothing found"):
            mine = []
            for index in range(3):
                made = client.create(enums.ObjectType.SYMMETRIC_KEY, aes(256, aes_mask(), self.name(f"locate {index}")))
                mine.append(success(made).uuid)
            every = success(client.locate()).uuids
            true(set(mine) <= set(every), "all are found without a filter")
            equal(success(client.locate(maximum_items=2)).uuids, every[:2])
            equal(success(client.locate(maximum_items=2, offset_items=1)).uuids, every[1:3])
            equal(success(client.locate(storage_status_mask=1)).uuids, every, "online")
            equal(success(client.locate(attributes=[self.name("locate 1")])).uuids, [mine[1]])
            equal(success(client.locate(attributes=[self.name("locate 9")])).uuids, [])
            for uid in mine:
                self.destroy(uid)

    def absent_operations(self):
        client = self.client
        with self.check("an operation that Query does not list is refused as not supported"):
            listed = success(client.query(query_functions=[Function.QUERY_OPERATIONS])).operations
            uid = success(client.create(enums.ObjectType.SYMMETRIC_KEY, aes(256))).uuid
            if Operation.CHECK not in listed:
                failure(client.check(uuid=uid, cryptographic_usage_mask=[]), enums.ResultReason.OPERATION_NOT_SUPPORTED)
            success(client.get(uuid=uid))
            self.destroy(uid)

    def everything(self):
        self.discover_versions()
        self.query()
        self.create()
        self.create_dated()
        self.create_key_pair()
        self.rekey()
        self.register()
        self.locate()
        self.absent_operations()


def aes_mask():
    return (enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT)


def main():
    options = arguments(__doc__)
    checks = Checks(options.all)
    host, port = kmip_address(options.kmip)
    for text, version in VERSIONS.items():
        if options.only not in (None, text):
            continue
        client = KMIPProxy(
            host=host, port=port, certfile=f"{options.client}/cert.pem", keyfile=f"{options.client}/key.pem",
            ca_certs=f"{options.client}/ca.pem", ssl_version="PROTOCOL_SSLv23", config_file="/dev/null",
            kmip_version=version)
        with checks.check(f"{text} connect"):
            client.open()
        Run(checks, client, text).everything()
        client.close()
    with checks.check("a version that the client does not name is 1.2"):
        client = KMIPProxy(
            host=host, port=port, certfile=f"{options.client}/cert.pem", keyfile=f"{options.client}/key.pem",
            ca_certs=f"{options.client}/ca.pem", ssl_version="PROTOCOL_SSLv23", config_file="/dev/null",
            username="someone", password="something")
        client.open()
        success(client.query(query_functions=[Function.QUERY_OPERATIONS]))
        client.close()
    checks.finish()


main()
