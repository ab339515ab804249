//! The bit masks of KMIP 1.0 to 2.1 (KMIP 2.1 §12, and §9.1.3.3 of the older versions).
//!
//! A table and nothing else: it must never know what a bit permits.
//! Each row is `CONSTANT = bit "Name" "Printed name" [first .. last version]`; a row
//! without a last version is still in 2.1. Bits outside the table survive.

mask_tables! {
    CryptographicUsageMask "CryptographicUsageMask" {
        SIGN = 0x00000001 "Sign" "Sign" [V1_0];
        VERIFY = 0x00000002 "Verify" "Verify" [V1_0];
        ENCRYPT = 0x00000004 "Encrypt" "Encrypt" [V1_0];
        DECRYPT = 0x00000008 "Decrypt" "Decrypt" [V1_0];
        WRAP_KEY = 0x00000010 "WrapKey" "Wrap Key" [V1_0];
        UNWRAP_KEY = 0x00000020 "UnwrapKey" "Unwrap Key" [V1_0];
        EXPORT = 0x00000040 "Export" "Export" [V1_0 .. V1_4];
        MAC_GENERATE = 0x00000080 "MACGenerate" "MAC Generate" [V1_0];
        MAC_VERIFY = 0x00000100 "MACVerify" "MAC Verify" [V1_0];
        DERIVE_KEY = 0x00000200 "DeriveKey" "Derive Key" [V1_0];
        CONTENT_COMMITMENT_NON_REPUDIATION = 0x00000400 "ContentCommitmentNonRepudiation" "Content Commitment (Non Repudiation)" [V1_0 .. V1_4];
        KEY_AGREEMENT = 0x00000800 "KeyAgreement" "Key Agreement" [V1_0];
        CERTIFICATE_SIGN = 0x00001000 "CertificateSign" "Certificate Sign" [V1_0];
        CRL_SIGN = 0x00002000 "CRLSign" "CRL Sign" [V1_0];
        GENERATE_CRYPTOGRAM = 0x00004000 "GenerateCryptogram" "Generate Cryptogram" [V1_0 .. V1_4];
        VALIDATE_CRYPTOGRAM = 0x00008000 "ValidateCryptogram" "Validate Cryptogram" [V1_0 .. V1_4];
        TRANSLATE_ENCRYPT = 0x00010000 "TranslateEncrypt" "Translate Encrypt" [V1_0 .. V1_4];
        TRANSLATE_DECRYPT = 0x00020000 "TranslateDecrypt" "Translate Decrypt" [V1_0 .. V1_4];
        TRANSLATE_WRAP = 0x00040000 "TranslateWrap" "Translate Wrap" [V1_0 .. V1_4];
        TRANSLATE_UNWRAP = 0x00080000 "TranslateUnwrap" "Translate Unwrap" [V1_0 .. V1_4];
        AUTHENTICATE = 0x00100000 "Authenticate" "Authenticate" [V2_0];
        UNRESTRICTED = 0x00200000 "Unrestricted" "Unrestricted" [V2_0];
        FPE_ENCRYPT = 0x00400000 "FPEEncrypt" "FPE Encrypt" [V2_0];
        FPE_DECRYPT = 0x00800000 "FPEDecrypt" "FPE Decrypt" [V2_0];
    }
    ProtectionStorageMask "ProtectionStorageMask" {
        SOFTWARE = 0x00000001 "Software" "Software" [V2_0];
        HARDWARE = 0x00000002 "Hardware" "Hardware" [V2_0];
        ON_PROCESSOR = 0x00000004 "OnProcessor" "On Processor" [V2_0];
        ON_SYSTEM = 0x00000008 "OnSystem" "On System" [V2_0];
        OFF_SYSTEM = 0x00000010 "OffSystem" "Off System" [V2_0];
        HYPERVISOR = 0x00000020 "Hypervisor" "Hypervisor" [V2_0];
        OPERATING_SYSTEM = 0x00000040 "OperatingSystem" "Operating System" [V2_0];
        CONTAINER = 0x00000080 "Container" "Container" [V2_0];
        ON_PREMISES = 0x00000100 "OnPremises" "On Premises" [V2_0];
        OFF_PREMISES = 0x00000200 "OffPremises" "Off Premises" [V2_0];
        SELF_MANAGED = 0x00000400 "SelfManaged" "Self Managed" [V2_0];
        OUTSOURCED = 0x00000800 "Outsourced" "Outsourced" [V2_0];
        VALIDATED = 0x00001000 "Validated" "Validated" [V2_0];
        SAME_JURISDICTION = 0x00002000 "SameJurisdiction" "Same Jurisdiction" [V2_0];
    }
    StorageStatusMask "StorageStatusMask" {
        ON_LINE_STORAGE = 0x00000001 "OnLineStorage" "On-line storage" [V1_0];
        ARCHIVAL_STORAGE = 0x00000002 "ArchivalStorage" "Archival storage" [V1_0];
        DESTROYED_STORAGE = 0x00000004 "DestroyedStorage" "Destroyed storage" [V2_0];
    }
}
