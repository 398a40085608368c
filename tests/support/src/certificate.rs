//! Certificates: sequences of packets, each added in turn, in any order and with anything between.

use crate::hash::Hash;
use crate::key::Key;
use crate::packet::{packet, public_key, public_subkey, tag, user_id};
use crate::signature::{Over, SignatureBuilder, signature_type};
use crate::subpacket::{Subpacket, key_flags};

/// A good certificate of one user id: see [`CertificateBuilder::simple`].
pub fn simple_certificate(key: &Key, id: &str, created: u32) -> Vec<u8> {
    CertificateBuilder::simple(key, id, created).build()
}

/// A certificate in the making: each method appends its packets to those before.
#[derive(Clone, Debug)]
pub struct CertificateBuilder {
    primary: Key,
    bytes: Vec<u8>,
}

impl CertificateBuilder {
    /// A certificate that so far is the primary key packet alone.
    pub fn new(primary: &Key) -> Self {
        Self {
            primary: primary.clone(),
            bytes: public_key(primary),
        }
    }

    /// A good certificate that can certify and sign: version 4 with the flags in the self-signature of the user id, version
    /// 6 with the flags in a direct-key signature. Signatures are made at `created`.
    pub fn simple(primary: &Key, id: &str, created: u32) -> Self {
        let builder = Self::new(primary);
        if primary.version() == 6 {
            let certification = SignatureBuilder::new(signature_type::POSITIVE, created);
            builder
                .with_direct_key(&Self::direct_key(created))
                .with_user_id_signed(id, &[certification])
        } else {
            builder.with_user_id(id, created)
        }
    }

    /// The self-signature that [`CertificateBuilder::with_user_id`] makes, to be altered: positive certification, flags
    /// certify and sign, features.
    pub fn self_signature(created: u32) -> SignatureBuilder {
        Self::with_capabilities(SignatureBuilder::new(signature_type::POSITIVE, created))
    }

    /// The direct-key signature of a good certificate, to be altered: flags certify and sign, features.
    pub fn direct_key(created: u32) -> SignatureBuilder {
        Self::with_capabilities(SignatureBuilder::new(signature_type::DIRECT_KEY, created))
    }

    fn with_capabilities(signature: SignatureBuilder) -> SignatureBuilder {
        /// Symmetrically encrypted integrity protected data, version 1.
        const SEIPD_1: u8 = 0x01;
        signature
            .with_hashed(Subpacket::key_flags(key_flags::CERTIFY | key_flags::SIGN))
            .with_hashed(Subpacket::features(SEIPD_1))
    }

    /// A user id with a good self-signature.
    pub fn with_user_id(self, id: impl AsRef<[u8]>, created: u32) -> Self {
        self.with_user_id_signed(id, &[Self::self_signature(created)])
    }

    /// A user id with these signatures of the primary key, none or any type among them.
    pub fn with_user_id_signed(
        mut self,
        id: impl AsRef<[u8]>,
        signatures: &[SignatureBuilder],
    ) -> Self {
        self.bytes.extend(user_id(id.as_ref()));
        let primary = self.primary.clone();
        signatures.iter().fold(self, |builder, signature| {
            builder.with_certification(id.as_ref(), &primary, signature)
        })
    }

    /// A signature over a user id, made by any key; without the user id packet.
    pub fn with_certification(
        mut self,
        id: impl AsRef<[u8]>,
        signer: &Key,
        signature: &SignatureBuilder,
    ) -> Self {
        self.bytes
            .extend(signature.sign(signer, Over::UserId(&self.primary, id.as_ref())));
        self
    }

    /// A user attribute (a packet body) with these signatures of the primary key.
    pub fn with_user_attribute(mut self, body: &[u8], signatures: &[SignatureBuilder]) -> Self {
        self.bytes.extend(packet(tag::USER_ATTRIBUTE, body));
        for signature in signatures {
            self.bytes
                .extend(signature.sign(&self.primary, Over::UserAttribute(&self.primary, body)));
        }
        self
    }

    /// A signature of the primary key over itself: direct key, key revocation or any other type.
    pub fn with_direct_key(self, signature: &SignatureBuilder) -> Self {
        let primary = self.primary.clone();
        self.with_direct_key_by(&primary, signature)
    }

    /// A signature over the primary key, made by any key.
    pub fn with_direct_key_by(mut self, signer: &Key, signature: &SignatureBuilder) -> Self {
        self.bytes
            .extend(signature.sign(signer, Over::Key(&self.primary)));
        self
    }

    /// A revocation of the primary key, made at `created` for the reason `code`; `None` leaves the reason out.
    pub fn with_key_revocation(self, created: u32, code: Option<u8>) -> Self {
        self.with_direct_key(&revocation(signature_type::KEY_REVOCATION, created, code))
    }

    /// A revocation of a user id, which should be the last added.
    pub fn with_user_id_revocation(
        self,
        id: impl AsRef<[u8]>,
        created: u32,
        code: Option<u8>,
    ) -> Self {
        let signer = self.primary.clone();
        self.with_certification(
            id,
            &signer,
            &revocation(signature_type::CERTIFICATION_REVOCATION, created, code),
        )
    }

    /// A subkey with its binding.
    pub fn with_subkey(mut self, subkey: &Key, binding: &Binding) -> Self {
        self.bytes.extend(public_subkey(subkey));
        self.with_binding(subkey, binding)
    }

    /// One more binding of a subkey, which should be the last added; without the subkey packet.
    pub fn with_binding(mut self, subkey: &Key, binding: &Binding) -> Self {
        self.bytes.extend(binding.sign(&self.primary, subkey));
        self
    }

    /// A signature of the primary key over itself and a subkey: a revocation, or any other type.
    pub fn with_subkey_signature(mut self, subkey: &Key, signature: &SignatureBuilder) -> Self {
        self.bytes
            .extend(signature.sign(&self.primary, Over::Subkey(&self.primary, subkey)));
        self
    }

    /// A revocation of a subkey, which should be the last added.
    pub fn with_subkey_revocation(self, subkey: &Key, created: u32, code: Option<u8>) -> Self {
        self.with_subkey_signature(
            subkey,
            &revocation(signature_type::SUBKEY_REVOCATION, created, code),
        )
    }

    /// Any packets, or any octets at all.
    pub fn with_packet(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(bytes.as_ref());
        self
    }

    /// The certificate, binary.
    pub fn build(self) -> Vec<u8> {
        self.bytes
    }
}

/// Where the back-signature of a subkey stands, and what is wrong with it.
#[derive(Clone, Debug)]
pub enum BackSignature {
    /// None at all.
    Absent,
    /// A good one in the hashed area, as RFC 9580 and Sequoia have it.
    Hashed,
    /// A good one in the unhashed area, as gpg has it.
    Unhashed,
    /// Hashed, made by the subkey over both keys as this builder says.
    HashedAs(SignatureBuilder),
    /// Unhashed, made by the subkey over both keys as this builder says.
    UnhashedAs(SignatureBuilder),
    /// Hashed, with this body.
    HashedBody(Vec<u8>),
    /// Unhashed, with this body.
    UnhashedBody(Vec<u8>),
}

/// The binding of a subkey: the binding signature, and the back-signature in it.
#[derive(Clone, Debug)]
pub struct Binding {
    signature: SignatureBuilder,
    back_signature: BackSignature,
}

impl Binding {
    /// A binding with these key flags; a good hashed back-signature where they let the subkey sign.
    pub fn new(flags: u8, created: u32) -> Self {
        let back_signature = if flags & key_flags::SIGN == 0 {
            BackSignature::Absent
        } else {
            BackSignature::Hashed
        };
        let signature = SignatureBuilder::new(signature_type::SUBKEY_BINDING, created)
            .with_hashed(Subpacket::key_flags(flags));
        Self {
            signature,
            back_signature,
        }
    }

    /// A binding without key flags and back-signature.
    pub fn without_flags(created: u32) -> Self {
        let signature = SignatureBuilder::new(signature_type::SUBKEY_BINDING, created);
        Self {
            signature,
            back_signature: BackSignature::Absent,
        }
    }

    /// The good back-signature made at the given time, to be altered.
    pub fn good_back_signature(created: u32) -> SignatureBuilder {
        SignatureBuilder::new(signature_type::PRIMARY_KEY_BINDING, created)
    }

    /// Another place or kind of back-signature.
    pub fn with_back_signature(mut self, back_signature: BackSignature) -> Self {
        self.back_signature = back_signature;
        self
    }

    /// Another hash, in the binding; the back-signature keeps SHA-256.
    pub fn with_hash(self, hash: Hash) -> Self {
        self.with_signature(|signature| signature.with_hash(hash))
    }

    /// The binding signature altered.
    pub fn with_signature(
        mut self,
        alter: impl FnOnce(SignatureBuilder) -> SignatureBuilder,
    ) -> Self {
        self.signature = alter(self.signature);
        self
    }

    /// The binding signature packet.
    pub fn sign(&self, primary: &Key, subkey: &Key) -> Vec<u8> {
        let over = Over::Subkey(primary, subkey);
        let embed = |builder: &SignatureBuilder| {
            Subpacket::embedded_signature(builder.sign_body(subkey, over))
        };
        let good = || embed(&Self::good_back_signature(self.signature.created()));
        let signature = self.signature.clone();
        let signature = match &self.back_signature {
            BackSignature::Absent => signature,
            BackSignature::Hashed => signature.with_hashed(good()),
            BackSignature::Unhashed => signature.with_unhashed(good()),
            BackSignature::HashedAs(builder) => signature.with_hashed(embed(builder)),
            BackSignature::UnhashedAs(builder) => signature.with_unhashed(embed(builder)),
            BackSignature::HashedBody(body) => {
                signature.with_hashed(Subpacket::embedded_signature(body.clone()))
            }
            BackSignature::UnhashedBody(body) => {
                signature.with_unhashed(Subpacket::embedded_signature(body.clone()))
            }
        };
        signature.sign(primary, over)
    }
}

fn revocation(kind: u8, created: u32, code: Option<u8>) -> SignatureBuilder {
    let signature = SignatureBuilder::new(kind, created);
    match code {
        Some(code) => signature.with_hashed(Subpacket::revocation_reason(code, "")),
        None => signature,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::{Binding, CertificateBuilder};
    use crate::{Hash, Key, SignatureBuilder, Subpacket, algorithm, key_flags, signature_type};

    /// RFC 9580 appendix A.3, the sample version 6 certificate.
    const RFC_CERTIFICATE: &str = "\
        xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laPCsQYf\
        GwoAAABCBYJjh3/jAwsJBwUVCg4IDAIWAAKbAwIeCSIhBssYbE8GCaaX5NUt+mxy\
        KwwfHifBilZwj2Ul7Ce62azJBScJAgcCAAAAAK0oIBA+LX0ifsDm185Ecds2v8lw\
        gyU2kCcUmKfvBXbAf6rhRYWzuQOwEn7E/aLwIwRaLsdry0+VcallHhSu4RN6HWaE\
        QsiPlR4zxP/TP7mhfVEe7XWPxtnMUMtf15OyA51YBM4qBmOHf+MZAAAAIIaTJINn\
        +eUBXbki+PSAld2nhJh/LVmFsS+60WyvXkQ1wpsGGBsKAAAALAWCY4d/4wKbDCIh\
        BssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJAAAAAAQBIKbpGG2dWTX8\
        j+VjFM21J0hqWlEg+bdiojWnKfA5AQpWUWtnNwDEM0g12vYxoWM8Y81W+bHBw805\
        I8kWVkXU6vFOi+HWvv/ira7ofJu16NnoUkhclkUrk0mXubZvyl4GBg==";

    /// The secret of its primary key, RFC 9580 appendix A.4.
    const RFC_SEED: [u8; 32] = [
        0x19, 0x72, 0x81, 0x7b, 0x12, 0xbe, 0x70, 0x7e, 0x8d, 0x5f, 0x58, 0x6c, 0xe6, 0x13, 0x61,
        0x20, 0x1d, 0x34, 0x4e, 0xb2, 0x66, 0xa2, 0xc8, 0x2f, 0xde, 0x68, 0x35, 0x76, 0x2b, 0x65,
        0xb0, 0xb7,
    ];

    const RFC_CREATED: u32 = 0x6387_7fe3;

    #[test]
    fn sample_certificate_of_the_rfc_comes_out_byte_for_byte() {
        let expected = base64::engine::general_purpose::STANDARD
            .decode(RFC_CERTIFICATE)
            .expect("base64");
        let primary = Key::ed25519_v6(RFC_SEED, RFC_CREATED);
        assert_eq!(
            primary.fingerprint_hex(),
            "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9"
        );

        // The sample's salts and subkey are data of its own; where they stand follows from the lengths before them.
        let salt = |at: usize, size: usize| expected[at..at + size].to_vec();
        let direct = SignatureBuilder::new(signature_type::DIRECT_KEY, RFC_CREATED)
            .with_hash(Hash::Sha512)
            .without_created()
            .without_issuer()
            .with_hashed(Subpacket::created(RFC_CREATED).critical())
            .with_hashed(Subpacket::preferred_ciphers(&[9, 7]))
            .with_hashed(Subpacket::preferred_hashes(&[10, 14, 8, 12]))
            .with_hashed(Subpacket::preferred_compressions(&[0]))
            .with_hashed(Subpacket::key_flags(key_flags::CERTIFY | key_flags::SIGN).critical())
            .with_hashed(Subpacket::features(0x09))
            .with_hashed(Subpacket::issuer_fingerprint(&primary))
            .with_hashed(Subpacket::raw(39, [9, 2, 7, 2]))
            .with_salt(salt(127, 32));
        let subkey = Key::raw(6, algorithm::X25519, salt(235, 32), RFC_CREATED);
        let binding = Binding::new(key_flags::ENCRYPT, RFC_CREATED)
            .with_hash(Hash::Sha512)
            .with_signature(|_| {
                SignatureBuilder::new(signature_type::SUBKEY_BINDING, RFC_CREATED)
                    .with_hash(Hash::Sha512)
                    .without_created()
                    .without_issuer()
                    .with_hashed(Subpacket::created(RFC_CREATED).critical())
                    .with_hashed(Subpacket::key_flags(key_flags::ENCRYPT).critical())
                    .with_hashed(Subpacket::issuer_fingerprint(&primary))
                    .with_salt(salt(328, 32))
            });
        let made = CertificateBuilder::new(&primary)
            .with_direct_key(&direct)
            .with_subkey(&subkey, &binding)
            .build();
        assert_eq!(made, expected);
    }

    #[test]
    fn packets_stand_in_the_order_of_the_calls() {
        let key = Key::ed25519_legacy([1; 32], 1);
        let subkey = Key::ed25519_legacy([2; 32], 1);
        let bytes = CertificateBuilder::new(&key)
            .with_key_revocation(2, Some(1))
            .with_user_id("Alice <alice@example.org>", 1)
            .with_packet(crate::marker())
            .with_subkey(&subkey, &Binding::new(key_flags::SIGN, 1))
            .build();
        let (mut tags, mut rest) = (Vec::new(), &bytes[..]);
        while let [tag, size, tail @ ..] = rest {
            tags.push(tag & 0x3f);
            let (size, tail) = match size {
                0..192 => (usize::from(*size), tail),
                _ => (
                    (usize::from(*size) - 192) * 256 + usize::from(tail[0]) + 192,
                    &tail[1..],
                ),
            };
            rest = &tail[size..];
        }
        assert_eq!(tags, [6, 2, 13, 2, 10, 14, 2]);
    }
}
