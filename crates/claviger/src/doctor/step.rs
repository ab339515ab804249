//! The table of steps, in the order in which they are walked.

macro_rules! steps {
    ($($(#[doc = $doc:literal])* $step:ident $name:literal;)*) => {
        /// A step on the way of a product to a working key.
        #[derive(Copy, Clone, Debug, PartialEq, Eq)]
        pub(super) enum Step {
            $($(#[doc = $doc])* $step,)*
        }

        impl Step {
            /// All of them, in their order.
            pub(super) const ALL: &[Self] = &[$(Self::$step),*];

            /// What it is called.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$step => $name,)* }
            }

            /// What it is, for people.
            #[cfg(test)]
            const fn text(self) -> &'static str {
                match self { $(Self::$step => concat!($($doc),*),)* }
            }
        }
    };
}

steps! {
    /// The files of the client: authorities, certificate, private key and its password.
    Files "files";
    /// The name of the server has an address.
    Resolve "resolve";
    /// The server takes the connection.
    Connect "connect";
    /// The server's certificate is trusted and names the host; both sides have a cipher suite in common.
    Tls "tls";
    /// The server takes the client's certificate.
    Identity "identity";
    /// The server speaks the product's version of KMIP.
    Version "version";
    /// The server offers every operation that the product needs.
    Operations "operations";
    /// A probe key is made, as the product makes its keys.
    Create "create";
    /// It is activated.
    Activate "activate";
    /// The server says that it is Active.
    State "state";
    /// It comes back as it was made.
    Get "get";
    /// It is found again.
    Locate "locate";
    /// The server encrypts with it.
    Encrypt "encrypt";
    /// The server decrypts what it encrypted.
    Decrypt "decrypt";
    /// It is revoked.
    Revoke "revoke";
    /// It is destroyed.
    Destroy "destroy";
    /// The key that the configuration names is there, and Active. It is only asked for its State.
    Key "key";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_every_step() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md");
        let document = std::fs::read_to_string(path).unwrap();
        for step in Step::ALL {
            let row = format!("| `{}` | {} |", step.name(), step.text().trim());
            assert!(document.contains(&row), "{row}");
        }
    }
}
