//! The enumerations of KMIP 1.0 to 2.1 (KMIP 2.1 §11 and §9.1.3.2 of the older versions).
//!
//! A table and nothing else: it must never know which operation accepts which value.
//! Each row is `CONSTANT = value "Name" "Printed name" [first .. last version]`, then
//! `as` and other spellings that are read but never written. A row without a last
//! version is still in 2.1. Values outside the table survive: the types are newtypes.

enumeration_tables! {
    AdjustmentType "AdjustmentType" {
        INCREMENT = 0x00000001 "Increment" "Increment" [V2_0];
        DECREMENT = 0x00000002 "Decrement" "Decrement" [V2_0];
        NEGATE = 0x00000003 "Negate" "Negate" [V2_0];
    }
    AlternativeNameType "AlternativeNameType" {
        UNINTERPRETED_TEXT_STRING = 0x00000001 "UninterpretedTextString" "Uninterpreted Text String" [V1_2];
        URI = 0x00000002 "URI" "URI" [V1_2];
        OBJECT_SERIAL_NUMBER = 0x00000003 "ObjectSerialNumber" "Object Serial Number" [V1_2];
        EMAIL_ADDRESS = 0x00000004 "EmailAddress" "Email Address" [V1_2];
        DNS_NAME = 0x00000005 "DNSName" "DNS Name" [V1_2];
        X_500_DISTINGUISHED_NAME = 0x00000006 "X_500DistinguishedName" "X.500 Distinguished Name" [V1_2];
        IP_ADDRESS = 0x00000007 "IPAddress" "IP Address" [V1_2];
    }
    AsynchronousIndicator "AsynchronousIndicator" {
        MANDATORY = 0x00000001 "Mandatory" "Mandatory" [V2_0];
        OPTIONAL = 0x00000002 "Optional" "Optional" [V2_0];
        PROHIBITED = 0x00000003 "Prohibited" "Prohibited" [V2_0];
    }
    AttestationType "AttestationType" {
        TPM_QUOTE = 0x00000001 "TPMQuote" "TPM Quote" [V1_2];
        TCG_INTEGRITY_REPORT = 0x00000002 "TCGIntegrityReport" "TCG Integrity Report" [V1_2];
        SAML_ASSERTION = 0x00000003 "SAMLAssertion" "SAML Assertion" [V1_2];
    }
    BatchErrorContinuationOption "BatchErrorContinuationOption" {
        CONTINUE = 0x00000001 "Continue" "Continue" [V1_0];
        STOP = 0x00000002 "Stop" "Stop" [V1_0];
        UNDO = 0x00000003 "Undo" "Undo" [V1_0];
    }
    BlockCipherMode "BlockCipherMode" {
        CBC = 0x00000001 "CBC" "CBC" [V1_0];
        ECB = 0x00000002 "ECB" "ECB" [V1_0];
        PCBC = 0x00000003 "PCBC" "PCBC" [V1_0];
        CFB = 0x00000004 "CFB" "CFB" [V1_0];
        OFB = 0x00000005 "OFB" "OFB" [V1_0];
        CTR = 0x00000006 "CTR" "CTR" [V1_0];
        CMAC = 0x00000007 "CMAC" "CMAC" [V1_0];
        CCM = 0x00000008 "CCM" "CCM" [V1_0];
        GCM = 0x00000009 "GCM" "GCM" [V1_0];
        CBC_MAC = 0x0000000A "CBC_MAC" "CBC-MAC" [V1_0];
        XTS = 0x0000000B "XTS" "XTS" [V1_0];
        AES_KEY_WRAP_PADDING = 0x0000000C "AESKeyWrapPadding" "AESKeyWrapPadding" [V1_0];
        NIST_KEY_WRAP = 0x0000000D "NISTKeyWrap" "NISTKeyWrap" [V1_0];
        X9_102AESKW = 0x0000000E "X9_102AESKW" "X9.102 AESKW" [V1_0];
        X9_102TDKW = 0x0000000F "X9_102TDKW" "X9.102 TDKW" [V1_0];
        X9_102AKW1 = 0x00000010 "X9_102AKW1" "X9.102 AKW1" [V1_0];
        X9_102AKW2 = 0x00000011 "X9_102AKW2" "X9.102 AKW2" [V1_0];
        AEAD = 0x00000012 "AEAD" "AEAD" [V1_4];
    }
    CancellationResult "CancellationResult" {
        CANCELED = 0x00000001 "Canceled" "Canceled" [V1_0];
        UNABLE_TO_CANCEL = 0x00000002 "UnableToCancel" "Unable to Cancel" [V1_0];
        COMPLETED = 0x00000003 "Completed" "Completed" [V1_0];
        FAILED = 0x00000004 "Failed" "Failed" [V1_0];
        UNAVAILABLE = 0x00000005 "Unavailable" "Unavailable" [V1_0];
    }
    CertificateRequestType "CertificateRequestType" {
        CRMF = 0x00000001 "CRMF" "CRMF" [V1_0];
        PKCS_10 = 0x00000002 "PKCS_10" "PKCS#10" [V1_0];
        PEM = 0x00000003 "PEM" "PEM" [V1_0];
        PGP = 0x00000004 "PGP" "PGP" [V1_0 .. V1_4];
    }
    CertificateType "CertificateType" {
        X_509 = 0x00000001 "X_509" "X.509" [V1_0];
        PGP = 0x00000002 "PGP" "PGP" [V1_0];
    }
    ClientRegistrationMethod "ClientRegistrationMethod" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        SERVER_PRE_GENERATED = 0x00000002 "ServerPreGenerated" "Server Pre-Generated" [V1_3];
        SERVER_ON_DEMAND = 0x00000003 "ServerOnDemand" "Server On-Demand" [V1_3];
        CLIENT_GENERATED = 0x00000004 "ClientGenerated" "Client Generated" [V1_3];
        CLIENT_REGISTERED = 0x00000005 "ClientRegistered" "Client Registered" [V1_3];
    }
    CredentialType "CredentialType" {
        USERNAME_AND_PASSWORD = 0x00000001 "UsernameAndPassword" "Username and Password" [V1_0];
        DEVICE = 0x00000002 "Device" "Device" [V1_1];
        ATTESTATION = 0x00000003 "Attestation" "Attestation" [V1_2];
        ONE_TIME_PASSWORD = 0x00000004 "OneTimePassword" "One Time Password" [V2_0];
        HASHED_PASSWORD = 0x00000005 "HashedPassword" "Hashed Password" [V2_0];
        TICKET = 0x00000006 "Ticket" "Ticket" [V2_0];
    }
    CryptographicAlgorithm "CryptographicAlgorithm" {
        DES = 0x00000001 "DES" "DES" [V1_0];
        DES3 = 0x00000002 "DES3" "3DES" [V1_0];
        AES = 0x00000003 "AES" "AES" [V1_0];
        RSA = 0x00000004 "RSA" "RSA" [V1_0];
        DSA = 0x00000005 "DSA" "DSA" [V1_0];
        ECDSA = 0x00000006 "ECDSA" "ECDSA" [V1_0];
        HMAC_SHA1 = 0x00000007 "HMAC_SHA1" "HMAC-SHA1" [V1_0];
        HMAC_SHA224 = 0x00000008 "HMAC_SHA224" "HMAC-SHA224" [V1_0];
        HMAC_SHA256 = 0x00000009 "HMAC_SHA256" "HMAC-SHA256" [V1_0];
        HMAC_SHA384 = 0x0000000A "HMAC_SHA384" "HMAC-SHA384" [V1_0];
        HMAC_SHA512 = 0x0000000B "HMAC_SHA512" "HMAC-SHA512" [V1_0];
        HMAC_MD5 = 0x0000000C "HMAC_MD5" "HMAC-MD5" [V1_0];
        DH = 0x0000000D "DH" "DH" [V1_0];
        ECDH = 0x0000000E "ECDH" "ECDH" [V1_0];
        ECMQV = 0x0000000F "ECMQV" "ECMQV" [V1_0];
        BLOWFISH = 0x00000010 "Blowfish" "Blowfish" [V1_0];
        CAMELLIA = 0x00000011 "Camellia" "Camellia" [V1_0];
        CAST5 = 0x00000012 "CAST5" "CAST5" [V1_0];
        IDEA = 0x00000013 "IDEA" "IDEA" [V1_0];
        MARS = 0x00000014 "MARS" "MARS" [V1_0];
        RC2 = 0x00000015 "RC2" "RC2" [V1_0];
        RC4 = 0x00000016 "RC4" "RC4" [V1_0];
        RC5 = 0x00000017 "RC5" "RC5" [V1_0];
        SKIPJACK = 0x00000018 "SKIPJACK" "SKIPJACK" [V1_0];
        TWOFISH = 0x00000019 "Twofish" "Twofish" [V1_0];
        EC = 0x0000001A "EC" "EC" [V1_2];
        ONE_TIME_PAD = 0x0000001B "OneTimePad" "One Time Pad" [V1_3];
        CHACHA20 = 0x0000001C "ChaCha20" "ChaCha20" [V1_4];
        POLY1305 = 0x0000001D "Poly1305" "Poly1305" [V1_4];
        CHACHA20_POLY1305 = 0x0000001E "ChaCha20Poly1305" "ChaCha20Poly1305" [V1_4];
        SHA3_224 = 0x0000001F "SHA3_224" "SHA3-224" [V1_4];
        SHA3_256 = 0x00000020 "SHA3_256" "SHA3-256" [V1_4];
        SHA3_384 = 0x00000021 "SHA3_384" "SHA3-384" [V1_4];
        SHA3_512 = 0x00000022 "SHA3_512" "SHA3-512" [V1_4];
        HMAC_SHA3_224 = 0x00000023 "HMAC_SHA3_224" "HMAC-SHA3-224" [V1_4];
        HMAC_SHA3_256 = 0x00000024 "HMAC_SHA3_256" "HMAC-SHA3-256" [V1_4];
        HMAC_SHA3_384 = 0x00000025 "HMAC_SHA3_384" "HMAC-SHA3-384" [V1_4];
        HMAC_SHA3_512 = 0x00000026 "HMAC_SHA3_512" "HMAC-SHA3-512" [V1_4];
        SHAKE_128 = 0x00000027 "SHAKE_128" "SHAKE-128" [V1_4];
        SHAKE_256 = 0x00000028 "SHAKE_256" "SHAKE-256" [V1_4];
        ARIA = 0x00000029 "ARIA" "ARIA" [V2_0];
        SEED = 0x0000002A "SEED" "SEED" [V2_0];
        SM2 = 0x0000002B "SM2" "SM2" [V2_0];
        SM3 = 0x0000002C "SM3" "SM3" [V2_0];
        SM4 = 0x0000002D "SM4" "SM4" [V2_0];
        GOSTR34_10_2012 = 0x0000002E "GOSTR34_10_2012" "GOST R 34.10-2012" [V2_0];
        GOSTR34_11_2012 = 0x0000002F "GOSTR34_11_2012" "GOST R 34.11-2012" [V2_0];
        GOSTR34_13_2015 = 0x00000030 "GOSTR34_13_2015" "GOST R 34.13-2015" [V2_0];
        GOST28147_89 = 0x00000031 "GOST28147_89" "GOST 28147-89" [V2_0];
        XMSS = 0x00000032 "XMSS" "XMSS" [V2_0];
        SPHINCS_256 = 0x00000033 "SPHINCS_256" "SPHINCS-256" [V2_0];
        MCELIECE = 0x00000034 "McEliece" "McEliece" [V2_0];
        MCELIECE_6960119 = 0x00000035 "McEliece_6960119" "McEliece-6960119" [V2_0];
        MCELIECE_8192128 = 0x00000036 "McEliece_8192128" "McEliece-8192128" [V2_0];
        ED25519 = 0x00000037 "Ed25519" "Ed25519" [V2_0];
        ED448 = 0x00000038 "Ed448" "Ed448" [V2_0];
    }
    DrbgAlgorithm "DRBGAlgorithm" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        DUAL_EC = 0x00000002 "Dual_EC" "Dual-EC" [V1_3];
        HASH = 0x00000003 "Hash" "Hash" [V1_3];
        HMAC = 0x00000004 "HMAC" "HMAC" [V1_3];
        CTR = 0x00000005 "CTR" "CTR" [V1_3];
    }
    Data "Data" {
        DECRYPT = 0x00000001 "Decrypt" "Decrypt" [V2_0];
        ENCRYPT = 0x00000002 "Encrypt" "Encrypt" [V2_0];
        HASH = 0x00000003 "Hash" "Hash" [V2_0];
        MAC_MAC_DATA = 0x00000004 "MACMACData" "MAC MAC Data" [V2_0];
        RNG_RETRIEVE = 0x00000005 "RNGRetrieve" "RNG Retrieve" [V2_0];
        SIGN_SIGNATURE_DATA = 0x00000006 "SignSignatureData" "Sign Signature Data" [V2_0];
        SIGNATURE_VERIFY = 0x00000007 "SignatureVerify" "Signature Verify" [V2_0];
    }
    DerivationMethod "DerivationMethod" {
        PBKDF2 = 0x00000001 "PBKDF2" "PBKDF2" [V1_0];
        HASH = 0x00000002 "HASH" "HASH" [V1_0];
        HMAC = 0x00000003 "HMAC" "HMAC" [V1_0];
        ENCRYPT = 0x00000004 "ENCRYPT" "ENCRYPT" [V1_0];
        NIST800_108_C = 0x00000005 "NIST800_108_C" "NIST800-108-C" [V1_0];
        NIST800_108_F = 0x00000006 "NIST800_108_F" "NIST800-108-F" [V1_0];
        NIST800_108_DPI = 0x00000007 "NIST800_108_DPI" "NIST800-108-DPI" [V1_0];
        ASYMMETRIC_KEY = 0x00000008 "AsymmetricKey" "Asymmetric Key" [V1_4];
        AWS_SIGNATURE_VERSION4 = 0x00000009 "AWSSignatureVersion4" "AWS Signature Version 4" [V2_0];
        HKDF = 0x0000000A "HKDF" "HKDF" [V2_0];
    }
    DestroyAction "DestroyAction" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        KEY_MATERIAL_DELETED = 0x00000002 "KeyMaterialDeleted" "Key Material Deleted" [V1_3];
        KEY_MATERIAL_SHREDDED = 0x00000003 "KeyMaterialShredded" "Key Material Shredded" [V1_3];
        META_DATA_DELETED = 0x00000004 "MetaDataDeleted" "Meta Data Deleted" [V1_3];
        META_DATA_SHREDDED = 0x00000005 "MetaDataShredded" "Meta Data Shredded" [V1_3];
        DELETED = 0x00000006 "Deleted" "Deleted" [V1_3];
        SHREDDED = 0x00000007 "Shredded" "Shredded" [V1_3];
    }
    DigitalSignatureAlgorithm "DigitalSignatureAlgorithm" {
        MD2_WITH_RSA_ENCRYPTION = 0x00000001 "MD2WithRSAEncryption" "MD2 with RSA Encryption" [V1_1] as "MD2WithRSAEncryptionPKCS_1V1_5";
        MD5_WITH_RSA_ENCRYPTION = 0x00000002 "MD5WithRSAEncryption" "MD5 with RSA Encryption" [V1_1] as "MD5WithRSAEncryptionPKCS_1V1_5";
        SHA_1_WITH_RSA_ENCRYPTION = 0x00000003 "SHA_1WithRSAEncryption" "SHA-1 with RSA Encryption" [V1_1] as "SHA_1WithRSAEncryptionPKCS_1V1_5";
        SHA_224_WITH_RSA_ENCRYPTION = 0x00000004 "SHA_224WithRSAEncryption" "SHA-224 with RSA Encryption" [V1_1] as "SHA_224WithRSAEncryptionPKCS_1V1_5";
        SHA_256_WITH_RSA_ENCRYPTION = 0x00000005 "SHA_256WithRSAEncryption" "SHA-256 with RSA Encryption" [V1_1] as "SHA_256WithRSAEncryptionPKCS_1V1_5";
        SHA_384_WITH_RSA_ENCRYPTION = 0x00000006 "SHA_384WithRSAEncryption" "SHA-384 with RSA Encryption" [V1_1] as "SHA_384WithRSAEncryptionPKCS_1V1_5";
        SHA_512_WITH_RSA_ENCRYPTION = 0x00000007 "SHA_512WithRSAEncryption" "SHA-512 with RSA Encryption" [V1_1] as "SHA_512WithRSAEncryptionPKCS_1V1_5";
        RSASSA_PSS = 0x00000008 "RSASSA_PSS" "RSASSA-PSS" [V1_1] as "RSASSA_PSSPKCS_1V2_1";
        DSA_WITH_SHA_1 = 0x00000009 "DSAWithSHA_1" "DSA with SHA-1" [V1_1];
        DSA_WITH_SHA224 = 0x0000000A "DSAWithSHA224" "DSA with SHA224" [V1_1];
        DSA_WITH_SHA256 = 0x0000000B "DSAWithSHA256" "DSA with SHA256" [V1_1];
        ECDSA_WITH_SHA_1 = 0x0000000C "ECDSAWithSHA_1" "ECDSA with SHA-1" [V1_1];
        ECDSA_WITH_SHA224 = 0x0000000D "ECDSAWithSHA224" "ECDSA with SHA224" [V1_1];
        ECDSA_WITH_SHA256 = 0x0000000E "ECDSAWithSHA256" "ECDSA with SHA256" [V1_1];
        ECDSA_WITH_SHA384 = 0x0000000F "ECDSAWithSHA384" "ECDSA with SHA384" [V1_1];
        ECDSA_WITH_SHA512 = 0x00000010 "ECDSAWithSHA512" "ECDSA with SHA512" [V1_1];
        SHA3_256_WITH_RSA_ENCRYPTION = 0x00000011 "SHA3_256WithRSAEncryption" "SHA3-256 with RSA Encryption" [V1_4];
        SHA3_384_WITH_RSA_ENCRYPTION = 0x00000012 "SHA3_384WithRSAEncryption" "SHA3-384 with RSA Encryption" [V1_4];
        SHA3_512_WITH_RSA_ENCRYPTION = 0x00000013 "SHA3_512WithRSAEncryption" "SHA3-512 with RSA Encryption" [V1_4];
    }
    EncodingOption "EncodingOption" {
        NO_ENCODING = 0x00000001 "NoEncoding" "No Encoding" [V1_1];
        TTLV_ENCODING = 0x00000002 "TTLVEncoding" "TTLV Encoding" [V1_1];
    }
    EndpointRole "EndpointRole" {
        CLIENT = 0x00000001 "Client" "Client" [V2_0];
        SERVER = 0x00000002 "Server" "Server" [V2_0];
    }
    Fips186Variation "FIPS186Variation" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        GPX_ORIGINAL = 0x00000002 "GPXOriginal" "GP x-Original" [V1_3];
        GPX_CHANGE_NOTICE = 0x00000003 "GPXChangeNotice" "GP x-Change Notice" [V1_3];
        X_ORIGINAL = 0x00000004 "XOriginal" "x-Original" [V1_3];
        X_CHANGE_NOTICE = 0x00000005 "XChangeNotice" "x-Change Notice" [V1_3];
        K_ORIGINAL = 0x00000006 "KOriginal" "k-Original" [V1_3];
        K_CHANGE_NOTICE = 0x00000007 "KChangeNotice" "k-Change Notice" [V1_3];
    }
    HashingAlgorithm "HashingAlgorithm" {
        MD2 = 0x00000001 "MD2" "MD2" [V1_0];
        MD4 = 0x00000002 "MD4" "MD4" [V1_0];
        MD5 = 0x00000003 "MD5" "MD5" [V1_0];
        SHA_1 = 0x00000004 "SHA_1" "SHA-1" [V1_0];
        SHA_224 = 0x00000005 "SHA_224" "SHA-224" [V1_0];
        SHA_256 = 0x00000006 "SHA_256" "SHA-256" [V1_0];
        SHA_384 = 0x00000007 "SHA_384" "SHA-384" [V1_0];
        SHA_512 = 0x00000008 "SHA_512" "SHA-512" [V1_0];
        RIPEMD_160 = 0x00000009 "RIPEMD_160" "RIPEMD-160" [V1_0];
        TIGER = 0x0000000A "Tiger" "Tiger" [V1_0];
        WHIRLPOOL = 0x0000000B "Whirlpool" "Whirlpool" [V1_0];
        SHA_512_224 = 0x0000000C "SHA_512_224" "SHA-512/224" [V1_2];
        SHA_512_256 = 0x0000000D "SHA_512_256" "SHA-512/256" [V1_2];
        SHA3_224 = 0x0000000E "SHA3_224" "SHA3-224" [V1_4] as "SHA_3_224";
        SHA3_256 = 0x0000000F "SHA3_256" "SHA3-256" [V1_4] as "SHA_3_256";
        SHA3_384 = 0x00000010 "SHA3_384" "SHA3-384" [V1_4] as "SHA_3_384";
        SHA3_512 = 0x00000011 "SHA3_512" "SHA3-512" [V1_4] as "SHA_3_512";
    }
    InteropFunction "InteropFunction" {
        BEGIN = 0x00000001 "Begin" "Begin" [V2_0];
        END = 0x00000002 "End" "End" [V2_0];
        RESET = 0x00000003 "Reset" "Reset" [V2_0];
    }
    ItemType "ItemType" {
        STRUCTURE = 0x00000001 "Structure" "Structure" [V2_0];
        INTEGER = 0x00000002 "Integer" "Integer" [V2_0];
        LONG_INTEGER = 0x00000003 "LongInteger" "Long Integer" [V2_0];
        BIG_INTEGER = 0x00000004 "BigInteger" "Big Integer" [V2_0];
        ENUMERATION = 0x00000005 "Enumeration" "Enumeration" [V2_0];
        BOOLEAN = 0x00000006 "Boolean" "Boolean" [V2_0];
        TEXT_STRING = 0x00000007 "TextString" "Text String" [V2_0];
        BYTE_STRING = 0x00000008 "ByteString" "Byte String" [V2_0];
        DATE_TIME = 0x00000009 "DateTime" "Date Time" [V2_0];
        INTERVAL = 0x0000000A "Interval" "Interval" [V2_0];
        DATE_TIME_EXTENDED = 0x0000000B "DateTimeExtended" "Date Time Extended" [V2_0];
    }
    KeyCompressionType "KeyCompressionType" {
        EC_PUBLIC_KEY_TYPE_UNCOMPRESSED = 0x00000001 "ECPublicKeyTypeUncompressed" "EC Public Key Type Uncompressed" [V1_0];
        EC_PUBLIC_KEY_TYPE_X9_62_COMPRESSED_PRIME = 0x00000002 "ECPublicKeyTypeX9_62CompressedPrime" "EC Public Key Type X9.62 Compressed Prime" [V1_0];
        EC_PUBLIC_KEY_TYPE_X9_62_COMPRESSED_CHAR2 = 0x00000003 "ECPublicKeyTypeX9_62CompressedChar2" "EC Public Key Type X9.62 Compressed Char2" [V1_0];
        EC_PUBLIC_KEY_TYPE_X9_62_HYBRID = 0x00000004 "ECPublicKeyTypeX9_62Hybrid" "EC Public Key Type X9.62 Hybrid" [V1_0];
    }
    KeyFormatType "KeyFormatType" {
        RAW = 0x00000001 "Raw" "Raw" [V1_0];
        OPAQUE = 0x00000002 "Opaque" "Opaque" [V1_0];
        PKCS_1 = 0x00000003 "PKCS_1" "PKCS#1" [V1_0];
        PKCS_8 = 0x00000004 "PKCS_8" "PKCS#8" [V1_0];
        X_509 = 0x00000005 "X_509" "X.509" [V1_0];
        EC_PRIVATE_KEY = 0x00000006 "ECPrivateKey" "ECPrivateKey" [V1_0];
        TRANSPARENT_SYMMETRIC_KEY = 0x00000007 "TransparentSymmetricKey" "Transparent Symmetric Key" [V1_0];
        TRANSPARENT_DSA_PRIVATE_KEY = 0x00000008 "TransparentDSAPrivateKey" "Transparent DSA Private Key" [V1_0];
        TRANSPARENT_DSA_PUBLIC_KEY = 0x00000009 "TransparentDSAPublicKey" "Transparent DSA Public Key" [V1_0];
        TRANSPARENT_RSA_PRIVATE_KEY = 0x0000000A "TransparentRSAPrivateKey" "Transparent RSA Private Key" [V1_0];
        TRANSPARENT_RSA_PUBLIC_KEY = 0x0000000B "TransparentRSAPublicKey" "Transparent RSA Public Key" [V1_0];
        TRANSPARENT_DH_PRIVATE_KEY = 0x0000000C "TransparentDHPrivateKey" "Transparent DH Private Key" [V1_0];
        TRANSPARENT_DH_PUBLIC_KEY = 0x0000000D "TransparentDHPublicKey" "Transparent DH Public Key" [V1_0];
        TRANSPARENT_ECDSA_PRIVATE_KEY = 0x0000000E "TransparentECDSAPrivateKey" "Transparent ECDSA Private Key" [V1_0 .. V1_4];
        TRANSPARENT_ECDSA_PUBLIC_KEY = 0x0000000F "TransparentECDSAPublicKey" "Transparent ECDSA Public Key" [V1_0 .. V1_4];
        TRANSPARENT_ECDH_PRIVATE_KEY = 0x00000010 "TransparentECDHPrivateKey" "Transparent ECDH Private Key" [V1_0 .. V1_4];
        TRANSPARENT_ECDH_PUBLIC_KEY = 0x00000011 "TransparentECDHPublicKey" "Transparent ECDH Public Key" [V1_0 .. V1_4];
        TRANSPARENT_ECMQV_PRIVATE_KEY = 0x00000012 "TransparentECMQVPrivateKey" "Transparent ECMQV Private Key" [V1_0 .. V1_4];
        TRANSPARENT_ECMQV_PUBLIC_KEY = 0x00000013 "TransparentECMQVPublicKey" "Transparent ECMQV Public Key" [V1_0 .. V1_4];
        TRANSPARENT_EC_PRIVATE_KEY = 0x00000014 "TransparentECPrivateKey" "Transparent EC Private Key" [V1_3];
        TRANSPARENT_EC_PUBLIC_KEY = 0x00000015 "TransparentECPublicKey" "Transparent EC Public Key" [V1_3];
        PKCS_12 = 0x00000016 "PKCS_12" "PKCS#12" [V1_4];
        PKCS_10 = 0x00000017 "PKCS_10" "PKCS#10" [V2_0];
    }
    KeyRoleType "KeyRoleType" {
        BDK = 0x00000001 "BDK" "BDK" [V1_0];
        CVK = 0x00000002 "CVK" "CVK" [V1_0];
        DEK = 0x00000003 "DEK" "DEK" [V1_0];
        MKAC = 0x00000004 "MKAC" "MKAC" [V1_0];
        MKSMC = 0x00000005 "MKSMC" "MKSMC" [V1_0];
        MKSMI = 0x00000006 "MKSMI" "MKSMI" [V1_0];
        MKDAC = 0x00000007 "MKDAC" "MKDAC" [V1_0];
        MKDN = 0x00000008 "MKDN" "MKDN" [V1_0];
        MKCP = 0x00000009 "MKCP" "MKCP" [V1_0];
        MKOTH = 0x0000000A "MKOTH" "MKOTH" [V1_0];
        KEK = 0x0000000B "KEK" "KEK" [V1_0];
        MAC16609 = 0x0000000C "MAC16609" "MAC16609" [V1_0];
        MAC97971 = 0x0000000D "MAC97971" "MAC97971" [V1_0];
        MAC97972 = 0x0000000E "MAC97972" "MAC97972" [V1_0];
        MAC97973 = 0x0000000F "MAC97973" "MAC97973" [V1_0];
        MAC97974 = 0x00000010 "MAC97974" "MAC97974" [V1_0];
        MAC97975 = 0x00000011 "MAC97975" "MAC97975" [V1_0];
        ZPK = 0x00000012 "ZPK" "ZPK" [V1_0];
        PVKIBM = 0x00000013 "PVKIBM" "PVKIBM" [V1_0];
        PVKPVV = 0x00000014 "PVKPVV" "PVKPVV" [V1_0];
        PVKOTH = 0x00000015 "PVKOTH" "PVKOTH" [V1_0];
        DUKPT = 0x00000016 "DUKPT" "DUKPT" [V1_4];
        IV = 0x00000017 "IV" "IV" [V1_4];
        TRKBK = 0x00000018 "TRKBK" "TRKBK" [V1_4];
    }
    KeyValueLocationType "KeyValueLocationType" {
        UNINTERPRETED_TEXT_STRING = 0x00000001 "UninterpretedTextString" "Uninterpreted Text String" [V1_2];
        URI = 0x00000002 "URI" "URI" [V1_2];
    }
    KeyWrapType "KeyWrapType" {
        NOT_WRAPPED = 0x00000001 "NotWrapped" "Not Wrapped" [V1_4];
        AS_REGISTERED = 0x00000002 "AsRegistered" "As Registered" [V1_4];
    }
    LinkType "LinkType" {
        CERTIFICATE_LINK = 0x00000101 "CertificateLink" "Certificate Link" [V1_0];
        PUBLIC_KEY_LINK = 0x00000102 "PublicKeyLink" "Public Key Link" [V1_0];
        PRIVATE_KEY_LINK = 0x00000103 "PrivateKeyLink" "Private Key Link" [V1_0];
        DERIVATION_BASE_OBJECT_LINK = 0x00000104 "DerivationBaseObjectLink" "Derivation Base Object Link" [V1_0];
        DERIVED_KEY_LINK = 0x00000105 "DerivedKeyLink" "Derived Key Link" [V1_0];
        REPLACEMENT_OBJECT_LINK = 0x00000106 "ReplacementObjectLink" "Replacement Object Link" [V1_0];
        REPLACED_OBJECT_LINK = 0x00000107 "ReplacedObjectLink" "Replaced Object Link" [V1_0];
        PARENT_LINK = 0x00000108 "ParentLink" "Parent Link" [V1_2];
        CHILD_LINK = 0x00000109 "ChildLink" "Child Link" [V1_2];
        PREVIOUS_LINK = 0x0000010A "PreviousLink" "Previous Link" [V1_2];
        NEXT_LINK = 0x0000010B "NextLink" "Next Link" [V1_2];
        PKCS_12_CERTIFICATE_LINK = 0x0000010C "PKCS_12CertificateLink" "PKCS#12 Certificate Link" [V1_4];
        PKCS_12_PASSWORD_LINK = 0x0000010D "PKCS_12PasswordLink" "PKCS#12 Password Link" [V1_4];
        WRAPPING_KEY_LINK = 0x0000010E "WrappingKeyLink" "Wrapping Key Link" [V2_0];
    }
    MaskGenerator "MaskGenerator" {
        MGF1 = 0x00000001 "MGF1" "MGF1" [V1_4] as "MFG1";
    }
    NistKeyType "NISTKeyType" {
        PRIVATE_SIGNATURE_KEY = 0x00000001 "PrivateSignatureKey" "Private signature key" [V2_0];
        PUBLIC_SIGNATURE_VERIFICATION_KEY = 0x00000002 "PublicSignatureVerificationKey" "Public signature verification key" [V2_0];
        SYMMETRIC_AUTHENTICATION_KEY = 0x00000003 "SymmetricAuthenticationKey" "Symmetric authentication key" [V2_0];
        PRIVATE_AUTHENTICATION_KEY = 0x00000004 "PrivateAuthenticationKey" "Private authentication key" [V2_0];
        PUBLIC_AUTHENTICATION_KEY = 0x00000005 "PublicAuthenticationKey" "Public authentication key" [V2_0];
        SYMMETRIC_DATA_ENCRYPTION_KEY = 0x00000006 "SymmetricDataEncryptionKey" "Symmetric data encryption key" [V2_0];
        SYMMETRIC_KEY_WRAPPING_KEY = 0x00000007 "SymmetricKeyWrappingKey" "Symmetric key wrapping key" [V2_0];
        SYMMETRIC_RANDOM_NUMBER_GENERATION_KEY = 0x00000008 "SymmetricRandomNumberGenerationKey" "Symmetric random number generation key" [V2_0];
        SYMMETRIC_MASTER_KEY = 0x00000009 "SymmetricMasterKey" "Symmetric master key" [V2_0];
        PRIVATE_KEY_TRANSPORT_KEY = 0x0000000A "PrivateKeyTransportKey" "Private key transport key" [V2_0];
        PUBLIC_KEY_TRANSPORT_KEY = 0x0000000B "PublicKeyTransportKey" "Public key transport key" [V2_0];
        SYMMETRIC_KEY_AGREEMENT_KEY = 0x0000000C "SymmetricKeyAgreementKey" "Symmetric key agreement key" [V2_0];
        PRIVATE_STATIC_KEY_AGREEMENT_KEY = 0x0000000D "PrivateStaticKeyAgreementKey" "Private static key agreement key" [V2_0];
        PUBLIC_STATIC_KEY_AGREEMENT_KEY = 0x0000000E "PublicStaticKeyAgreementKey" "Public static key agreement key" [V2_0];
        PRIVATE_EPHEMERAL_KEY_AGREEMENT_KEY = 0x0000000F "PrivateEphemeralKeyAgreementKey" "Private ephemeral key agreement key" [V2_0];
        PUBLIC_EPHEMERAL_KEY_AGREEMENT_KEY = 0x00000010 "PublicEphemeralKeyAgreementKey" "Public ephemeral key agreement key" [V2_0];
        SYMMETRIC_AUTHORIZATION_KEY = 0x00000011 "SymmetricAuthorizationKey" "Symmetric authorization key" [V2_0];
        PRIVATE_AUTHORIZATION_KEY = 0x00000012 "PrivateAuthorizationKey" "Private authorization key" [V2_0];
        PUBLIC_AUTHORIZATION_KEY = 0x00000013 "PublicAuthorizationKey" "Public authorization key" [V2_0];
    }
    NameType "NameType" {
        UNINTERPRETED_TEXT_STRING = 0x00000001 "UninterpretedTextString" "Uninterpreted Text String" [V1_0];
        URI = 0x00000002 "URI" "URI" [V1_0];
    }
    ObjectGroupMember "ObjectGroupMember" {
        GROUP_MEMBER_FRESH = 0x00000001 "GroupMemberFresh" "Group Member Fresh" [V1_1];
        GROUP_MEMBER_DEFAULT = 0x00000002 "GroupMemberDefault" "Group Member Default" [V1_1];
    }
    ObjectType "ObjectType" {
        CERTIFICATE = 0x00000001 "Certificate" "Certificate" [V1_0];
        SYMMETRIC_KEY = 0x00000002 "SymmetricKey" "Symmetric Key" [V1_0];
        PUBLIC_KEY = 0x00000003 "PublicKey" "Public Key" [V1_0];
        PRIVATE_KEY = 0x00000004 "PrivateKey" "Private Key" [V1_0];
        SPLIT_KEY = 0x00000005 "SplitKey" "Split Key" [V1_0];
        TEMPLATE = 0x00000006 "Template" "Template" [V1_0 .. V1_4];
        SECRET_DATA = 0x00000007 "SecretData" "Secret Data" [V1_0];
        OPAQUE_OBJECT = 0x00000008 "OpaqueObject" "Opaque Object" [V1_0];
        PGP_KEY = 0x00000009 "PGPKey" "PGP Key" [V1_2];
        CERTIFICATE_REQUEST = 0x0000000A "CertificateRequest" "Certificate Request" [V2_0];
    }
    // The specification defines extension values only.
    OpaqueDataType "OpaqueDataType" {
    }
    Operation "Operation" {
        CREATE = 0x00000001 "Create" "Create" [V1_0];
        CREATE_KEY_PAIR = 0x00000002 "CreateKeyPair" "Create Key Pair" [V1_0];
        REGISTER = 0x00000003 "Register" "Register" [V1_0];
        RE_KEY = 0x00000004 "ReKey" "Re-key" [V1_0];
        DERIVE_KEY = 0x00000005 "DeriveKey" "Derive Key" [V1_0];
        CERTIFY = 0x00000006 "Certify" "Certify" [V1_0];
        RE_CERTIFY = 0x00000007 "ReCertify" "Re-certify" [V1_0];
        LOCATE = 0x00000008 "Locate" "Locate" [V1_0];
        CHECK = 0x00000009 "Check" "Check" [V1_0];
        GET = 0x0000000A "Get" "Get" [V1_0];
        GET_ATTRIBUTES = 0x0000000B "GetAttributes" "Get Attributes" [V1_0];
        GET_ATTRIBUTE_LIST = 0x0000000C "GetAttributeList" "Get Attribute List" [V1_0];
        ADD_ATTRIBUTE = 0x0000000D "AddAttribute" "Add Attribute" [V1_0];
        MODIFY_ATTRIBUTE = 0x0000000E "ModifyAttribute" "Modify Attribute" [V1_0];
        DELETE_ATTRIBUTE = 0x0000000F "DeleteAttribute" "Delete Attribute" [V1_0];
        OBTAIN_LEASE = 0x00000010 "ObtainLease" "Obtain Lease" [V1_0];
        GET_USAGE_ALLOCATION = 0x00000011 "GetUsageAllocation" "Get Usage Allocation" [V1_0];
        ACTIVATE = 0x00000012 "Activate" "Activate" [V1_0];
        REVOKE = 0x00000013 "Revoke" "Revoke" [V1_0];
        DESTROY = 0x00000014 "Destroy" "Destroy" [V1_0];
        ARCHIVE = 0x00000015 "Archive" "Archive" [V1_0];
        RECOVER = 0x00000016 "Recover" "Recover" [V1_0];
        VALIDATE = 0x00000017 "Validate" "Validate" [V1_0];
        QUERY = 0x00000018 "Query" "Query" [V1_0];
        CANCEL = 0x00000019 "Cancel" "Cancel" [V1_0];
        POLL = 0x0000001A "Poll" "Poll" [V1_0];
        NOTIFY = 0x0000001B "Notify" "Notify" [V1_0];
        PUT = 0x0000001C "Put" "Put" [V1_0];
        RE_KEY_KEY_PAIR = 0x0000001D "ReKeyKeyPair" "Re-key Key Pair" [V1_1];
        DISCOVER_VERSIONS = 0x0000001E "DiscoverVersions" "Discover Versions" [V1_1];
        ENCRYPT = 0x0000001F "Encrypt" "Encrypt" [V1_2];
        DECRYPT = 0x00000020 "Decrypt" "Decrypt" [V1_2];
        SIGN = 0x00000021 "Sign" "Sign" [V1_2];
        SIGNATURE_VERIFY = 0x00000022 "SignatureVerify" "Signature Verify" [V1_2];
        MAC = 0x00000023 "MAC" "MAC" [V1_2];
        MAC_VERIFY = 0x00000024 "MACVerify" "MAC Verify" [V1_2];
        RNG_RETRIEVE = 0x00000025 "RNGRetrieve" "RNG Retrieve" [V1_2];
        RNG_SEED = 0x00000026 "RNGSeed" "RNG Seed" [V1_2];
        HASH = 0x00000027 "Hash" "Hash" [V1_2];
        CREATE_SPLIT_KEY = 0x00000028 "CreateSplitKey" "Create Split Key" [V1_2];
        JOIN_SPLIT_KEY = 0x00000029 "JoinSplitKey" "Join Split Key" [V1_2];
        IMPORT = 0x0000002A "Import" "Import" [V1_4];
        EXPORT = 0x0000002B "Export" "Export" [V1_4];
        LOG = 0x0000002C "Log" "Log" [V2_0];
        LOGIN = 0x0000002D "Login" "Login" [V2_0];
        LOGOUT = 0x0000002E "Logout" "Logout" [V2_0];
        DELEGATED_LOGIN = 0x0000002F "DelegatedLogin" "Delegated Login" [V2_0];
        ADJUST_ATTRIBUTE = 0x00000030 "AdjustAttribute" "Adjust Attribute" [V2_0];
        SET_ATTRIBUTE = 0x00000031 "SetAttribute" "Set Attribute" [V2_0];
        SET_ENDPOINT_ROLE = 0x00000032 "SetEndpointRole" "Set Endpoint Role" [V2_0];
        PKCS_11 = 0x00000033 "PKCS_11" "PKCS#11" [V2_0];
        INTEROP = 0x00000034 "Interop" "Interop" [V2_0];
        RE_PROVISION = 0x00000035 "ReProvision" "Re-Provision" [V2_0];
        SET_DEFAULTS = 0x00000036 "SetDefaults" "Set Defaults" [V2_1];
        SET_CONSTRAINTS = 0x00000037 "SetConstraints" "Set Constraints" [V2_1];
        GET_CONSTRAINTS = 0x00000038 "GetConstraints" "Get Constraints" [V2_1];
        QUERY_ASYNCHRONOUS_REQUESTS = 0x00000039 "QueryAsynchronousRequests" "Query Asynchronous Requests" [V2_1];
        PROCESS = 0x0000003A "Process" "Process" [V2_1];
        PING = 0x0000003B "Ping" "Ping" [V2_1];
    }
    // Numbered by PKCS#11: the one-based place in CK_FUNCTION_LIST.
    Pkcs11Function "PKCS_11Function" {
        C_INITIALIZE = 0x00000001 "C_Initialize" "C_Initialize" [V2_0];
        C_FINALIZE = 0x00000002 "C_Finalize" "C_Finalize" [V2_0];
        C_GET_INFO = 0x00000003 "C_GetInfo" "C_GetInfo" [V2_0];
    }
    // The CK_RV values of PKCS#11.
    Pkcs11ReturnCode "PKCS_11ReturnCode" {
        OK = 0x00000000 "OK" "OK" [V2_0];
    }
    PaddingMethod "PaddingMethod" {
        NONE = 0x00000001 "None" "None" [V1_0];
        OAEP = 0x00000002 "OAEP" "OAEP" [V1_0];
        PKCS5 = 0x00000003 "PKCS5" "PKCS5" [V1_0];
        SSL3 = 0x00000004 "SSL3" "SSL3" [V1_0];
        ZEROS = 0x00000005 "Zeros" "Zeros" [V1_0];
        ANSIX9_23 = 0x00000006 "ANSIX9_23" "ANSI X9.23" [V1_0];
        ISO10126 = 0x00000007 "ISO10126" "ISO 10126" [V1_0];
        PKCS1V1_5 = 0x00000008 "PKCS1V1_5" "PKCS1 v1.5" [V1_0];
        X9_31 = 0x00000009 "X9_31" "X9.31" [V1_0];
        PSS = 0x0000000A "PSS" "PSS" [V1_0];
    }
    ProcessingStage "ProcessingStage" {
        SUBMITTED = 0x00000001 "Submitted" "Submitted" [V2_1];
        IN_PROCESS = 0x00000002 "InProcess" "In Process" [V2_1];
        COMPLETED = 0x00000003 "Completed" "Completed" [V2_1];
    }
    ProfileName "ProfileName" {
        BASELINE_SERVER_BASIC_KMIP_V1_2 = 0x00000001 "BaselineServerBasicKMIPV1_2" "Baseline Server Basic KMIP v1.2" [V1_3 .. V1_4];
        BASELINE_SERVER_TLS_V1_2_KMIP_V1_2 = 0x00000002 "BaselineServerTLSV1_2KMIPV1_2" "Baseline Server TLS v1.2 KMIP v1.2" [V1_3 .. V1_4];
        BASELINE_CLIENT_BASIC_KMIP_V1_2 = 0x00000003 "BaselineClientBasicKMIPV1_2" "Baseline Client Basic KMIP v1.2" [V1_3 .. V1_4];
        BASELINE_CLIENT_TLS_V1_2_KMIP_V1_2 = 0x00000004 "BaselineClientTLSV1_2KMIPV1_2" "Baseline Client TLS v1.2 KMIP v1.2" [V1_3 .. V1_4];
        COMPLETE_SERVER_BASIC_KMIP_V1_2 = 0x00000005 "CompleteServerBasicKMIPV1_2" "Complete Server Basic KMIP v1.2" [V1_3 .. V1_4];
        COMPLETE_SERVER_TLS_V1_2_KMIP_V1_2 = 0x00000006 "CompleteServerTLSV1_2KMIPV1_2" "Complete Server TLS v1.2 KMIP v1.2" [V1_3 .. V1_4];
        TAPE_LIBRARY_CLIENT_KMIP_V1_0 = 0x00000007 "TapeLibraryClientKMIPV1_0" "Tape Library Client KMIP v1.0" [V1_3 .. V1_4];
        TAPE_LIBRARY_CLIENT_KMIP_V1_1 = 0x00000008 "TapeLibraryClientKMIPV1_1" "Tape Library Client KMIP v1.1" [V1_3 .. V1_4];
        TAPE_LIBRARY_CLIENT_KMIP_V1_2 = 0x00000009 "TapeLibraryClientKMIPV1_2" "Tape Library Client KMIP v1.2" [V1_3 .. V1_4];
        TAPE_LIBRARY_SERVER_KMIP_V1_0 = 0x0000000A "TapeLibraryServerKMIPV1_0" "Tape Library Server KMIP v1.0" [V1_3 .. V1_4];
        TAPE_LIBRARY_SERVER_KMIP_V1_1 = 0x0000000B "TapeLibraryServerKMIPV1_1" "Tape Library Server KMIP v1.1" [V1_3 .. V1_4];
        TAPE_LIBRARY_SERVER_KMIP_V1_2 = 0x0000000C "TapeLibraryServerKMIPV1_2" "Tape Library Server KMIP v1.2" [V1_3 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_0 = 0x0000000D "SymmetricKeyLifecycleClientKMIPV1_0" "Symmetric Key Lifecycle Client KMIP v1.0" [V1_3 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_1 = 0x0000000E "SymmetricKeyLifecycleClientKMIPV1_1" "Symmetric Key Lifecycle Client KMIP v1.1" [V1_3 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_2 = 0x0000000F "SymmetricKeyLifecycleClientKMIPV1_2" "Symmetric Key Lifecycle Client KMIP v1.2" [V1_3 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_0 = 0x00000010 "SymmetricKeyLifecycleServerKMIPV1_0" "Symmetric Key Lifecycle Server KMIP v1.0" [V1_3 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_1 = 0x00000011 "SymmetricKeyLifecycleServerKMIPV1_1" "Symmetric Key Lifecycle Server KMIP v1.1" [V1_3 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_2 = 0x00000012 "SymmetricKeyLifecycleServerKMIPV1_2" "Symmetric Key Lifecycle Server KMIP v1.2" [V1_3 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_0 = 0x00000013 "AsymmetricKeyLifecycleClientKMIPV1_0" "Asymmetric Key Lifecycle Client KMIP v1.0" [V1_3 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_1 = 0x00000014 "AsymmetricKeyLifecycleClientKMIPV1_1" "Asymmetric Key Lifecycle Client KMIP v1.1" [V1_3 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_2 = 0x00000015 "AsymmetricKeyLifecycleClientKMIPV1_2" "Asymmetric Key Lifecycle Client KMIP v1.2" [V1_3 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_0 = 0x00000016 "AsymmetricKeyLifecycleServerKMIPV1_0" "Asymmetric Key Lifecycle Server KMIP v1.0" [V1_3 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_1 = 0x00000017 "AsymmetricKeyLifecycleServerKMIPV1_1" "Asymmetric Key Lifecycle Server KMIP v1.1" [V1_3 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_2 = 0x00000018 "AsymmetricKeyLifecycleServerKMIPV1_2" "Asymmetric Key Lifecycle Server KMIP v1.2" [V1_3 .. V1_4];
        BASIC_CRYPTOGRAPHIC_CLIENT_KMIP_V1_2 = 0x00000019 "BasicCryptographicClientKMIPV1_2" "Basic Cryptographic Client KMIP v1.2" [V1_3 .. V1_4];
        BASIC_CRYPTOGRAPHIC_SERVER_KMIP_V1_2 = 0x0000001A "BasicCryptographicServerKMIPV1_2" "Basic Cryptographic Server KMIP v1.2" [V1_3 .. V1_4];
        ADVANCED_CRYPTOGRAPHIC_CLIENT_KMIP_V1_2 = 0x0000001B "AdvancedCryptographicClientKMIPV1_2" "Advanced Cryptographic Client KMIP v1.2" [V1_3 .. V1_4];
        ADVANCED_CRYPTOGRAPHIC_SERVER_KMIP_V1_2 = 0x0000001C "AdvancedCryptographicServerKMIPV1_2" "Advanced Cryptographic Server KMIP v1.2" [V1_3 .. V1_4];
        RNG_CRYPTOGRAPHIC_CLIENT_KMIP_V1_2 = 0x0000001D "RNGCryptographicClientKMIPV1_2" "RNG Cryptographic Client KMIP v1.2" [V1_3 .. V1_4];
        RNG_CRYPTOGRAPHIC_SERVER_KMIP_V1_2 = 0x0000001E "RNGCryptographicServerKMIPV1_2" "RNG Cryptographic Server KMIP v1.2" [V1_3 .. V1_4];
        BASIC_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_0 = 0x0000001F "BasicSymmetricKeyFoundryClientKMIPV1_0" "Basic Symmetric Key Foundry Client KMIP v1.0" [V1_3 .. V1_4];
        INTERMEDIATE_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_0 = 0x00000020 "IntermediateSymmetricKeyFoundryClientKMIPV1_0" "Intermediate Symmetric Key Foundry Client KMIP v1.0" [V1_3 .. V1_4];
        ADVANCED_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_0 = 0x00000021 "AdvancedSymmetricKeyFoundryClientKMIPV1_0" "Advanced Symmetric Key Foundry Client KMIP v1.0" [V1_3 .. V1_4];
        BASIC_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_1 = 0x00000022 "BasicSymmetricKeyFoundryClientKMIPV1_1" "Basic Symmetric Key Foundry Client KMIP v1.1" [V1_3 .. V1_4];
        INTERMEDIATE_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_1 = 0x00000023 "IntermediateSymmetricKeyFoundryClientKMIPV1_1" "Intermediate Symmetric Key Foundry Client KMIP v1.1" [V1_3 .. V1_4];
        ADVANCED_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_1 = 0x00000024 "AdvancedSymmetricKeyFoundryClientKMIPV1_1" "Advanced Symmetric Key Foundry Client KMIP v1.1" [V1_3 .. V1_4];
        BASIC_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_2 = 0x00000025 "BasicSymmetricKeyFoundryClientKMIPV1_2" "Basic Symmetric Key Foundry Client KMIP v1.2" [V1_3 .. V1_4];
        INTERMEDIATE_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_2 = 0x00000026 "IntermediateSymmetricKeyFoundryClientKMIPV1_2" "Intermediate Symmetric Key Foundry Client KMIP v1.2" [V1_3 .. V1_4];
        ADVANCED_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_2 = 0x00000027 "AdvancedSymmetricKeyFoundryClientKMIPV1_2" "Advanced Symmetric Key Foundry Client KMIP v1.2" [V1_3 .. V1_4];
        SYMMETRIC_KEY_FOUNDRY_SERVER_KMIP_V1_0 = 0x00000028 "SymmetricKeyFoundryServerKMIPV1_0" "Symmetric Key Foundry Server KMIP v1.0" [V1_3 .. V1_4];
        SYMMETRIC_KEY_FOUNDRY_SERVER_KMIP_V1_1 = 0x00000029 "SymmetricKeyFoundryServerKMIPV1_1" "Symmetric Key Foundry Server KMIP v1.1" [V1_3 .. V1_4];
        SYMMETRIC_KEY_FOUNDRY_SERVER_KMIP_V1_2 = 0x0000002A "SymmetricKeyFoundryServerKMIPV1_2" "Symmetric Key Foundry Server KMIP v1.2" [V1_3 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_CLIENT_KMIP_V1_0 = 0x0000002B "OpaqueManagedObjectStoreClientKMIPV1_0" "Opaque Managed Object Store Client KMIP v1.0" [V1_3 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_CLIENT_KMIP_V1_1 = 0x0000002C "OpaqueManagedObjectStoreClientKMIPV1_1" "Opaque Managed Object Store Client KMIP v1.1" [V1_3 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_CLIENT_KMIP_V1_2 = 0x0000002D "OpaqueManagedObjectStoreClientKMIPV1_2" "Opaque Managed Object Store Client KMIP v1.2" [V1_3 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_SERVER_KMIP_V1_0 = 0x0000002E "OpaqueManagedObjectStoreServerKMIPV1_0" "Opaque Managed Object Store Server KMIP v1.0" [V1_3 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_SERVER_KMIP_V1_1 = 0x0000002F "OpaqueManagedObjectStoreServerKMIPV1_1" "Opaque Managed Object Store Server KMIP v1.1" [V1_3 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_SERVER_KMIP_V1_2 = 0x00000030 "OpaqueManagedObjectStoreServerKMIPV1_2" "Opaque Managed Object Store Server KMIP v1.2" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_128_CLIENT_KMIP_V1_0 = 0x00000031 "SuiteBMinLOS_128ClientKMIPV1_0" "Suite B minLOS_128 Client KMIP v1.0" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_128_CLIENT_KMIP_V1_1 = 0x00000032 "SuiteBMinLOS_128ClientKMIPV1_1" "Suite B minLOS_128 Client KMIP v1.1" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_128_CLIENT_KMIP_V1_2 = 0x00000033 "SuiteBMinLOS_128ClientKMIPV1_2" "Suite B minLOS_128 Client KMIP v1.2" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_128_SERVER_KMIP_V1_0 = 0x00000034 "SuiteBMinLOS_128ServerKMIPV1_0" "Suite B minLOS_128 Server KMIP v1.0" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_128_SERVER_KMIP_V1_1 = 0x00000035 "SuiteBMinLOS_128ServerKMIPV1_1" "Suite B minLOS_128 Server KMIP v1.1" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_128_SERVER_KMIP_V1_2 = 0x00000036 "SuiteBMinLOS_128ServerKMIPV1_2" "Suite B minLOS_128 Server KMIP v1.2" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_192_CLIENT_KMIP_V1_0 = 0x00000037 "SuiteBMinLOS_192ClientKMIPV1_0" "Suite B minLOS_192 Client KMIP v1.0" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_192_CLIENT_KMIP_V1_1 = 0x00000038 "SuiteBMinLOS_192ClientKMIPV1_1" "Suite B minLOS_192 Client KMIP v1.1" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_192_CLIENT_KMIP_V1_2 = 0x00000039 "SuiteBMinLOS_192ClientKMIPV1_2" "Suite B minLOS_192 Client KMIP v1.2" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_192_SERVER_KMIP_V1_0 = 0x0000003A "SuiteBMinLOS_192ServerKMIPV1_0" "Suite B minLOS_192 Server KMIP v1.0" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_192_SERVER_KMIP_V1_1 = 0x0000003B "SuiteBMinLOS_192ServerKMIPV1_1" "Suite B minLOS_192 Server KMIP v1.1" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_192_SERVER_KMIP_V1_2 = 0x0000003C "SuiteBMinLOS_192ServerKMIPV1_2" "Suite B minLOS_192 Server KMIP v1.2" [V1_3 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_CLIENT_KMIP_V1_0 = 0x0000003D "StorageArrayWithSelfEncryptingDriveClientKMIPV1_0" "Storage Array with Self Encrypting Drive Client KMIP v1.0" [V1_3 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_CLIENT_KMIP_V1_1 = 0x0000003E "StorageArrayWithSelfEncryptingDriveClientKMIPV1_1" "Storage Array with Self Encrypting Drive Client KMIP v1.1" [V1_3 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_CLIENT_KMIP_V1_2 = 0x0000003F "StorageArrayWithSelfEncryptingDriveClientKMIPV1_2" "Storage Array with Self Encrypting Drive Client KMIP v1.2" [V1_3 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER_KMIP_V1_0 = 0x00000040 "StorageArrayWithSelfEncryptingDriveServerKMIPV1_0" "Storage Array with Self Encrypting Drive Server KMIP v1.0" [V1_3 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER_KMIP_V1_1 = 0x00000041 "StorageArrayWithSelfEncryptingDriveServerKMIPV1_1" "Storage Array with Self Encrypting Drive Server KMIP v1.1" [V1_3 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER_KMIP_V1_2 = 0x00000042 "StorageArrayWithSelfEncryptingDriveServerKMIPV1_2" "Storage Array with Self Encrypting Drive Server KMIP v1.2" [V1_3 .. V1_4];
        HTTPS_CLIENT_KMIP_V1_0 = 0x00000043 "HTTPSClientKMIPV1_0" "HTTPS Client KMIP v1.0" [V1_3 .. V1_4];
        HTTPS_CLIENT_KMIP_V1_1 = 0x00000044 "HTTPSClientKMIPV1_1" "HTTPS Client KMIP v1.1" [V1_3 .. V1_4];
        HTTPS_CLIENT_KMIP_V1_2 = 0x00000045 "HTTPSClientKMIPV1_2" "HTTPS Client KMIP v1.2" [V1_3 .. V1_4];
        HTTPS_SERVER_KMIP_V1_0 = 0x00000046 "HTTPSServerKMIPV1_0" "HTTPS Server KMIP v1.0" [V1_3 .. V1_4];
        HTTPS_SERVER_KMIP_V1_1 = 0x00000047 "HTTPSServerKMIPV1_1" "HTTPS Server KMIP v1.1" [V1_3 .. V1_4];
        HTTPS_SERVER_KMIP_V1_2 = 0x00000048 "HTTPSServerKMIPV1_2" "HTTPS Server KMIP v1.2" [V1_3 .. V1_4];
        JSON_CLIENT_KMIP_V1_0 = 0x00000049 "JSONClientKMIPV1_0" "JSON Client KMIP v1.0" [V1_3 .. V1_4];
        JSON_CLIENT_KMIP_V1_1 = 0x0000004A "JSONClientKMIPV1_1" "JSON Client KMIP v1.1" [V1_3 .. V1_4];
        JSON_CLIENT_KMIP_V1_2 = 0x0000004B "JSONClientKMIPV1_2" "JSON Client KMIP v1.2" [V1_3 .. V1_4];
        JSON_SERVER_KMIP_V1_0 = 0x0000004C "JSONServerKMIPV1_0" "JSON Server KMIP v1.0" [V1_3 .. V1_4];
        JSON_SERVER_KMIP_V1_1 = 0x0000004D "JSONServerKMIPV1_1" "JSON Server KMIP v1.1" [V1_3 .. V1_4];
        JSON_SERVER_KMIP_V1_2 = 0x0000004E "JSONServerKMIPV1_2" "JSON Server KMIP v1.2" [V1_3 .. V1_4];
        XML_CLIENT_KMIP_V1_0 = 0x0000004F "XMLClientKMIPV1_0" "XML Client KMIP v1.0" [V1_3 .. V1_4];
        XML_CLIENT_KMIP_V1_1 = 0x00000050 "XMLClientKMIPV1_1" "XML Client KMIP v1.1" [V1_3 .. V1_4];
        XML_CLIENT_KMIP_V1_2 = 0x00000051 "XMLClientKMIPV1_2" "XML Client KMIP v1.2" [V1_3 .. V1_4];
        XML_SERVER_KMIP_V1_0 = 0x00000052 "XMLServerKMIPV1_0" "XML Server KMIP v1.0" [V1_3 .. V1_4];
        XML_SERVER_KMIP_V1_1 = 0x00000053 "XMLServerKMIPV1_1" "XML Server KMIP v1.1" [V1_3 .. V1_4];
        XML_SERVER_KMIP_V1_2 = 0x00000054 "XMLServerKMIPV1_2" "XML Server KMIP v1.2" [V1_3 .. V1_4];
        BASELINE_SERVER_BASIC_KMIP_V1_3 = 0x00000055 "BaselineServerBasicKMIPV1_3" "Baseline Server Basic KMIP v1.3" [V1_3 .. V1_4];
        BASELINE_SERVER_TLS_V1_2_KMIP_V1_3 = 0x00000056 "BaselineServerTLSV1_2KMIPV1_3" "Baseline Server TLS v1.2 KMIP v1.3" [V1_3 .. V1_4];
        BASELINE_CLIENT_BASIC_KMIP_V1_3 = 0x00000057 "BaselineClientBasicKMIPV1_3" "Baseline Client Basic KMIP v1.3" [V1_3 .. V1_4];
        BASELINE_CLIENT_TLS_V1_2_KMIP_V1_3 = 0x00000058 "BaselineClientTLSV1_2KMIPV1_3" "Baseline Client TLS v1.2 KMIP v1.3" [V1_3 .. V1_4];
        COMPLETE_SERVER_BASIC_KMIP_V1_3 = 0x00000059 "CompleteServerBasicKMIPV1_3" "Complete Server Basic KMIP v1.3" [V1_3 .. V1_4];
        COMPLETE_SERVER_TLS_V1_2_KMIP_V1_3 = 0x0000005A "CompleteServerTLSV1_2KMIPV1_3" "Complete Server TLS v1.2 KMIP v1.3" [V1_3 .. V1_4];
        TAPE_LIBRARY_CLIENT_KMIP_V1_3 = 0x0000005B "TapeLibraryClientKMIPV1_3" "Tape Library Client KMIP v1.3" [V1_3 .. V1_4];
        TAPE_LIBRARY_SERVER_KMIP_V1_3 = 0x0000005C "TapeLibraryServerKMIPV1_3" "Tape Library Server KMIP v1.3" [V1_3 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_3 = 0x0000005D "SymmetricKeyLifecycleClientKMIPV1_3" "Symmetric Key Lifecycle Client KMIP v1.3" [V1_3 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_3 = 0x0000005E "SymmetricKeyLifecycleServerKMIPV1_3" "Symmetric Key Lifecycle Server KMIP v1.3" [V1_3 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_3 = 0x0000005F "AsymmetricKeyLifecycleClientKMIPV1_3" "Asymmetric Key Lifecycle Client KMIP v1.3" [V1_3 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_3 = 0x00000060 "AsymmetricKeyLifecycleServerKMIPV1_3" "Asymmetric Key Lifecycle Server KMIP v1.3" [V1_3 .. V1_4];
        BASIC_CRYPTOGRAPHIC_CLIENT_KMIP_V1_3 = 0x00000061 "BasicCryptographicClientKMIPV1_3" "Basic Cryptographic Client KMIP v1.3" [V1_3 .. V1_4];
        BASIC_CRYPTOGRAPHIC_SERVER_KMIP_V1_3 = 0x00000062 "BasicCryptographicServerKMIPV1_3" "Basic Cryptographic Server KMIP v1.3" [V1_3 .. V1_4];
        ADVANCED_CRYPTOGRAPHIC_CLIENT_KMIP_V1_3 = 0x00000063 "AdvancedCryptographicClientKMIPV1_3" "Advanced Cryptographic Client KMIP v1.3" [V1_3 .. V1_4];
        ADVANCED_CRYPTOGRAPHIC_SERVER_KMIP_V1_3 = 0x00000064 "AdvancedCryptographicServerKMIPV1_3" "Advanced Cryptographic Server KMIP v1.3" [V1_3 .. V1_4];
        RNG_CRYPTOGRAPHIC_CLIENT_KMIP_V1_3 = 0x00000065 "RNGCryptographicClientKMIPV1_3" "RNG Cryptographic Client KMIP v1.3" [V1_3 .. V1_4];
        RNG_CRYPTOGRAPHIC_SERVER_KMIP_V1_3 = 0x00000066 "RNGCryptographicServerKMIPV1_3" "RNG Cryptographic Server KMIP v1.3" [V1_3 .. V1_4];
        BASIC_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_3 = 0x00000067 "BasicSymmetricKeyFoundryClientKMIPV1_3" "Basic Symmetric Key Foundry Client KMIP v1.3" [V1_3 .. V1_4];
        INTERMEDIATE_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_3 = 0x00000068 "IntermediateSymmetricKeyFoundryClientKMIPV1_3" "Intermediate Symmetric Key Foundry Client KMIP v1.3" [V1_3 .. V1_4];
        ADVANCED_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_3 = 0x00000069 "AdvancedSymmetricKeyFoundryClientKMIPV1_3" "Advanced Symmetric Key Foundry Client KMIP v1.3" [V1_3 .. V1_4];
        SYMMETRIC_KEY_FOUNDRY_SERVER_KMIP_V1_3 = 0x0000006A "SymmetricKeyFoundryServerKMIPV1_3" "Symmetric Key Foundry Server KMIP v1.3" [V1_3 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_CLIENT_KMIP_V1_3 = 0x0000006B "OpaqueManagedObjectStoreClientKMIPV1_3" "Opaque Managed Object Store Client KMIP v1.3" [V1_3 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_SERVER_KMIP_V1_3 = 0x0000006C "OpaqueManagedObjectStoreServerKMIPV1_3" "Opaque Managed Object Store Server KMIP v1.3" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_128_CLIENT_KMIP_V1_3 = 0x0000006D "SuiteBMinLOS_128ClientKMIPV1_3" "Suite B minLOS_128 Client KMIP v1.3" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_128_SERVER_KMIP_V1_3 = 0x0000006E "SuiteBMinLOS_128ServerKMIPV1_3" "Suite B minLOS_128 Server KMIP v1.3" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_192_CLIENT_KMIP_V1_3 = 0x0000006F "SuiteBMinLOS_192ClientKMIPV1_3" "Suite B minLOS_192 Client KMIP v1.3" [V1_3 .. V1_4];
        SUITE_B_MIN_LOS_192_SERVER_KMIP_V1_3 = 0x00000070 "SuiteBMinLOS_192ServerKMIPV1_3" "Suite B minLOS_192 Server KMIP v1.3" [V1_3 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_CLIENT_KMIP_V1_3 = 0x00000071 "StorageArrayWithSelfEncryptingDriveClientKMIPV1_3" "Storage Array with Self Encrypting Drive Client KMIP v1.3" [V1_3 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER_KMIP_V1_3 = 0x00000072 "StorageArrayWithSelfEncryptingDriveServerKMIPV1_3" "Storage Array with Self Encrypting Drive Server KMIP v1.3" [V1_3 .. V1_4];
        HTTPS_CLIENT_KMIP_V1_3 = 0x00000073 "HTTPSClientKMIPV1_3" "HTTPS Client KMIP v1.3" [V1_3 .. V1_4];
        HTTPS_SERVER_KMIP_V1_3 = 0x00000074 "HTTPSServerKMIPV1_3" "HTTPS Server KMIP v1.3" [V1_3 .. V1_4];
        JSON_CLIENT_KMIP_V1_3 = 0x00000075 "JSONClientKMIPV1_3" "JSON Client KMIP v1.3" [V1_3 .. V1_4];
        JSON_SERVER_KMIP_V1_3 = 0x00000076 "JSONServerKMIPV1_3" "JSON Server KMIP v1.3" [V1_3 .. V1_4];
        XML_CLIENT_KMIP_V1_3 = 0x00000077 "XMLClientKMIPV1_3" "XML Client KMIP v1.3" [V1_3 .. V1_4];
        XML_SERVER_KMIP_V1_3 = 0x00000078 "XMLServerKMIPV1_3" "XML Server KMIP v1.3" [V1_3 .. V1_4];
        BASELINE_SERVER_BASIC_KMIP_V1_4 = 0x00000079 "BaselineServerBasicKMIPV1_4" "Baseline Server Basic KMIP v1.4" [V1_4 .. V1_4];
        BASELINE_SERVER_TLS_V1_2_KMIP_V1_4 = 0x0000007A "BaselineServerTLSV1_2KMIPV1_4" "Baseline Server TLS v1.2 KMIP v1.4" [V1_4 .. V1_4];
        BASELINE_CLIENT_BASIC_KMIP_V1_4 = 0x0000007B "BaselineClientBasicKMIPV1_4" "Baseline Client Basic KMIP v1.4" [V1_4 .. V1_4];
        BASELINE_CLIENT_TLS_V1_2_KMIP_V1_4 = 0x0000007C "BaselineClientTLSV1_2KMIPV1_4" "Baseline Client TLS v1.2 KMIP v1.4" [V1_4 .. V1_4];
        COMPLETE_SERVER_BASIC_KMIP_V1_4 = 0x0000007D "CompleteServerBasicKMIPV1_4" "Complete Server Basic KMIP v1.4" [V1_4 .. V1_4];
        COMPLETE_SERVER_TLS_V1_2_KMIP_V1_4 = 0x0000007E "CompleteServerTLSV1_2KMIPV1_4" "Complete Server TLS v1.2 KMIP v1.4" [V1_4 .. V1_4];
        TAPE_LIBRARY_CLIENT_KMIP_V1_4 = 0x0000007F "TapeLibraryClientKMIPV1_4" "Tape Library Client KMIP v1.4" [V1_4 .. V1_4];
        TAPE_LIBRARY_SERVER_KMIP_V1_4 = 0x00000080 "TapeLibraryServerKMIPV1_4" "Tape Library Server KMIP v1.4" [V1_4 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_4 = 0x00000081 "SymmetricKeyLifecycleClientKMIPV1_4" "Symmetric Key Lifecycle Client KMIP v1.4" [V1_4 .. V1_4];
        SYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_4 = 0x00000082 "SymmetricKeyLifecycleServerKMIPV1_4" "Symmetric Key Lifecycle Server KMIP v1.4" [V1_4 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_CLIENT_KMIP_V1_4 = 0x00000083 "AsymmetricKeyLifecycleClientKMIPV1_4" "Asymmetric Key Lifecycle Client KMIP v1.4" [V1_4 .. V1_4];
        ASYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_4 = 0x00000084 "AsymmetricKeyLifecycleServerKMIPV1_4" "Asymmetric Key Lifecycle Server KMIP v1.4" [V1_4 .. V1_4];
        BASIC_CRYPTOGRAPHIC_CLIENT_KMIP_V1_4 = 0x00000085 "BasicCryptographicClientKMIPV1_4" "Basic Cryptographic Client KMIP v1.4" [V1_4 .. V1_4];
        BASIC_CRYPTOGRAPHIC_SERVER_KMIP_V1_4 = 0x00000086 "BasicCryptographicServerKMIPV1_4" "Basic Cryptographic Server KMIP v1.4" [V1_4 .. V1_4];
        ADVANCED_CRYPTOGRAPHIC_CLIENT_KMIP_V1_4 = 0x00000087 "AdvancedCryptographicClientKMIPV1_4" "Advanced Cryptographic Client KMIP v1.4" [V1_4 .. V1_4];
        ADVANCED_CRYPTOGRAPHIC_SERVER_KMIP_V1_4 = 0x00000088 "AdvancedCryptographicServerKMIPV1_4" "Advanced Cryptographic Server KMIP v1.4" [V1_4 .. V1_4];
        RNG_CRYPTOGRAPHIC_CLIENT_KMIP_V1_4 = 0x00000089 "RNGCryptographicClientKMIPV1_4" "RNG Cryptographic Client KMIP v1.4" [V1_4 .. V1_4];
        RNG_CRYPTOGRAPHIC_SERVER_KMIP_V1_4 = 0x0000008A "RNGCryptographicServerKMIPV1_4" "RNG Cryptographic Server KMIP v1.4" [V1_4 .. V1_4];
        BASIC_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_4 = 0x0000008B "BasicSymmetricKeyFoundryClientKMIPV1_4" "Basic Symmetric Key Foundry Client KMIP v1.4" [V1_4 .. V1_4];
        INTERMEDIATE_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_4 = 0x0000008C "IntermediateSymmetricKeyFoundryClientKMIPV1_4" "Intermediate Symmetric Key Foundry Client KMIP v1.4" [V1_4 .. V1_4];
        ADVANCED_SYMMETRIC_KEY_FOUNDRY_CLIENT_KMIP_V1_4 = 0x0000008D "AdvancedSymmetricKeyFoundryClientKMIPV1_4" "Advanced Symmetric Key Foundry Client KMIP v1.4" [V1_4 .. V1_4];
        SYMMETRIC_KEY_FOUNDRY_SERVER_KMIP_V1_4 = 0x0000008E "SymmetricKeyFoundryServerKMIPV1_4" "Symmetric Key Foundry Server KMIP v1.4" [V1_4 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_CLIENT_KMIP_V1_4 = 0x0000008F "OpaqueManagedObjectStoreClientKMIPV1_4" "Opaque Managed Object Store Client KMIP v1.4" [V1_4 .. V1_4];
        OPAQUE_MANAGED_OBJECT_STORE_SERVER_KMIP_V1_4 = 0x00000090 "OpaqueManagedObjectStoreServerKMIPV1_4" "Opaque Managed Object Store Server KMIP v1.4" [V1_4 .. V1_4];
        SUITE_B_MIN_LOS_128_CLIENT_KMIP_V1_4 = 0x00000091 "SuiteBMinLOS_128ClientKMIPV1_4" "Suite B minLOS_128 Client KMIP v1.4" [V1_4 .. V1_4];
        SUITE_B_MIN_LOS_128_SERVER_KMIP_V1_4 = 0x00000092 "SuiteBMinLOS_128ServerKMIPV1_4" "Suite B minLOS_128 Server KMIP v1.4" [V1_4 .. V1_4];
        SUITE_B_MIN_LOS_192_CLIENT_KMIP_V1_4 = 0x00000093 "SuiteBMinLOS_192ClientKMIPV1_4" "Suite B minLOS_192 Client KMIP v1.4" [V1_4 .. V1_4];
        SUITE_B_MIN_LOS_192_SERVER_KMIP_V1_4 = 0x00000094 "SuiteBMinLOS_192ServerKMIPV1_4" "Suite B minLOS_192 Server KMIP v1.4" [V1_4 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_CLIENT_KMIP_V1_4 = 0x00000095 "StorageArrayWithSelfEncryptingDriveClientKMIPV1_4" "Storage Array with Self Encrypting Drive Client KMIP v1.4" [V1_4 .. V1_4];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER_KMIP_V1_4 = 0x00000096 "StorageArrayWithSelfEncryptingDriveServerKMIPV1_4" "Storage Array with Self Encrypting Drive Server KMIP v1.4" [V1_4 .. V1_4];
        HTTPS_CLIENT_KMIP_V1_4 = 0x00000097 "HTTPSClientKMIPV1_4" "HTTPS Client KMIP v1.4" [V1_4 .. V1_4];
        HTTPS_SERVER_KMIP_V1_4 = 0x00000098 "HTTPSServerKMIPV1_4" "HTTPS Server KMIP v1.4" [V1_4 .. V1_4];
        JSON_CLIENT_KMIP_V1_4 = 0x00000099 "JSONClientKMIPV1_4" "JSON Client KMIP v1.4" [V1_4 .. V1_4];
        JSON_SERVER_KMIP_V1_4 = 0x0000009A "JSONServerKMIPV1_4" "JSON Server KMIP v1.4" [V1_4 .. V1_4];
        XML_CLIENT_KMIP_V1_4 = 0x0000009B "XMLClientKMIPV1_4" "XML Client KMIP v1.4" [V1_4 .. V1_4];
        XML_SERVER_KMIP_V1_4 = 0x0000009C "XMLServerKMIPV1_4" "XML Server KMIP v1.4" [V1_4 .. V1_4];
        COMPLETE_SERVER_BASIC = 0x00000104 "CompleteServerBasic" "Complete Server Basic" [V2_0];
        COMPLETE_SERVER_TLS_V1_2 = 0x00000105 "CompleteServerTLSV1_2" "Complete Server TLS v1.2" [V2_0];
        TAPE_LIBRARY_CLIENT = 0x00000106 "TapeLibraryClient" "Tape Library Client" [V2_0];
        TAPE_LIBRARY_SERVER = 0x00000107 "TapeLibraryServer" "Tape Library Server" [V2_0];
        SYMMETRIC_KEY_LIFECYCLE_CLIENT = 0x00000108 "SymmetricKeyLifecycleClient" "Symmetric Key Lifecycle Client" [V2_0];
        SYMMETRIC_KEY_LIFECYCLE_SERVER = 0x00000109 "SymmetricKeyLifecycleServer" "Symmetric Key Lifecycle Server" [V2_0];
        ASYMMETRIC_KEY_LIFECYCLE_CLIENT = 0x0000010A "AsymmetricKeyLifecycleClient" "Asymmetric Key Lifecycle Client" [V2_0];
        ASYMMETRIC_KEY_LIFECYCLE_SERVER = 0x0000010B "AsymmetricKeyLifecycleServer" "Asymmetric Key Lifecycle Server" [V2_0];
        BASIC_CRYPTOGRAPHIC_CLIENT = 0x0000010C "BasicCryptographicClient" "Basic Cryptographic Client" [V2_0];
        BASIC_CRYPTOGRAPHIC_SERVER = 0x0000010D "BasicCryptographicServer" "Basic Cryptographic Server" [V2_0];
        ADVANCED_CRYPTOGRAPHIC_CLIENT = 0x0000010E "AdvancedCryptographicClient" "Advanced Cryptographic Client" [V2_0];
        ADVANCED_CRYPTOGRAPHIC_SERVER = 0x0000010F "AdvancedCryptographicServer" "Advanced Cryptographic Server" [V2_0];
        RNG_CRYPTOGRAPHIC_CLIENT = 0x00000110 "RNGCryptographicClient" "RNG Cryptographic Client" [V2_0];
        RNG_CRYPTOGRAPHIC_SERVER = 0x00000111 "RNGCryptographicServer" "RNG Cryptographic Server" [V2_0];
        BASIC_SYMMETRIC_KEY_FOUNDRY_CLIENT = 0x00000112 "BasicSymmetricKeyFoundryClient" "Basic Symmetric Key Foundry Client" [V2_0];
        INTERMEDIATE_SYMMETRIC_KEY_FOUNDRY_CLIENT = 0x00000113 "IntermediateSymmetricKeyFoundryClient" "Intermediate Symmetric Key Foundry Client" [V2_0];
        ADVANCED_SYMMETRIC_KEY_FOUNDRY_CLIENT = 0x00000114 "AdvancedSymmetricKeyFoundryClient" "Advanced Symmetric Key Foundry Client" [V2_0];
        SYMMETRIC_KEY_FOUNDRY_SERVER = 0x00000115 "SymmetricKeyFoundryServer" "Symmetric Key Foundry Server" [V2_0];
        OPAQUE_MANAGED_OBJECT_STORE_CLIENT = 0x00000116 "OpaqueManagedObjectStoreClient" "Opaque Managed Object Store Client" [V2_0];
        OPAQUE_MANAGED_OBJECT_STORE_SERVER = 0x00000117 "OpaqueManagedObjectStoreServer" "Opaque Managed Object Store Server" [V2_0];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_CLIENT = 0x0000011C "StorageArrayWithSelfEncryptingDriveClient" "Storage Array with Self Encrypting Drive Client" [V2_0];
        STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER = 0x0000011D "StorageArrayWithSelfEncryptingDriveServer" "Storage Array with Self Encrypting Drive Server" [V2_0];
        HTTPS_CLIENT = 0x0000011E "HTTPSClient" "HTTPS Client" [V2_0];
        HTTPS_SERVER = 0x0000011F "HTTPSServer" "HTTPS Server" [V2_0];
        JSON_CLIENT = 0x00000120 "JSONClient" "JSON Client" [V2_0];
        JSON_SERVER = 0x00000121 "JSONServer" "JSON Server" [V2_0];
        XML_CLIENT = 0x00000122 "XMLClient" "XML Client" [V2_0];
        XML_SERVER = 0x00000123 "XMLServer" "XML Server" [V2_0];
        AES_XTS_CLIENT = 0x00000124 "AESXTSClient" "AES XTS Client" [V2_0];
        AES_XTS_SERVER = 0x00000125 "AESXTSServer" "AES XTS Server" [V2_0];
        QUANTUM_SAFE_CLIENT = 0x00000126 "QuantumSafeClient" "Quantum Safe Client" [V2_0];
        QUANTUM_SAFE_SERVER = 0x00000127 "QuantumSafeServer" "Quantum Safe Server" [V2_0];
        PKCS_11_CLIENT = 0x00000128 "PKCS_11Client" "PKCS#11 Client" [V2_0];
        PKCS_11_SERVER = 0x00000129 "PKCS_11Server" "PKCS#11 Server" [V2_0];
        BASELINE_CLIENT = 0x0000012A "BaselineClient" "Baseline Client" [V2_0];
        BASELINE_SERVER = 0x0000012B "BaselineServer" "Baseline Server" [V2_0];
        COMPLETE_SERVER = 0x0000012C "CompleteServer" "Complete Server" [V2_0];
    }
    ProtectionLevel "ProtectionLevel" {
        HIGH = 0x00000001 "High" "High" [V2_0];
        LOW = 0x00000002 "Low" "Low" [V2_0];
    }
    PutFunction "PutFunction" {
        NEW = 0x00000001 "New" "New" [V1_0];
        REPLACE = 0x00000002 "Replace" "Replace" [V1_0];
    }
    QueryFunction "QueryFunction" {
        QUERY_OPERATIONS = 0x00000001 "QueryOperations" "Query Operations" [V1_0];
        QUERY_OBJECTS = 0x00000002 "QueryObjects" "Query Objects" [V1_0];
        QUERY_SERVER_INFORMATION = 0x00000003 "QueryServerInformation" "Query Server Information" [V1_0];
        QUERY_APPLICATION_NAMESPACES = 0x00000004 "QueryApplicationNamespaces" "Query Application Namespaces" [V1_0];
        QUERY_EXTENSION_LIST = 0x00000005 "QueryExtensionList" "Query Extension List" [V1_1];
        QUERY_EXTENSION_MAP = 0x00000006 "QueryExtensionMap" "Query Extension Map" [V1_1];
        QUERY_ATTESTATION_TYPES = 0x00000007 "QueryAttestationTypes" "Query Attestation Types" [V1_2];
        QUERY_RNGS = 0x00000008 "QueryRNGs" "Query RNGs" [V1_3];
        QUERY_VALIDATIONS = 0x00000009 "QueryValidations" "Query Validations" [V1_3];
        QUERY_PROFILES = 0x0000000A "QueryProfiles" "Query Profiles" [V1_3];
        QUERY_CAPABILITIES = 0x0000000B "QueryCapabilities" "Query Capabilities" [V1_3];
        QUERY_CLIENT_REGISTRATION_METHODS = 0x0000000C "QueryClientRegistrationMethods" "Query Client Registration Methods" [V1_3];
        QUERY_DEFAULTS_INFORMATION = 0x0000000D "QueryDefaultsInformation" "Query Defaults Information" [V2_0];
        QUERY_STORAGE_PROTECTION_MASKS = 0x0000000E "QueryStorageProtectionMasks" "Query Storage Protection Masks" [V2_0];
    }
    RngAlgorithm "RNGAlgorithm" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        FIPS186_2 = 0x00000002 "FIPS186_2" "FIPS 186-2" [V1_3];
        DRBG = 0x00000003 "DRBG" "DRBG" [V1_3];
        NRBG = 0x00000004 "NRBG" "NRBG" [V1_3];
        ANSIX9_31 = 0x00000005 "ANSIX9_31" "ANSI X9.31" [V1_3];
        ANSIX9_62 = 0x00000006 "ANSIX9_62" "ANSI X9.62" [V1_3];
    }
    RngMode "RNGMode" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        SHARED_INSTANTIATION = 0x00000002 "SharedInstantiation" "Shared Instantiation" [V1_3];
        NON_SHARED_INSTANTIATION = 0x00000003 "NonSharedInstantiation" "Non-Shared Instantiation" [V1_3];
    }
    RecommendedCurve "RecommendedCurve" {
        P_192 = 0x00000001 "P_192" "P-192" [V1_2];
        K_163 = 0x00000002 "K_163" "K-163" [V1_2];
        B_163 = 0x00000003 "B_163" "B-163" [V1_2];
        P_224 = 0x00000004 "P_224" "P-224" [V1_2];
        K_233 = 0x00000005 "K_233" "K-233" [V1_2];
        B_233 = 0x00000006 "B_233" "B-233" [V1_2];
        P_256 = 0x00000007 "P_256" "P-256" [V1_2];
        K_283 = 0x00000008 "K_283" "K-283" [V1_2];
        B_283 = 0x00000009 "B_283" "B-283" [V1_2];
        P_384 = 0x0000000A "P_384" "P-384" [V1_2];
        K_409 = 0x0000000B "K_409" "K-409" [V1_2];
        B_409 = 0x0000000C "B_409" "B-409" [V1_2];
        P_521 = 0x0000000D "P_521" "P-521" [V1_2];
        K_571 = 0x0000000E "K_571" "K-571" [V1_2];
        B_571 = 0x0000000F "B_571" "B-571" [V1_2];
        SECP112R1 = 0x00000010 "SECP112R1" "SECP112R1" [V1_2];
        SECP112R2 = 0x00000011 "SECP112R2" "SECP112R2" [V1_2];
        SECP128R1 = 0x00000012 "SECP128R1" "SECP128R1" [V1_2];
        SECP128R2 = 0x00000013 "SECP128R2" "SECP128R2" [V1_2];
        SECP160K1 = 0x00000014 "SECP160K1" "SECP160K1" [V1_2];
        SECP160R1 = 0x00000015 "SECP160R1" "SECP160R1" [V1_2];
        SECP160R2 = 0x00000016 "SECP160R2" "SECP160R2" [V1_2];
        SECP192K1 = 0x00000017 "SECP192K1" "SECP192K1" [V1_2];
        SECP224K1 = 0x00000018 "SECP224K1" "SECP224K1" [V1_2];
        SECP256K1 = 0x00000019 "SECP256K1" "SECP256K1" [V1_2];
        SECT113R1 = 0x0000001A "SECT113R1" "SECT113R1" [V1_2];
        SECT113R2 = 0x0000001B "SECT113R2" "SECT113R2" [V1_2];
        SECT131R1 = 0x0000001C "SECT131R1" "SECT131R1" [V1_2];
        SECT131R2 = 0x0000001D "SECT131R2" "SECT131R2" [V1_2];
        SECT163R1 = 0x0000001E "SECT163R1" "SECT163R1" [V1_2];
        SECT193R1 = 0x0000001F "SECT193R1" "SECT193R1" [V1_2];
        SECT193R2 = 0x00000020 "SECT193R2" "SECT193R2" [V1_2];
        SECT239K1 = 0x00000021 "SECT239K1" "SECT239K1" [V1_2];
        ANSIX9P192V2 = 0x00000022 "ANSIX9P192V2" "ANSIX9P192V2" [V1_2];
        ANSIX9P192V3 = 0x00000023 "ANSIX9P192V3" "ANSIX9P192V3" [V1_2];
        ANSIX9P239V1 = 0x00000024 "ANSIX9P239V1" "ANSIX9P239V1" [V1_2];
        ANSIX9P239V2 = 0x00000025 "ANSIX9P239V2" "ANSIX9P239V2" [V1_2];
        ANSIX9P239V3 = 0x00000026 "ANSIX9P239V3" "ANSIX9P239V3" [V1_2];
        ANSIX9C2PNB163V1 = 0x00000027 "ANSIX9C2PNB163V1" "ANSIX9C2PNB163V1" [V1_2];
        ANSIX9C2PNB163V2 = 0x00000028 "ANSIX9C2PNB163V2" "ANSIX9C2PNB163V2" [V1_2];
        ANSIX9C2PNB163V3 = 0x00000029 "ANSIX9C2PNB163V3" "ANSIX9C2PNB163V3" [V1_2];
        ANSIX9C2PNB176V1 = 0x0000002A "ANSIX9C2PNB176V1" "ANSIX9C2PNB176V1" [V1_2];
        ANSIX9C2TNB191V1 = 0x0000002B "ANSIX9C2TNB191V1" "ANSIX9C2TNB191V1" [V1_2];
        ANSIX9C2TNB191V2 = 0x0000002C "ANSIX9C2TNB191V2" "ANSIX9C2TNB191V2" [V1_2];
        ANSIX9C2TNB191V3 = 0x0000002D "ANSIX9C2TNB191V3" "ANSIX9C2TNB191V3" [V1_2];
        ANSIX9C2PNB208W1 = 0x0000002E "ANSIX9C2PNB208W1" "ANSIX9C2PNB208W1" [V1_2];
        ANSIX9C2TNB239V1 = 0x0000002F "ANSIX9C2TNB239V1" "ANSIX9C2TNB239V1" [V1_2];
        ANSIX9C2TNB239V2 = 0x00000030 "ANSIX9C2TNB239V2" "ANSIX9C2TNB239V2" [V1_2];
        ANSIX9C2TNB239V3 = 0x00000031 "ANSIX9C2TNB239V3" "ANSIX9C2TNB239V3" [V1_2];
        ANSIX9C2PNB272W1 = 0x00000032 "ANSIX9C2PNB272W1" "ANSIX9C2PNB272W1" [V1_2];
        ANSIX9C2PNB304W1 = 0x00000033 "ANSIX9C2PNB304W1" "ANSIX9C2PNB304W1" [V1_2];
        ANSIX9C2TNB359V1 = 0x00000034 "ANSIX9C2TNB359V1" "ANSIX9C2TNB359V1" [V1_2];
        ANSIX9C2PNB368W1 = 0x00000035 "ANSIX9C2PNB368W1" "ANSIX9C2PNB368W1" [V1_2];
        ANSIX9C2TNB431R1 = 0x00000036 "ANSIX9C2TNB431R1" "ANSIX9C2TNB431R1" [V1_2];
        BRAINPOOLP160R1 = 0x00000037 "BRAINPOOLP160R1" "BRAINPOOLP160R1" [V1_2];
        BRAINPOOLP160T1 = 0x00000038 "BRAINPOOLP160T1" "BRAINPOOLP160T1" [V1_2];
        BRAINPOOLP192R1 = 0x00000039 "BRAINPOOLP192R1" "BRAINPOOLP192R1" [V1_2];
        BRAINPOOLP192T1 = 0x0000003A "BRAINPOOLP192T1" "BRAINPOOLP192T1" [V1_2];
        BRAINPOOLP224R1 = 0x0000003B "BRAINPOOLP224R1" "BRAINPOOLP224R1" [V1_2];
        BRAINPOOLP224T1 = 0x0000003C "BRAINPOOLP224T1" "BRAINPOOLP224T1" [V1_2];
        BRAINPOOLP256R1 = 0x0000003D "BRAINPOOLP256R1" "BRAINPOOLP256R1" [V1_2];
        BRAINPOOLP256T1 = 0x0000003E "BRAINPOOLP256T1" "BRAINPOOLP256T1" [V1_2];
        BRAINPOOLP320R1 = 0x0000003F "BRAINPOOLP320R1" "BRAINPOOLP320R1" [V1_2];
        BRAINPOOLP320T1 = 0x00000040 "BRAINPOOLP320T1" "BRAINPOOLP320T1" [V1_2];
        BRAINPOOLP384R1 = 0x00000041 "BRAINPOOLP384R1" "BRAINPOOLP384R1" [V1_2];
        BRAINPOOLP384T1 = 0x00000042 "BRAINPOOLP384T1" "BRAINPOOLP384T1" [V1_2];
        BRAINPOOLP512R1 = 0x00000043 "BRAINPOOLP512R1" "BRAINPOOLP512R1" [V1_2];
        BRAINPOOLP512T1 = 0x00000044 "BRAINPOOLP512T1" "BRAINPOOLP512T1" [V1_2];
        CURVE25519 = 0x00000045 "CURVE25519" "CURVE25519" [V2_0];
        CURVE448 = 0x00000046 "CURVE448" "CURVE448" [V2_0];
    }
    ResultReason "ResultReason" {
        ITEM_NOT_FOUND = 0x00000001 "ItemNotFound" "Item Not Found" [V1_0];
        RESPONSE_TOO_LARGE = 0x00000002 "ResponseTooLarge" "Response Too Large" [V1_0];
        AUTHENTICATION_NOT_SUCCESSFUL = 0x00000003 "AuthenticationNotSuccessful" "Authentication Not Successful" [V1_0];
        INVALID_MESSAGE = 0x00000004 "InvalidMessage" "Invalid Message" [V1_0];
        OPERATION_NOT_SUPPORTED = 0x00000005 "OperationNotSupported" "Operation Not Supported" [V1_0];
        MISSING_DATA = 0x00000006 "MissingData" "Missing Data" [V1_0];
        INVALID_FIELD = 0x00000007 "InvalidField" "Invalid Field" [V1_0];
        FEATURE_NOT_SUPPORTED = 0x00000008 "FeatureNotSupported" "Feature Not Supported" [V1_0];
        OPERATION_CANCELED_BY_REQUESTER = 0x00000009 "OperationCanceledByRequester" "Operation Canceled By Requester" [V1_0];
        CRYPTOGRAPHIC_FAILURE = 0x0000000A "CryptographicFailure" "Cryptographic Failure" [V1_0];
        ILLEGAL_OPERATION = 0x0000000B "IllegalOperation" "Illegal Operation" [V1_0 .. V1_4];
        PERMISSION_DENIED = 0x0000000C "PermissionDenied" "Permission Denied" [V1_0];
        OBJECT_ARCHIVED = 0x0000000D "ObjectArchived" "Object Archived" [V1_0];
        INDEX_OUT_OF_BOUNDS = 0x0000000E "IndexOutOfBounds" "Index Out of Bounds" [V1_0 .. V1_4];
        APPLICATION_NAMESPACE_NOT_SUPPORTED = 0x0000000F "ApplicationNamespaceNotSupported" "Application Namespace Not Supported" [V1_0];
        KEY_FORMAT_TYPE_NOT_SUPPORTED = 0x00000010 "KeyFormatTypeNotSupported" "Key Format Type Not Supported" [V1_0];
        KEY_COMPRESSION_TYPE_NOT_SUPPORTED = 0x00000011 "KeyCompressionTypeNotSupported" "Key Compression Type Not Supported" [V1_0];
        ENCODING_OPTION_ERROR = 0x00000012 "EncodingOptionError" "Encoding Option Error" [V1_1];
        KEY_VALUE_NOT_PRESENT = 0x00000013 "KeyValueNotPresent" "Key Value Not Present" [V1_2];
        ATTESTATION_REQUIRED = 0x00000014 "AttestationRequired" "Attestation Required" [V1_2];
        ATTESTATION_FAILED = 0x00000015 "AttestationFailed" "Attestation Failed" [V1_2];
        SENSITIVE = 0x00000016 "Sensitive" "Sensitive" [V1_4];
        NOT_EXTRACTABLE = 0x00000017 "NotExtractable" "Not Extractable" [V1_4];
        OBJECT_ALREADY_EXISTS = 0x00000018 "ObjectAlreadyExists" "Object Already Exists" [V1_4];
        INVALID_TICKET = 0x00000019 "InvalidTicket" "Invalid Ticket" [V2_0];
        USAGE_LIMIT_EXCEEDED = 0x0000001A "UsageLimitExceeded" "Usage Limit Exceeded" [V2_0];
        NUMERIC_RANGE = 0x0000001B "NumericRange" "Numeric Range" [V2_0];
        INVALID_DATA_TYPE = 0x0000001C "InvalidDataType" "Invalid Data Type" [V2_0];
        READ_ONLY_ATTRIBUTE = 0x0000001D "ReadOnlyAttribute" "Read Only Attribute" [V2_0];
        MULTI_VALUED_ATTRIBUTE = 0x0000001E "MultiValuedAttribute" "Multi Valued Attribute" [V2_0];
        UNSUPPORTED_ATTRIBUTE = 0x0000001F "UnsupportedAttribute" "Unsupported Attribute" [V2_0];
        ATTRIBUTE_INSTANCE_NOT_FOUND = 0x00000020 "AttributeInstanceNotFound" "Attribute Instance Not Found" [V2_0];
        ATTRIBUTE_NOT_FOUND = 0x00000021 "AttributeNotFound" "Attribute Not Found" [V2_0];
        ATTRIBUTE_READ_ONLY = 0x00000022 "AttributeReadOnly" "Attribute Read Only" [V2_0];
        ATTRIBUTE_SINGLE_VALUED = 0x00000023 "AttributeSingleValued" "Attribute Single Valued" [V2_0];
        BAD_CRYPTOGRAPHIC_PARAMETERS = 0x00000024 "BadCryptographicParameters" "Bad Cryptographic Parameters" [V2_0];
        BAD_PASSWORD = 0x00000025 "BadPassword" "Bad Password" [V2_0];
        CODEC_ERROR = 0x00000026 "CodecError" "Codec Error" [V2_0];
        ILLEGAL_OBJECT_TYPE = 0x00000028 "IllegalObjectType" "Illegal Object Type" [V2_0];
        INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK = 0x00000029 "IncompatibleCryptographicUsageMask" "Incompatible Cryptographic Usage Mask" [V2_0];
        INTERNAL_SERVER_ERROR = 0x0000002A "InternalServerError" "Internal Server Error" [V2_0];
        INVALID_ASYNCHRONOUS_CORRELATION_VALUE = 0x0000002B "InvalidAsynchronousCorrelationValue" "Invalid Asynchronous Correlation Value" [V2_0];
        INVALID_ATTRIBUTE = 0x0000002C "InvalidAttribute" "Invalid Attribute" [V2_0];
        INVALID_ATTRIBUTE_VALUE = 0x0000002D "InvalidAttributeValue" "Invalid Attribute Value" [V2_0];
        INVALID_CORRELATION_VALUE = 0x0000002E "InvalidCorrelationValue" "Invalid Correlation Value" [V2_0];
        INVALID_CSR = 0x0000002F "InvalidCSR" "Invalid CSR" [V2_0];
        INVALID_OBJECT_TYPE = 0x00000030 "InvalidObjectType" "Invalid Object Type" [V2_0];
        KEY_WRAP_TYPE_NOT_SUPPORTED = 0x00000032 "KeyWrapTypeNotSupported" "Key Wrap Type Not Supported" [V2_0];
        MISSING_INITIALIZATION_VECTOR = 0x00000034 "MissingInitializationVector" "Missing Initialization Vector" [V2_0];
        NON_UNIQUE_NAME_ATTRIBUTE = 0x00000035 "NonUniqueNameAttribute" "Non Unique Name Attribute" [V2_0];
        OBJECT_DESTROYED = 0x00000036 "ObjectDestroyed" "Object Destroyed" [V2_0];
        OBJECT_NOT_FOUND = 0x00000037 "ObjectNotFound" "Object Not Found" [V2_0];
        NOT_AUTHORISED = 0x00000039 "NotAuthorised" "Not Authorised" [V2_0] as "NotAuthorized";
        SERVER_LIMIT_EXCEEDED = 0x0000003A "ServerLimitExceeded" "Server Limit Exceeded" [V2_0];
        UNKNOWN_ENUMERATION = 0x0000003B "UnknownEnumeration" "Unknown Enumeration" [V2_0];
        UNKNOWN_MESSAGE_EXTENSION = 0x0000003C "UnknownMessageExtension" "Unknown Message Extension" [V2_0];
        UNKNOWN_TAG = 0x0000003D "UnknownTag" "Unknown Tag" [V2_0];
        UNSUPPORTED_CRYPTOGRAPHIC_PARAMETERS = 0x0000003E "UnsupportedCryptographicParameters" "Unsupported Cryptographic Parameters" [V2_0];
        UNSUPPORTED_PROTOCOL_VERSION = 0x0000003F "UnsupportedProtocolVersion" "Unsupported Protocol Version" [V2_0];
        WRAPPING_OBJECT_ARCHIVED = 0x00000040 "WrappingObjectArchived" "Wrapping Object Archived" [V2_0];
        WRAPPING_OBJECT_DESTROYED = 0x00000041 "WrappingObjectDestroyed" "Wrapping Object Destroyed" [V2_0];
        WRAPPING_OBJECT_NOT_FOUND = 0x00000042 "WrappingObjectNotFound" "Wrapping Object Not Found" [V2_0];
        WRONG_KEY_LIFECYCLE_STATE = 0x00000043 "WrongKeyLifecycleState" "Wrong Key Lifecycle State" [V2_0];
        PROTECTION_STORAGE_UNAVAILABLE = 0x00000044 "ProtectionStorageUnavailable" "Protection Storage Unavailable" [V2_0];
        PKCS_11_CODEC_ERROR = 0x00000045 "PKCS_11CodecError" "PKCS#11 Codec Error" [V2_0];
        PKCS_11_INVALID_FUNCTION = 0x00000046 "PKCS_11InvalidFunction" "PKCS#11 Invalid Function" [V2_0];
        PKCS_11_INVALID_INTERFACE = 0x00000047 "PKCS_11InvalidInterface" "PKCS#11 Invalid Interface" [V2_0];
        PRIVATE_PROTECTION_STORAGE_UNAVAILABLE = 0x00000048 "PrivateProtectionStorageUnavailable" "Private Protection Storage Unavailable" [V2_0];
        PUBLIC_PROTECTION_STORAGE_UNAVAILABLE = 0x00000049 "PublicProtectionStorageUnavailable" "Public Protection Storage Unavailable" [V2_0];
        UNKNOWN_OBJECT_GROUP = 0x0000004A "UnknownObjectGroup" "Unknown Object Group" [V2_1];
        CONSTRAINT_VIOLATION = 0x0000004B "ConstraintViolation" "Constraint Violation" [V2_1];
        DUPLICATE_PROCESS_REQUEST = 0x0000004C "DuplicateProcessRequest" "Duplicate Process Request" [V2_1];
        GENERAL_FAILURE = 0x00000100 "GeneralFailure" "General Failure" [V1_0];
    }
    ResultStatus "ResultStatus" {
        SUCCESS = 0x00000000 "Success" "Success" [V1_0];
        OPERATION_FAILED = 0x00000001 "OperationFailed" "Operation Failed" [V1_0];
        OPERATION_PENDING = 0x00000002 "OperationPending" "Operation Pending" [V1_0];
        OPERATION_UNDONE = 0x00000003 "OperationUndone" "Operation Undone" [V1_0];
    }
    RevocationReasonCode "RevocationReasonCode" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_0];
        KEY_COMPROMISE = 0x00000002 "KeyCompromise" "Key Compromise" [V1_0];
        CA_COMPROMISE = 0x00000003 "CACompromise" "CA Compromise" [V1_0];
        AFFILIATION_CHANGED = 0x00000004 "AffiliationChanged" "Affiliation Changed" [V1_0];
        SUPERSEDED = 0x00000005 "Superseded" "Superseded" [V1_0];
        CESSATION_OF_OPERATION = 0x00000006 "CessationOfOperation" "Cessation of Operation" [V1_0];
        PRIVILEGE_WITHDRAWN = 0x00000007 "PrivilegeWithdrawn" "Privilege Withdrawn" [V1_0];
    }
    RotateNameType "RotateNameType" {
        UNINTERPRETED_TEXT_STRING = 0x00000001 "UninterpretedTextString" "Uninterpreted Text String" [V2_1];
        URI = 0x00000002 "URI" "URI" [V2_1];
    }
    SecretDataType "SecretDataType" {
        PASSWORD = 0x00000001 "Password" "Password" [V1_0];
        SEED = 0x00000002 "Seed" "Seed" [V1_0];
    }
    ShreddingAlgorithm "ShreddingAlgorithm" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        CRYPTOGRAPHIC = 0x00000002 "Cryptographic" "Cryptographic" [V1_3];
        UNSUPPORTED = 0x00000003 "Unsupported" "Unsupported" [V1_3];
    }
    SplitKeyMethod "SplitKeyMethod" {
        XOR = 0x00000001 "XOR" "XOR" [V1_0];
        POLYNOMIAL_SHARING_GF2_16 = 0x00000002 "PolynomialSharingGF2_16" "Polynomial Sharing GF(2^16)" [V1_0] as "PolynomialSharingGF216";
        POLYNOMIAL_SHARING_PRIME_FIELD = 0x00000003 "PolynomialSharingPrimeField" "Polynomial Sharing Prime Field" [V1_0];
        POLYNOMIAL_SHARING_GF2_8 = 0x00000004 "PolynomialSharingGF2_8" "Polynomial Sharing GF(2^8)" [V1_2] as "PolynomialSharingGF28";
    }
    State "State" {
        PRE_ACTIVE = 0x00000001 "PreActive" "Pre-Active" [V1_0];
        ACTIVE = 0x00000002 "Active" "Active" [V1_0];
        DEACTIVATED = 0x00000003 "Deactivated" "Deactivated" [V1_0];
        COMPROMISED = 0x00000004 "Compromised" "Compromised" [V1_0];
        DESTROYED = 0x00000005 "Destroyed" "Destroyed" [V1_0];
        DESTROYED_COMPROMISED = 0x00000006 "DestroyedCompromised" "Destroyed Compromised" [V1_0];
    }
    TicketType "TicketType" {
        LOGIN = 0x00000001 "Login" "Login" [V2_0];
    }
    UniqueIdentifier "UniqueIdentifier" {
        ID_PLACEHOLDER = 0x00000001 "IDPlaceholder" "ID Placeholder" [V2_0];
        CERTIFY = 0x00000002 "Certify" "Certify" [V2_0];
        CREATE = 0x00000003 "Create" "Create" [V2_0];
        CREATE_KEY_PAIR = 0x00000004 "CreateKeyPair" "Create Key Pair" [V2_0];
        CREATE_KEY_PAIR_PRIVATE_KEY = 0x00000005 "CreateKeyPairPrivateKey" "Create Key Pair Private Key" [V2_0];
        CREATE_KEY_PAIR_PUBLIC_KEY = 0x00000006 "CreateKeyPairPublicKey" "Create Key Pair Public Key" [V2_0];
        CREATE_SPLIT_KEY = 0x00000007 "CreateSplitKey" "Create Split Key" [V2_0];
        DERIVE_KEY = 0x00000008 "DeriveKey" "Derive Key" [V2_0];
        IMPORT = 0x00000009 "Import" "Import" [V2_0];
        JOIN_SPLIT_KEY = 0x0000000A "JoinSplitKey" "Join Split Key" [V2_0];
        LOCATE = 0x0000000B "Locate" "Locate" [V2_0];
        REGISTER = 0x0000000C "Register" "Register" [V2_0];
        RE_KEY = 0x0000000D "ReKey" "Re-key" [V2_0];
        RE_CERTIFY = 0x0000000E "ReCertify" "Re-certify" [V2_0];
        RE_KEY_KEY_PAIR = 0x0000000F "ReKeyKeyPair" "Re-key Key Pair" [V2_0];
        RE_KEY_KEY_PAIR_PRIVATE_KEY = 0x00000010 "ReKeyKeyPairPrivateKey" "Re-key Key Pair Private Key" [V2_0];
        RE_KEY_KEY_PAIR_PUBLIC_KEY = 0x00000011 "ReKeyKeyPairPublicKey" "Re-key Key Pair Public Key" [V2_0];
    }
    UnwrapMode "UnwrapMode" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        PROCESSED = 0x00000002 "Processed" "Processed" [V1_3];
        NOT_PROCESSED = 0x00000003 "NotProcessed" "Not Processed" [V1_3];
    }
    UsageLimitsUnit "UsageLimitsUnit" {
        BYTE = 0x00000001 "Byte" "Byte" [V1_0];
        OBJECT = 0x00000002 "Object" "Object" [V1_0];
    }
    ValidationAuthorityType "ValidationAuthorityType" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        NIST_CMVP = 0x00000002 "NISTCMVP" "NIST CMVP" [V1_3];
        COMMON_CRITERIA = 0x00000003 "CommonCriteria" "Common Criteria" [V1_3];
    }
    ValidationType "ValidationType" {
        UNSPECIFIED = 0x00000001 "Unspecified" "Unspecified" [V1_3];
        HARDWARE = 0x00000002 "Hardware" "Hardware" [V1_3];
        SOFTWARE = 0x00000003 "Software" "Software" [V1_3];
        FIRMWARE = 0x00000004 "Firmware" "Firmware" [V1_3];
        HYBRID = 0x00000005 "Hybrid" "Hybrid" [V1_3];
    }
    ValidityIndicator "ValidityIndicator" {
        VALID = 0x00000001 "Valid" "Valid" [V1_0];
        INVALID = 0x00000002 "Invalid" "Invalid" [V1_0];
        UNKNOWN = 0x00000003 "Unknown" "Unknown" [V1_0];
    }
    WrappingMethod "WrappingMethod" {
        ENCRYPT = 0x00000001 "Encrypt" "Encrypt" [V1_0];
        MAC_SIGN = 0x00000002 "MACSign" "MAC/sign" [V1_0];
        ENCRYPT_THEN_MAC_SIGN = 0x00000003 "EncryptThenMACSign" "Encrypt then MAC/sign" [V1_0];
        MAC_SIGN_THEN_ENCRYPT = 0x00000004 "MACSignThenEncrypt" "MAC/sign then encrypt" [V1_0];
        TR_31 = 0x00000005 "TR_31" "TR-31" [V1_0];
    }
}
