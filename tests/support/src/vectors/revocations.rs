//! Rule 8: revocations of the certificate and of a subkey.

use super::{
    AFTER, BEFORE, BORN, Case, ID, NOW, SIGNED, Signer, Vector, alice, bob, mallory,
    self_signature, sign, subkey,
};
use crate::{
    Binding, CertificateBuilder, Damage, Hash, Key, SignatureBuilder, Subpacket, key_flags,
    public_subkey, signature_type,
};

/// Codes that count at any time, and how a message names them.
const HARD: [(Option<u8>, &str, &str); 4] = [
    (None, "absent", "no reason given"),
    (Some(0), "0", "unspecified"),
    (Some(2), "2", "compromised"),
    (Some(99), "99", "reason 99"),
];

/// Codes that count from their date on.
const SOFT: [(Option<u8>, &str, &str); 3] = [
    (Some(1), "1", "superseded"),
    (Some(3), "3", "retired"),
    (Some(32), "32", "user id no longer valid"),
];

pub(super) fn cases() -> Vec<Vector> {
    [primary(), odd(), subkeys()].concat()
}

fn signing() -> Binding {
    Binding::new(key_flags::SIGN, BORN)
}

/// Data signed by [`alice`], whose certificate is altered.
fn by_primary(
    name: &str,
    description: impl Into<String>,
    alter: impl FnOnce(CertificateBuilder) -> CertificateBuilder,
) -> Case {
    let builder = CertificateBuilder::simple(&alice(), ID, BORN);
    Case::new(format!("revocation/{name}"), description)
        .cert(alter(builder).build())
        .sig(sign(&alice()))
}

/// Data signed by [`subkey`] below [`alice`].
fn by_subkey(
    name: &str,
    description: impl Into<String>,
    alter: impl FnOnce(CertificateBuilder) -> CertificateBuilder,
) -> Case {
    by_primary(name, description, |builder| {
        alter(builder.with_subkey(&subkey(), &signing()))
    })
    .sig(sign(&subkey()))
}

fn revoked(role: &str, reason: &str, since: &str) -> String {
    format!("{role} is revoked ({reason}) since {since}")
}

const BEFORE_TEXT: &str = "2023-07-01T00:00:00Z";
const AFTER_TEXT: &str = "2024-07-01T00:00:00Z";

fn primary() -> Vec<Vector> {
    let mut cases = Vec::new();
    for (code, name, reason) in HARD {
        for (when, time, text) in [
            ("before", BEFORE, BEFORE_TEXT),
            ("after", AFTER, AFTER_TEXT),
        ] {
            cases.push(
                by_primary(
                    &format!("primary-{name}-{when}"),
                    format!("Revoked {when} the signature was made, reason: {reason}."),
                    |builder| builder.with_key_revocation(time, code),
                )
                .refused("key-revoked", revoked("primary key", reason, text)),
            );
        }
    }
    for (code, name, reason) in SOFT {
        cases.extend([
            by_primary(
                &format!("primary-{name}-before"),
                format!("Revoked before the signature was made, reason: {reason}."),
                |builder| builder.with_key_revocation(BEFORE, code),
            )
            .refused("key-revoked", revoked("primary key", reason, BEFORE_TEXT)),
            by_primary(
                &format!("primary-{name}-after"),
                format!("Revoked after the signature was made, reason: {reason}."),
                |builder| builder.with_key_revocation(AFTER, code),
            )
            .verified(&alice()),
        ]);
    }
    cases.extend([
        by_primary(
            "primary-1-that-second",
            "Superseded in the second in which the signature was made.",
            |builder| builder.with_key_revocation(SIGNED, Some(1)),
        )
        .refused(
            "key-revoked",
            revoked("primary key", "superseded", "2024-01-01T00:00:00Z"),
        ),
        by_primary(
            "primary-1-next-second",
            "Superseded one second after the signature was made.",
            |builder| builder.with_key_revocation(SIGNED + 1, Some(1)),
        )
        .verified(&alice()),
    ]);
    cases
}

/// A revocation of the primary key, to be altered.
fn revocation(created: u32, code: u8) -> SignatureBuilder {
    SignatureBuilder::new(signature_type::KEY_REVOCATION, created)
        .with_hashed(Subpacket::revocation_reason(code, "the reason"))
}

fn odd() -> Vec<Vector> {
    let refused = |case: Case, reason: &str, since: &str| {
        case.refused("key-revoked", revoked("primary key", reason, since))
    };
    let altered = |name: &str, description: &str, signature: SignatureBuilder| {
        by_primary(name, description, |builder| {
            builder.with_direct_key(&signature)
        })
    };
    let weak = |name: &str, hash| {
        altered(
            &format!("hash-{name}"),
            "A revocation in a weak hash counts all the same.",
            revocation(AFTER, 2).with_hash(hash),
        )
    };
    vec![
        refused(weak("sha1", Hash::Sha1), "compromised", AFTER_TEXT),
        refused(weak("md5", Hash::Md5), "compromised", AFTER_TEXT),
        refused(
            by_primary(
                "not-healed",
                "A later self-signature does not heal.",
                |builder| {
                    builder
                        .with_key_revocation(BEFORE, Some(1))
                        .with_certification(ID, &alice(), &self_signature(BEFORE + 1))
                },
            ),
            "superseded",
            BEFORE_TEXT,
        ),
        refused(
            by_primary(
                "appended",
                "The revocation stands at the end of the file, behind a subkey.",
                |builder| {
                    builder
                        .with_subkey(&subkey(), &signing())
                        .with_key_revocation(AFTER, Some(2))
                },
            ),
            "compromised",
            AFTER_TEXT,
        ),
        refused(
            by_primary(
                "soft-and-hard",
                "Superseded after the signature was made, and compromised besides.",
                |builder| {
                    builder
                        .with_key_revocation(AFTER, Some(1))
                        .with_key_revocation(NOW, Some(2))
                },
            ),
            "compromised",
            "2025-01-01T00:00:00Z",
        ),
        refused(
            altered(
                "from-the-future",
                "A hard revocation dated after the time of checking: it counts at any time.",
                revocation(NOW + 86_400, 2),
            ),
            "compromised",
            "2025-01-02T00:00:00Z",
        ),
        altered(
            "soft-from-the-future",
            "A soft revocation dated after the time of checking.",
            revocation(NOW + 86_400, 3),
        )
        .verified(&alice()),
        refused(
            altered(
                "itself-expired",
                "The hard revocation itself has expired, which it cannot.",
                revocation(AFTER, 2).with_hashed(Subpacket::expires_after(1)),
            ),
            "compromised",
            AFTER_TEXT,
        ),
        refused(
            altered(
                "critical-subpacket",
                "A critical unknown subpacket in the revocation: in doubt the key is revoked.",
                revocation(AFTER, 2).with_hashed(Subpacket::raw(101, [1]).critical()),
            ),
            "compromised",
            AFTER_TEXT,
        ),
        refused(
            altered(
                "reason-unhashed",
                "The soft reason stands in the unhashed area, where anybody could put it: none is given.",
                SignatureBuilder::new(signature_type::KEY_REVOCATION, AFTER)
                    .with_unhashed(Subpacket::revocation_reason(1, "")),
            ),
            "no reason given",
            AFTER_TEXT,
        ),
        altered(
            "no-creation-time",
            "A soft revocation without a date: it counts at any time.",
            revocation(AFTER, 1).without_created(),
        )
        .refused("key-revoked", "primary key is revoked (superseded)"),
        refused(
            altered(
                "odd-policy-uri",
                "A policy URI that is not UTF-8 in the revocation: in doubt the key is revoked.",
                revocation(AFTER, 2).with_hashed(Subpacket::raw(26, [0xff])),
            ),
            "compromised",
            AFTER_TEXT,
        ),
        refused(
            altered(
                "odd-embedded",
                "Garbage as an embedded signature in the unhashed area, where anybody could put it.",
                revocation(AFTER, 2).with_unhashed(Subpacket::embedded_signature([4])),
            ),
            "compromised",
            AFTER_TEXT,
        ),
        refused(
            altered(
                "odd-unhashed",
                "An empty creation time in the unhashed area, where anybody could put it.",
                revocation(AFTER, 2).with_unhashed(Subpacket::raw(2, [])),
            ),
            "compromised",
            AFTER_TEXT,
        ),
        refused(
            altered(
                "reason-empty",
                "A reason subpacket without an octet: none is given.",
                SignatureBuilder::new(signature_type::KEY_REVOCATION, AFTER)
                    .with_hashed(Subpacket::raw(29, [])),
            ),
            "no reason given",
            AFTER_TEXT,
        ),
        refused(
            altered(
                "no-issuer",
                "A revocation that names no issuer.",
                revocation(AFTER, 2).without_issuer(),
            ),
            "compromised",
            AFTER_TEXT,
        ),
        refused(
            altered(
                "version-3",
                "A revocation of version 3, which can give no reason.",
                SignatureBuilder::new(signature_type::KEY_REVOCATION, AFTER).with_version(3),
            ),
            "no reason given",
            AFTER_TEXT,
        ),
        altered(
            "bad",
            "A revocation that does not hold.",
            revocation(BEFORE, 2).with_damage(Damage::FlipBit(0)),
        )
        .verified(&alice()),
        by_primary("by-stranger", "A stranger's revocation.", |builder| {
            builder.with_direct_key_by(&mallory(), &revocation(BEFORE, 2))
        })
        .verified(&alice()),
        by_primary(
            "by-impostor",
            "A stranger's revocation that names the key as its issuer.",
            |builder| {
                let forged = revocation(BEFORE, 2)
                    .without_issuer()
                    .with_hashed(Subpacket::issuer_fingerprint(&alice()));
                builder.with_direct_key_by(&mallory(), &forged)
            },
        )
        .verified(&alice()),
        by_primary(
            "of-another-key",
            "The revocation of another key.",
            |builder| {
                let other = crate::Over::Key(&bob());
                builder.with_packet(revocation(BEFORE, 2).sign(&alice(), other))
            },
        )
        .verified(&alice()),
        Case::new(
            "revocation/without-self-signature",
            "Revoked as compromised, and without a self-signature: the revocation is told.",
        )
        .cert(
            CertificateBuilder::new(&alice())
                .with_key_revocation(AFTER, Some(2))
                .build(),
        )
        .sig(sign(&alice()))
        .refused(
            "key-revoked",
            revoked("primary key", "compromised", AFTER_TEXT),
        ),
        {
            let six = Key::ed25519_v6([1; 32], BORN);
            Case::new("revocation/v6", "A version 6 key, revoked as compromised.")
                .cert(
                    CertificateBuilder::simple(&six, ID, BORN)
                        .with_key_revocation(AFTER, Some(2))
                        .build(),
                )
                .sig(sign(&six))
                .refused(
                    "key-revoked",
                    revoked("primary key", "compromised", AFTER_TEXT),
                )
        },
    ]
}

fn subkeys() -> Vec<Vector> {
    let signer = || [Signer::subkey(&alice(), &subkey())];
    let mut cases = Vec::new();
    for (code, name, reason) in HARD {
        cases.push(
            by_subkey(
                &format!("subkey-{name}-after"),
                format!("The subkey was revoked after it signed, reason: {reason}."),
                |builder| builder.with_subkey_revocation(&subkey(), AFTER, code),
            )
            .refused("key-revoked", revoked("subkey", reason, AFTER_TEXT)),
        );
    }
    for (code, name, reason) in SOFT {
        cases.extend([
            by_subkey(
                &format!("subkey-{name}-before"),
                format!("The subkey was revoked before it signed, reason: {reason}."),
                |builder| builder.with_subkey_revocation(&subkey(), BEFORE, code),
            )
            .refused("key-revoked", revoked("subkey", reason, BEFORE_TEXT)),
            by_subkey(
                &format!("subkey-{name}-after"),
                format!("The subkey was revoked after it signed, reason: {reason}."),
                |builder| builder.with_subkey_revocation(&subkey(), AFTER, code),
            )
            .verified_by(&signer()),
        ]);
    }
    let own = SignatureBuilder::new(signature_type::SUBKEY_REVOCATION, AFTER)
        .with_hashed(Subpacket::revocation_reason(2, ""));
    cases.extend([
        by_subkey(
            "subkey-sha1",
            "The subkey was revoked in SHA-1.",
            |builder| builder.with_subkey_signature(&subkey(), &own.clone().with_hash(Hash::Sha1)),
        )
        .refused("key-revoked", revoked("subkey", "compromised", AFTER_TEXT)),
        by_subkey(
            "subkey-not-healed",
            "A later binding does not heal.",
            |builder| {
                builder
                    .with_subkey_revocation(&subkey(), BEFORE, Some(3))
                    .with_binding(&subkey(), &Binding::new(key_flags::SIGN, BEFORE + 1))
            },
        )
        .refused("key-revoked", revoked("subkey", "retired", BEFORE_TEXT)),
        by_subkey(
            "subkey-appended",
            "The subkey's revocation stands at the end of the file, behind another subkey.",
            |builder| {
                builder
                    .with_subkey(&bob(), &signing())
                    .with_subkey_revocation(&subkey(), AFTER, Some(2))
            },
        )
        .refused("key-revoked", revoked("subkey", "compromised", AFTER_TEXT)),
        by_subkey(
            "subkey-of-another",
            "Another subkey was revoked.",
            |builder| {
                builder
                    .with_subkey(&bob(), &signing())
                    .with_subkey_revocation(&bob(), BEFORE, Some(2))
            },
        )
        .verified_by(&signer()),
        by_subkey(
            "subkey-by-itself",
            "A subkey cannot revoke itself.",
            |builder| {
                let over = crate::Over::Subkey(&alice(), &subkey());
                builder.with_packet(own.sign(&subkey(), over))
            },
        )
        .verified_by(&signer()),
        by_subkey(
            "primary-of-subkey",
            "The subkey lives, the primary key was compromised.",
            |builder| builder.with_key_revocation(AFTER, Some(2)),
        )
        .refused(
            "key-revoked",
            revoked("primary key", "compromised", AFTER_TEXT),
        ),
        by_primary(
            "subkey-beside",
            "The primary key signs; that a subkey was compromised does not matter.",
            |builder| {
                builder
                    .with_packet(public_subkey(&subkey()))
                    .with_binding(&subkey(), &signing())
                    .with_subkey_revocation(&subkey(), BEFORE, Some(2))
            },
        )
        .verified(&alice()),
    ]);
    cases
}
