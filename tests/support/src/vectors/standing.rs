//! Rules 6 and 7: what a certificate's own signatures must say.

use super::{
    AFTER, BEFORE, BORN, Case, DATA, ID, NOW, SIGNED, SKEW, Signer, Vector, alice, binary, mallory,
    self_signature, sign, subkey,
};
use crate::{
    BackSignature, Binding, CertificateBuilder, Damage, Hash, Key, Over, SignatureBuilder,
    Subpacket, key_flags, public_subkey, signature_type,
};

pub(super) fn cases() -> Vec<Vector> {
    [
        self_signatures(),
        primary_flags(),
        primary_user_id(),
        subkeys(),
        back_signatures(),
        validity(),
    ]
    .concat()
}

const NO_SELF: (&str, &str) = (
    "no-self-signature",
    "certificate has no valid self-signature on an unrevoked user id or on its key",
);
const NOT_FOR_SIGNING: (&str, &str) = ("not-for-signing", "primary key is not flagged for signing");

/// A self-signature with these flags and nothing else.
fn flagged(flags: u8, created: u32) -> SignatureBuilder {
    plain(created).with_hashed(Subpacket::key_flags(flags))
}

/// A self-signature without flags.
fn plain(created: u32) -> SignatureBuilder {
    SignatureBuilder::new(signature_type::POSITIVE, created)
}

fn direct(created: u32) -> SignatureBuilder {
    SignatureBuilder::new(signature_type::DIRECT_KEY, created)
}

/// Data signed by the primary key `key`, whose certificate is `builder`.
fn by_primary(path: &str, description: &str, key: &Key, builder: CertificateBuilder) -> Case {
    Case::new(path, description)
        .cert(builder.build())
        .sig(sign(key))
}

/// A certificate of [`alice`] whose user id has these self-signatures.
fn with_self(signatures: &[SignatureBuilder]) -> CertificateBuilder {
    CertificateBuilder::new(&alice()).with_user_id_signed(ID, signatures)
}

fn self_signatures() -> Vec<Vector> {
    let alice = alice();
    let case = |name: &str, description: &str, signatures: &[SignatureBuilder]| {
        by_primary(
            &format!("self-signature/{name}"),
            description,
            &alice,
            with_self(signatures),
        )
    };
    let weak = |hash| format!("certificate rests on self-signatures in {hash} only");
    let good = || self_signature(BORN);
    let mut cases = Vec::new();
    for kind in [0x10, 0x11, 0x12, 0x13] {
        cases.push(
            case(
                &format!("type-{kind:02x}"),
                "Every type of certification will do.",
                &[good().with_type(kind)],
            )
            .verified(&alice),
        );
    }
    cases.extend([
        by_primary(
            "self-signature/none",
            "A primary key and nothing else.",
            &alice,
            CertificateBuilder::new(&alice),
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case("user-id-bare", "A user id without a signature.", &[]).refused(NO_SELF.0, NO_SELF.1),
        by_primary(
            "self-signature/by-stranger",
            "Only a stranger certifies the user id.",
            &alice,
            with_self(&[]).with_certification(ID, &mallory(), &good()),
        )
        .refused(NO_SELF.0, NO_SELF.1),
        by_primary(
            "self-signature/other-user-id",
            "A good self-signature that stands behind another user id than its own.",
            &alice,
            with_self(&[]).with_certification("Other <other@example.org>", &alice, &good()),
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case("bad", "The self-signature does not hold.", &[good().with_damage(Damage::FlipBit(0))])
            .refused(NO_SELF.0, NO_SELF.1),
        case(
            "bad-newest",
            "The newest self-signature does not hold, the one before it does.",
            &[good(), self_signature(BEFORE).with_damage(Damage::FlipBit(0))],
        )
        .verified(&alice),
        case(
            "user-attribute-only-type",
            "A subkey binding type over a user id is no certification.",
            &[good().with_type(signature_type::SUBKEY_BINDING)],
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case(
            "critical-subpacket",
            "A critical unknown subpacket in the self-signature.",
            &[good().with_hashed(Subpacket::raw(101, [1]).critical())],
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case(
            "critical-notation",
            "A critical notation in the self-signature.",
            &[good().with_hashed(Subpacket::notation("x@example.org", "1").critical())],
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case(
            "expired",
            "The self-signature itself has expired.",
            &[good().with_hashed(Subpacket::expires_after(SIGNED - BORN))],
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case(
            "expired-older-lives",
            "The newest self-signature itself has expired, the one before it has not.",
            &[good(), self_signature(BEFORE).with_hashed(Subpacket::expires_after(1))],
        )
        .verified(&alice),
        case(
            "future-301-seconds",
            "Made 301 seconds after the time of checking.",
            &[self_signature(NOW + SKEW + 1)],
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case(
            "future-300-seconds",
            "Made 300 seconds after the time of checking: clock skew.",
            &[self_signature(NOW + SKEW)],
        )
        .verified(&alice),
        case("before-key", "Made before the key.", &[self_signature(BORN - 1)])
            .refused(NO_SELF.0, NO_SELF.1),
        case("no-creation-time", "Without a creation time.", &[good().without_created()])
            .refused(NO_SELF.0, NO_SELF.1),
        case(
            "newer-than-signature",
            "Only a self-signature made after the data signature is left: the certificate was refreshed.",
            &[self_signature(AFTER)],
        )
        .verified(&alice),
        case("sha1", "The only self-signature is in SHA-1.", &[good().with_hash(Hash::Sha1)])
            .refused("weak-self-signature", weak("SHA-1")),
        case("md5", "The only self-signature is in MD5.", &[good().with_hash(Hash::Md5)])
            .refused("weak-self-signature", weak("MD5")),
        case(
            "ripemd160",
            "The only self-signature is in RIPEMD-160.",
            &[good().with_hash(Hash::Ripemd160)],
        )
        .refused("weak-self-signature", weak("RIPEMD-160")),
        case("sha224", "The only self-signature is in SHA-224.", &[good().with_hash(Hash::Sha224)])
            .refused("weak-self-signature", weak("SHA-224")),
        case(
            "sha1-newer",
            "A newer self-signature in SHA-1 beside a strong older one, which counts alone.",
            &[good(), flagged(key_flags::CERTIFY, BEFORE).with_hash(Hash::Sha1)],
        )
        .verified(&alice),
        case(
            "sha1-newer-grants",
            "A newer self-signature in SHA-1 cannot grant what the strong older one does not.",
            &[
                flagged(key_flags::CERTIFY, BORN),
                flagged(key_flags::CERTIFY | key_flags::SIGN, BEFORE).with_hash(Hash::Sha1),
            ],
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        by_primary(
            "self-signature/direct-key-alone",
            "No user id at all: a direct-key signature will do.",
            &alice,
            CertificateBuilder::new(&alice).with_direct_key(&CertificateBuilder::direct_key(BORN)),
        )
        .verified_by(&[Signer::primary(&alice).with_user_id(None)]),
        by_primary(
            "self-signature/direct-key-sha1",
            "No user id, and the direct-key signature is in SHA-1.",
            &alice,
            CertificateBuilder::new(&alice)
                .with_direct_key(&CertificateBuilder::direct_key(BORN).with_hash(Hash::Sha1)),
        )
        .refused("weak-self-signature", weak("SHA-1")),
        by_primary(
            "self-signature/direct-key-by-stranger",
            "No user id, and the direct-key signature is a stranger's.",
            &alice,
            CertificateBuilder::new(&alice)
                .with_direct_key_by(&mallory(), &CertificateBuilder::direct_key(BORN)),
        )
        .refused(NO_SELF.0, NO_SELF.1),
    ]);
    cases
}

fn primary_flags() -> Vec<Vector> {
    let (alice, six) = (alice(), Key::ed25519_v6([1; 32], BORN));
    let sign_flag = key_flags::CERTIFY | key_flags::SIGN;
    let case = |name: &str, description: &str, builder: CertificateBuilder| {
        by_primary(&format!("flags/{name}"), description, &alice, builder)
    };
    let v6 = |name: &str, description: &str, builder: CertificateBuilder| {
        by_primary(&format!("flags/{name}"), description, &six, builder)
    };
    let (with, without) = (sign_flag, key_flags::CERTIFY);
    vec![
        case("sign", "The sign flag.", with_self(&[flagged(with, BORN)])).verified(&alice),
        case("none-v4", "No flags at all in version 4.", with_self(&[plain(BORN)])).verified(&alice),
        case("without-sign", "Flags, but not that for signing.", with_self(&[flagged(without, BORN)]))
            .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case("all-clear", "A flags subpacket with no flag set.", with_self(&[flagged(0, BORN)]))
            .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case(
            "empty",
            "A flags subpacket without an octet: flags there are, and none is set.",
            with_self(&[plain(BORN).with_hashed(Subpacket::raw(27, []))]),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case(
            "unhashed",
            "The sign flag stands in the unhashed area.",
            with_self(&[
                flagged(without, BORN).with_unhashed(Subpacket::key_flags(with)),
            ]),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case(
            "newest-takes",
            "The newest self-signature takes the sign flag away.",
            with_self(&[flagged(with, BORN), flagged(without, AFTER)]),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case(
            "newest-first-in-file",
            "The newest self-signature takes the sign flag away, and stands before the older one.",
            with_self(&[flagged(without, AFTER), flagged(with, BORN)]),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case(
            "newest-gives",
            "The newest self-signature gives the sign flag.",
            with_self(&[flagged(without, BORN), flagged(with, AFTER)]),
        )
        .verified(&alice),
        case(
            "direct-key-gives",
            "No flags in the user id's self-signature: those of the direct-key signature count.",
            CertificateBuilder::new(&alice)
                .with_direct_key(&CertificateBuilder::direct_key(BORN))
                .with_user_id_signed(ID, &[plain(BORN)]),
        )
        .verified(&alice),
        case(
            "direct-key-lacks",
            "No flags in the user id's self-signature, and not that for signing in the direct-key signature.",
            CertificateBuilder::new(&alice)
                .with_direct_key(&direct(BORN).with_hashed(Subpacket::key_flags(without)))
                .with_user_id_signed(ID, &[plain(BORN)]),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case(
            "user-id-before-direct-key",
            "Flags in both: the user id's count, though the direct-key signature is newer.",
            CertificateBuilder::new(&alice)
                .with_direct_key(&direct(BEFORE).with_hashed(Subpacket::key_flags(with)))
                .with_user_id_signed(ID, &[flagged(without, BORN)]),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        v6(
            "v6-sign",
            "Version 6 with the sign flag in the direct-key signature.",
            CertificateBuilder::simple(&six, ID, BORN),
        )
        .verified(&six),
        v6(
            "v6-none",
            "Version 6 without flags.",
            CertificateBuilder::new(&six)
                .with_direct_key(&direct(BORN))
                .with_user_id_signed(ID, &[plain(BORN)]),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        v6(
            "v6-user-id-only",
            "Version 6 whose sign flag stands with the user id: the direct-key signature counts alone.",
            CertificateBuilder::new(&six)
                .with_direct_key(&direct(BORN))
                .with_user_id_signed(ID, &[flagged(with, BORN)]),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        v6(
            "v6-no-direct-key",
            "Version 6 without a direct-key signature.",
            CertificateBuilder::new(&six).with_user_id_signed(ID, &[flagged(with, BORN)]),
        )
        .refused(NO_SELF.0, NO_SELF.1),
        v6(
            "v6-no-user-id",
            "Version 6 without a user id, which it does not need.",
            CertificateBuilder::new(&six).with_direct_key(&CertificateBuilder::direct_key(BORN)),
        )
        .verified_by(&[Signer::primary(&six).with_user_id(None)]),
    ]
}

fn primary_user_id() -> Vec<Vector> {
    const OTHER: &str = "Other <other@example.org>";
    let alice = alice();
    let case = |name: &str, description: &str, builder: CertificateBuilder| {
        by_primary(&format!("user-id/{name}"), description, &alice, builder)
    };
    let two = |first: SignatureBuilder, second: SignatureBuilder| {
        with_self(&[first]).with_user_id_signed(OTHER, &[second])
    };
    let main = |signature: SignatureBuilder| signature.with_hashed(Subpacket::primary_user_id(1));
    let (with, without) = (
        |created| flagged(key_flags::CERTIFY | key_flags::SIGN, created),
        |created| flagged(key_flags::CERTIFY, created),
    );
    let other = || [Signer::primary(&alice).with_user_id(Some(OTHER))];
    let revoked = |builder: CertificateBuilder, created| {
        builder.with_user_id_revocation(ID, created, Some(32))
    };
    let revocation = SignatureBuilder::new(signature_type::CERTIFICATION_REVOCATION, BEFORE);
    vec![
        case(
            "newest",
            "None is flagged as primary: the newest self-signature decides.",
            two(without(BORN), with(BEFORE)),
        )
        .verified_by(&other()),
        case(
            "newest-takes",
            "None is flagged as primary: the newest self-signature decides, and takes the sign flag away.",
            two(with(BORN), without(BEFORE)),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case(
            "flagged",
            "The user id flagged as primary decides, though the other is newer.",
            two(main(with(BORN)), without(BEFORE)),
        )
        .verified(&alice),
        case(
            "flagged-takes",
            "The user id flagged as primary decides, and lacks the sign flag.",
            two(main(without(BORN)), with(BEFORE)),
        )
        .refused(NOT_FOR_SIGNING.0, NOT_FOR_SIGNING.1),
        case(
            "flagged-twice",
            "Both are flagged as primary: the newer decides.",
            two(main(without(BORN)), main(with(BEFORE))),
        )
        .verified_by(&other()),
        case(
            "revoked",
            "The user id flagged as primary is revoked: the other decides.",
            revoked(with_self(&[main(without(BORN))]), BEFORE)
                .with_user_id_signed(OTHER, &[with(BORN)]),
        )
        .verified_by(&other()),
        case(
            "revoked-after-signature",
            "Revoked after the signature was made: the certificate counts as it is at the time of checking.",
            revoked(with_self(&[main(without(BORN))]), AFTER)
                .with_user_id_signed(OTHER, &[with(BORN)]),
        )
        .verified_by(&other()),
        case(
            "revoked-sha1",
            "Revoked in SHA-1, which counts.",
            with_self(&[main(without(BORN))])
                .with_certification(ID, &alice, &revocation.clone().with_hash(Hash::Sha1))
                .with_user_id_signed(OTHER, &[with(BORN)]),
        )
        .verified_by(&other()),
        case(
            "all-revoked",
            "Every user id is revoked, and there is no direct-key signature.",
            revoked(with_self(&[with(BORN)]), BEFORE),
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case(
            "revocation-after-subkey",
            "The revocation follows a subkey, as when it was appended to the file.",
            revoked(
                with_self(&[with(BORN)]).with_subkey(&subkey(), &signing(BORN)),
                BEFORE,
            ),
        )
        .refused(NO_SELF.0, NO_SELF.1),
        case(
            "all-revoked-direct-key",
            "Every user id is revoked; the direct-key signature is left.",
            revoked(
                CertificateBuilder::new(&alice)
                    .with_direct_key(&CertificateBuilder::direct_key(BORN))
                    .with_user_id_signed(ID, &[without(BORN)]),
                BEFORE,
            ),
        )
        .verified_by(&[Signer::primary(&alice).with_user_id(None)]),
        case(
            "certified-again",
            "Revoked, and certified again since.",
            revoked(with_self(&[with(BORN), with(AFTER)]), BEFORE),
        )
        .verified(&alice),
        case(
            "revoked-by-stranger",
            "Revoked by a stranger, which does not count.",
            with_self(&[with(BORN)]).with_certification(ID, &mallory(), &revocation),
        )
        .verified(&alice),
    ]
}

/// Data signed by [`subkey`] below [`alice`], the subkey bound as `bind` says.
fn by_subkey(
    name: &str,
    description: &str,
    bind: impl FnOnce(CertificateBuilder) -> CertificateBuilder,
) -> Case {
    let builder = CertificateBuilder::simple(&alice(), ID, BORN);
    Case::new(format!("subkey/{name}"), description)
        .cert(bind(builder).build())
        .sig(sign(&subkey()))
}

fn bound(name: &str, description: &str, bindings: &[Binding]) -> Case {
    by_subkey(name, description, |builder| {
        let builder = builder.with_packet(public_subkey(&subkey()));
        bindings.iter().fold(builder, |builder, binding| {
            builder.with_binding(&subkey(), binding)
        })
    })
}

fn signing(created: u32) -> Binding {
    Binding::new(key_flags::SIGN, created)
}

fn by_alices_subkey() -> [Signer; 1] {
    [Signer::subkey(&alice(), &subkey())]
}

fn subkeys() -> Vec<Vector> {
    let none = (
        "no-binding-signature",
        "subkey has no valid binding signature",
    );
    let not_for_signing = ("not-for-signing", "subkey is not flagged for signing");
    let version_6 = Key::ed25519_v6([66; 32], BORN);
    let encrypting = |created| Binding::new(key_flags::ENCRYPT, created);
    let altered =
        |alter: fn(SignatureBuilder) -> SignatureBuilder| signing(BORN).with_signature(alter);
    vec![
        Case::new(
            "subkey/version-6",
            "A version 6 subkey of a version 4 primary key: RFC 9580, section 10.1, forbids it.",
        )
        .cert(
            CertificateBuilder::simple(&alice(), ID, BORN)
                .with_subkey(&version_6, &signing(BORN))
                .build(),
        )
        .sig(sign(&version_6))
        .refused(
            "unknown-issuer",
            format!("unknown issuer {}", version_6.fingerprint_hex()),
        ),
        bound(
            "good",
            "A subkey with the sign flag and a back-signature.",
            &[signing(BORN)],
        )
        .verified_by(&by_alices_subkey()),
        bound("no-binding", "A subkey without a binding.", &[]).refused(none.0, none.1),
        by_subkey(
            "binding-by-stranger",
            "A stranger binds the subkey.",
            |builder| {
                builder
                    .with_packet(public_subkey(&subkey()))
                    .with_packet(signing(BORN).sign(&mallory(), &subkey()))
            },
        )
        .refused(none.0, none.1),
        by_subkey(
            "binding-of-another",
            "The binding is that of another subkey.",
            |builder| {
                builder
                    .with_packet(public_subkey(&subkey()))
                    .with_packet(signing(BORN).sign(&alice(), &mallory()))
            },
        )
        .refused(none.0, none.1),
        bound(
            "binding-bad",
            "The binding does not hold.",
            &[altered(|own| own.with_damage(Damage::FlipBit(0)))],
        )
        .refused(none.0, none.1),
        bound(
            "binding-type",
            "A positive certification instead of a binding.",
            &[altered(|own| own.with_type(signature_type::POSITIVE))],
        )
        .refused(none.0, none.1),
        bound(
            "binding-critical-subpacket",
            "A critical unknown subpacket in the binding.",
            &[altered(|own| {
                own.with_hashed(Subpacket::raw(101, [1]).critical())
            })],
        )
        .refused(none.0, none.1),
        bound(
            "binding-expired",
            "The binding itself has expired.",
            &[altered(|own| {
                own.with_hashed(Subpacket::expires_after(SIGNED - BORN))
            })],
        )
        .refused(none.0, none.1),
        bound(
            "binding-future",
            "The binding was made 301 seconds after the time of checking.",
            &[signing(NOW + SKEW + 1)],
        )
        .refused(none.0, none.1),
        bound(
            "binding-newer-than-signature",
            "Only a binding made after the data signature is left.",
            &[signing(AFTER)],
        )
        .verified_by(&by_alices_subkey()),
        bound(
            "binding-sha1",
            "The binding is in SHA-1.",
            &[signing(BORN).with_hash(Hash::Sha1)],
        )
        .refused(
            "weak-binding-signature",
            "subkey rests on binding signatures in SHA-1 only",
        ),
        bound(
            "binding-sha1-newer",
            "A newer binding in SHA-1 beside a strong older one, which counts alone.",
            &[signing(BORN), encrypting(BEFORE).with_hash(Hash::Sha1)],
        )
        .verified_by(&by_alices_subkey()),
        bound(
            "no-flags",
            "A binding without flags.",
            &[Binding::without_flags(BORN)],
        )
        .refused(not_for_signing.0, not_for_signing.1),
        bound(
            "no-flags-back-signature",
            "A binding without flags, though with a back-signature.",
            &[Binding::without_flags(BORN).with_back_signature(BackSignature::Hashed)],
        )
        .refused(not_for_signing.0, not_for_signing.1),
        bound(
            "without-sign-flag",
            "A subkey for encryption signs.",
            &[encrypting(BORN)],
        )
        .refused(not_for_signing.0, not_for_signing.1),
        bound(
            "newest-takes",
            "The newest binding takes the sign flag away.",
            &[signing(BORN), encrypting(AFTER)],
        )
        .refused(not_for_signing.0, not_for_signing.1),
        bound(
            "newest-gives",
            "The newest binding gives the sign flag.",
            &[signing(AFTER), encrypting(BORN)],
        )
        .verified_by(&by_alices_subkey()),
        bound(
            "newest-lacks-back-signature",
            "The newest binding decides, and has no back-signature.",
            &[
                signing(BORN),
                signing(BEFORE).with_back_signature(BackSignature::Absent),
            ],
        )
        .refused("no-back-signature", "subkey has no back-signature"),
        Case::new(
            "subkey/primary-bare",
            "A well bound subkey below a primary key without a self-signature.",
        )
        .cert(
            CertificateBuilder::new(&alice())
                .with_subkey(&subkey(), &signing(BORN))
                .build(),
        )
        .sig(sign(&subkey()))
        .refused(NO_SELF.0, NO_SELF.1),
        Case::new(
            "subkey/primary-without-sign",
            "A subkey signs below a primary key that may only certify.",
        )
        .cert(
            with_self(&[flagged(key_flags::CERTIFY, BORN)])
                .with_subkey(&subkey(), &signing(BORN))
                .build(),
        )
        .sig(sign(&subkey()))
        .verified_by(&by_alices_subkey()),
        Case::new(
            "subkey/before-subkey",
            "Made before the subkey, though after the primary key.",
        )
        .cert({
            let young = subkey().with_created(SIGNED + 1);
            CertificateBuilder::simple(&alice(), ID, BORN)
                .with_subkey(&young, &signing(SIGNED + 1))
                .build()
        })
        .sig(sign(&subkey().with_created(SIGNED + 1)))
        .refused(
            "signed-before-key",
            "signature was created 2024-01-01T00:00:00Z, before its key (2024-01-01T00:00:01Z)",
        ),
        Case::new(
            "subkey/v6",
            "A version 6 subkey, bound with back-signature.",
        )
        .cert({
            let (primary, own) = (
                Key::ed25519_v6([1; 32], BORN),
                Key::ed25519_v6([3; 32], BORN),
            );
            CertificateBuilder::simple(&primary, ID, BORN)
                .with_subkey(&own, &signing(BORN))
                .build()
        })
        .sig(sign(&Key::ed25519_v6([3; 32], BORN)))
        .verified_by(&[Signer::subkey(
            &Key::ed25519_v6([1; 32], BORN),
            &Key::ed25519_v6([3; 32], BORN),
        )]),
    ]
}

fn back_signatures() -> Vec<Vector> {
    let bad = ("bad-back-signature", "subkey's back-signature is not valid");
    let good = || Binding::good_back_signature(BORN);
    let case = |name: &str, description: &str, back: BackSignature| {
        bound(
            &format!("back-signature-{name}"),
            description,
            &[signing(BORN).with_back_signature(back)],
        )
    };
    let (primary, own) = (alice(), subkey());
    let by = |signer: &Key, over: &Key| good().sign_body(signer, Over::Subkey(&primary, over));
    let refused = |name: &str, description: &str, back: BackSignature| {
        case(name, description, back).refused(bad.0, bad.1)
    };
    vec![
        case(
            "hashed",
            "The back-signature is hashed.",
            BackSignature::Hashed,
        )
        .verified_by(&by_alices_subkey()),
        case(
            "unhashed",
            "The back-signature is unhashed, as gpg has it.",
            BackSignature::Unhashed,
        )
        .verified_by(&by_alices_subkey()),
        case("missing", "No back-signature.", BackSignature::Absent)
            .refused("no-back-signature", "subkey has no back-signature"),
        refused(
            "type-18",
            "A back-signature of type 0x18, as if the subkey bound the primary key.",
            BackSignature::HashedAs(good().with_type(signature_type::SUBKEY_BINDING)),
        ),
        refused(
            "type-00",
            "A back-signature of type 0x00.",
            BackSignature::HashedAs(good().with_type(signature_type::BINARY)),
        ),
        refused(
            "bad",
            "The back-signature does not hold.",
            BackSignature::HashedAs(good().with_damage(Damage::FlipBit(0))),
        ),
        refused(
            "bad-unhashed",
            "The unhashed back-signature does not hold.",
            BackSignature::UnhashedAs(good().with_damage(Damage::FlipBit(0))),
        ),
        refused(
            "by-primary",
            "The primary key made the back-signature.",
            BackSignature::HashedBody(by(&primary, &own)),
        ),
        refused(
            "by-stranger",
            "A stranger made the back-signature.",
            BackSignature::UnhashedBody(by(&mallory(), &own)),
        ),
        refused(
            "over-another",
            "The back-signature is over another subkey.",
            BackSignature::HashedBody(by(&own, &mallory())),
        ),
        refused(
            "sha1",
            "The back-signature is in SHA-1.",
            BackSignature::HashedAs(good().with_hash(Hash::Sha1)),
        ),
        refused(
            "expired",
            "The back-signature itself has expired.",
            BackSignature::HashedAs(good().with_hashed(Subpacket::expires_after(1))),
        ),
        refused(
            "future",
            "The back-signature was made 301 seconds after the time of checking.",
            BackSignature::HashedAs(Binding::good_back_signature(NOW + SKEW + 1)),
        ),
        refused(
            "critical-subpacket",
            "A critical unknown subpacket in the back-signature.",
            BackSignature::HashedAs(good().with_hashed(Subpacket::raw(101, [1]).critical())),
        ),
        bound(
            "back-signature-garbage",
            "An embedded signature that is no signature: the binding that embeds it is malformed.",
            &[signing(BORN).with_back_signature(BackSignature::UnhashedBody(vec![4, 0x19, 22]))],
        )
        .refused(
            "no-binding-signature",
            "subkey has no valid binding signature",
        ),
        bound(
            "back-signature-second-is-good",
            "A back-signature that does not hold beside one that does.",
            &[signing(BORN)
                .with_back_signature(BackSignature::Unhashed)
                .with_signature(|own| {
                    let spoilt = good()
                        .with_damage(Damage::FlipBit(0))
                        .sign_body(&subkey(), Over::Subkey(&alice(), &subkey()));
                    own.with_hashed(Subpacket::embedded_signature(spoilt))
                })],
        )
        .verified_by(&by_alices_subkey()),
    ]
}

fn validity() -> Vec<Vector> {
    let alice = alice();
    let until = |time: u32, made: u32| {
        self_signature(made).with_hashed(Subpacket::key_expires_after(time - BORN))
    };
    let case = |name: &str, description: &str, signatures: &[SignatureBuilder]| {
        by_primary(
            &format!("validity/{name}"),
            description,
            &alice,
            with_self(signatures),
        )
    };
    let expired = |role: &str, when: &str| {
        format!("{role} expired {when}, signature was created 2024-01-01T00:00:00Z")
    };
    let lives_until = |time: u32, made: u32| {
        signing(made)
            .with_signature(|own| own.with_hashed(Subpacket::key_expires_after(time - BORN)))
    };
    let subkey_case = |name: &str, description: &str, bindings: &[Binding]| {
        let mut case = bound("x", description, bindings);
        case.path = format!("validity/{name}");
        case
    };
    let now = r#"expiry = "now""#;
    vec![
        case(
            "expired-before",
            "The key expired before it signed.",
            &[until(BEFORE, BORN)],
        )
        .refused(
            "key-expired",
            expired("primary key", "2023-07-01T00:00:00Z"),
        ),
        case(
            "expired-that-second",
            "The key expired in the second in which it signed.",
            &[until(SIGNED, BORN)],
        )
        .refused(
            "key-expired",
            expired("primary key", "2024-01-01T00:00:00Z"),
        ),
        case(
            "expired-next-second",
            "The key signed in the last second of its life.",
            &[until(SIGNED + 1, BORN)],
        )
        .verified(&alice),
        case(
            "expired-since",
            "The key has expired since it signed.",
            &[until(AFTER, BORN)],
        )
        .verified(&alice),
        case(
            "expired-since-expiry-now",
            "The key has expired since it signed, and the policy demands life today.",
            &[until(AFTER, BORN)],
        )
        .policy(now)
        .refused(
            "key-expired-now",
            "primary key expired 2024-07-01T00:00:00Z, now 2025-01-01T00:00:00Z",
        ),
        case(
            "expires-this-second-expiry-now",
            "The key expires at the second of checking.",
            &[until(NOW, BORN)],
        )
        .policy(now)
        .refused(
            "key-expired-now",
            "primary key expired 2025-01-01T00:00:00Z, now 2025-01-01T00:00:00Z",
        ),
        case(
            "expires-next-second-expiry-now",
            "The key is in the last second of its life.",
            &[until(NOW + 1, BORN)],
        )
        .policy(now)
        .verified(&alice),
        case("zero", "A validity of zero: never.", &[until(BORN, BORN)]).verified(&alice),
        case(
            "unhashed",
            "A validity in the unhashed area, which says nothing.",
            &[self_signature(BORN).with_unhashed(Subpacket::key_expires_after(1))],
        )
        .verified(&alice),
        case(
            "newest-extends",
            "The newest self-signature extends the validity, for the whole life of the key.",
            &[until(BEFORE, BORN), until(NOW, AFTER)],
        )
        .verified(&alice),
        case(
            "newest-removes",
            "The newest self-signature states no validity: the key does not expire.",
            &[until(BEFORE, BORN), self_signature(AFTER)],
        )
        .verified(&alice),
        case(
            "newest-shortens",
            "The newest self-signature shortens the validity, for the whole life of the key.",
            &[until(NOW, BORN), until(BEFORE, AFTER)],
        )
        .refused(
            "key-expired",
            expired("primary key", "2023-07-01T00:00:00Z"),
        ),
        case(
            "sha1-extends",
            "A newer self-signature in SHA-1 cannot extend the validity.",
            &[until(BEFORE, BORN), until(NOW, AFTER).with_hash(Hash::Sha1)],
        )
        .refused(
            "key-expired",
            expired("primary key", "2023-07-01T00:00:00Z"),
        ),
        by_primary(
            "validity/direct-key",
            "No validity in the user id's self-signature: that of the direct-key signature counts.",
            &alice,
            CertificateBuilder::new(&alice)
                .with_direct_key(
                    &direct(BORN).with_hashed(Subpacket::key_expires_after(BEFORE - BORN)),
                )
                .with_user_id(ID, BORN),
        )
        .refused(
            "key-expired",
            expired("primary key", "2023-07-01T00:00:00Z"),
        ),
        by_primary(
            "validity/user-id-before-direct-key",
            "A validity in both: the user id's counts, though the direct-key signature is newer.",
            &alice,
            CertificateBuilder::new(&alice)
                .with_direct_key(
                    &direct(BEFORE).with_hashed(Subpacket::key_expires_after(BEFORE - BORN)),
                )
                .with_user_id_signed(ID, &[until(NOW, BORN)]),
        )
        .verified(&alice),
        {
            let six = Key::ed25519_v6([1; 32], BORN);
            by_primary(
                "validity/v6-user-id",
                "Version 6: a validity that stands with the user id says nothing.",
                &six,
                CertificateBuilder::new(&six)
                    .with_direct_key(&CertificateBuilder::direct_key(BORN))
                    .with_user_id_signed(ID, &[until(BEFORE, BORN)]),
            )
            .verified(&six)
        },
        {
            let six = Key::ed25519_v6([1; 32], BORN);
            let short = Subpacket::key_expires_after(BEFORE - BORN);
            by_primary(
                "validity/v6-direct-key",
                "Version 6: the key expired before it signed.",
                &six,
                CertificateBuilder::new(&six)
                    .with_direct_key(&CertificateBuilder::direct_key(BORN).with_hashed(short))
                    .with_user_id_signed(ID, &[plain(BORN)]),
            )
            .refused(
                "key-expired",
                expired("primary key", "2023-07-01T00:00:00Z"),
            )
        },
        subkey_case(
            "subkey-expired-before",
            "The subkey expired before it signed.",
            &[lives_until(BEFORE, BORN)],
        )
        .refused("key-expired", expired("subkey", "2023-07-01T00:00:00Z")),
        subkey_case(
            "subkey-expired-that-second",
            "The subkey expired in the second in which it signed.",
            &[lives_until(SIGNED, BORN)],
        )
        .refused("key-expired", expired("subkey", "2024-01-01T00:00:00Z")),
        subkey_case(
            "subkey-expired-since",
            "The subkey has expired since it signed.",
            &[lives_until(SIGNED + 1, BORN)],
        )
        .verified_by(&by_alices_subkey()),
        subkey_case(
            "subkey-expired-since-expiry-now",
            "The subkey has expired since it signed, and the policy demands life today.",
            &[lives_until(AFTER, BORN)],
        )
        .policy(now)
        .refused(
            "key-expired-now",
            "subkey expired 2024-07-01T00:00:00Z, now 2025-01-01T00:00:00Z",
        ),
        subkey_case(
            "subkey-newest-extends",
            "The newest binding extends the subkey's validity.",
            &[lives_until(BEFORE, BORN), lives_until(NOW, AFTER)],
        )
        .verified_by(&by_alices_subkey()),
        subkey_case(
            "subkey-newest-shortens",
            "The newest binding shortens the subkey's validity.",
            &[lives_until(NOW, BORN), lives_until(BEFORE, AFTER)],
        )
        .refused("key-expired", expired("subkey", "2023-07-01T00:00:00Z")),
        Case::new(
            "validity/primary-of-subkey-expired",
            "The subkey lives, the primary key expired before the subkey signed.",
        )
        .cert(
            with_self(&[until(BEFORE, BORN)])
                .with_subkey(&subkey(), &signing(BORN))
                .build(),
        )
        .sig(binary().sign(&subkey(), Over::Data(DATA)))
        .refused(
            "key-expired",
            expired("primary key", "2023-07-01T00:00:00Z"),
        ),
    ]
}
