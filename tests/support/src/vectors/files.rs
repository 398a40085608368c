//! Rule 9: what a signature file may be.

use super::{BORN, Case, DATA, Vector, alice, binary, certificate, sign};
use crate::{
    ArmorChecksum, ArmorKind, Hash, Length, Over, armor, armor_with, clearsign, compressed,
    literal, marker, one_pass, packet, packet_with, padding, secret_key_stub, tag, trust, user_id,
};

pub(super) fn cases() -> Vec<Vector> {
    [packets(), headers(), armored()].concat()
}

const MESSAGE: &str = "this is an inline-signed or encrypted message, not a detached signature";
const KEY: &str = "this is a key, not a signature";
const NOT_OPENPGP: &str = "no OpenPGP data: neither binary packets nor ASCII armor";
const EMPTY: &str = "no signature: the input is empty";

/// A signature file, whatever it is, beside [`DATA`] and the certificate of [`alice`].
fn file(name: &str, description: &str, octets: impl AsRef<[u8]>) -> Case {
    Case::new(format!("file/{name}"), description)
        .cert(certificate(&alice()))
        .sig(octets)
}

fn inline(data: &[u8]) -> Vec<u8> {
    [
        one_pass(&alice(), 0, Hash::Sha256, &[]),
        literal("", BORN, data),
        binary().sign(&alice(), Over::Data(data)),
    ]
    .concat()
}

fn packets() -> Vec<Vector> {
    let alice = alice();
    let good = sign(&alice);
    let with = |parts: &[&[u8]]| parts.concat();
    let unknown = |tag| packet(tag, b"what is this");
    vec![
        file(
            "inline",
            "An inline-signed message over the data.",
            inline(DATA),
        )
        .malformed(MESSAGE),
        file(
            "inline-other-data",
            "An inline-signed message over other data than those given.",
            inline(b"other data"),
        )
        .malformed(MESSAGE),
        file(
            "inline-old",
            "A message in the old order: signature, then literal data.",
            with(&[&good, &literal("", BORN, DATA)]),
        )
        .malformed(MESSAGE),
        file("literal", "Literal data.", literal("", BORN, DATA)).malformed(MESSAGE),
        file(
            "compressed",
            "A good signature in a compressed data packet.",
            compressed(&good),
        )
        .malformed(MESSAGE),
        file("certificate", "A certificate.", certificate(&alice)).malformed(KEY),
        file("private-key", "A private key.", secret_key_stub(&alice)).malformed(KEY),
        file(
            "signature-then-key",
            "A good signature, then a certificate.",
            with(&[&good, &certificate(&alice)]),
        )
        .malformed(KEY),
        file(
            "trailing-text",
            "Text follows a good signature.",
            with(&[&good, b"garbage\n"]),
        )
        .malformed("packet 1: damaged packet header"),
        file(
            "trailing-zero",
            "A zero octet follows a good signature.",
            with(&[&good, &[0]]),
        )
        .malformed("packet 1: damaged packet header"),
        file(
            "trailing-user-id",
            "A user id follows a good signature.",
            with(&[&good, &user_id("Alice")]),
        )
        .malformed("packet 1: unexpected packet type 13 (user id)"),
        file(
            "trailing-trust",
            "A trust packet follows a good signature.",
            with(&[&good, &trust(&[1])]),
        )
        .malformed("packet 1: unexpected packet type 12 (trust)"),
        file(
            "truncated",
            "The last octet is missing.",
            &good[..good.len() - 1],
        )
        .malformed(format!(
            "packet 0: packet claims {} bytes, {} are left",
            good.len() - 2,
            good.len() - 3
        )),
        file(
            "truncated-header",
            "Nothing but the first octet.",
            &good[..1],
        )
        .malformed("packet 0: damaged packet header"),
        file("empty", "No octet.", "").malformed(EMPTY),
        file("white-space", "Nothing but white space.", " \r\n\t\n").malformed(EMPTY),
        file(
            "text",
            "Text that is no signature.",
            "This is not a signature.\n",
        )
        .malformed(NOT_OPENPGP),
        file(
            "marker",
            "A marker packet before a good signature.",
            with(&[&marker(), &good]),
        )
        .verified(&alice),
        file(
            "padding",
            "A padding packet after a good signature.",
            with(&[&good, &padding(20)]),
        )
        .verified(&alice),
        file(
            "marker-alone",
            "A marker packet and nothing else.",
            marker(),
        )
        .malformed("no signature packet"),
        file(
            "unknown-critical-22",
            "An unknown packet of a critical type, 22, after a good signature.",
            with(&[&good, &unknown(22)]),
        )
        .malformed("packet 1: unknown critical packet type 22"),
        file(
            "unknown-critical-39",
            "An unknown packet of the last critical type, 39, before a good signature.",
            with(&[&unknown(39), &good]),
        )
        .malformed("packet 0: unknown critical packet type 39"),
        file(
            "unknown-40",
            "An unknown packet of the first type that is not critical, 40.",
            with(&[&unknown(40), &good]),
        )
        .verified(&alice),
        file(
            "unknown-63",
            "An unknown packet of the last type, which is private.",
            with(&[&good, &unknown(63)]),
        )
        .verified(&alice),
        file(
            "clear-signed",
            "A clear-signed text.",
            clearsign("tool 1.0\nfirst release\n", &alice, super::SIGNED),
        )
        .malformed("this is a clear-signed text, not a detached signature"),
    ]
}

fn headers() -> Vec<Vector> {
    let alice = alice();
    let body = binary().sign_body(&alice, Over::Data(DATA));
    let case = |name: &str, description: &str, length| {
        file(
            &format!("header-{name}"),
            description,
            packet_with(tag::SIGNATURE, length, &body),
        )
    };
    let no_length = "packet 0: packet type 2 without a fixed length";
    let wide = packet_with(
        tag::SIGNATURE,
        Length::NewTwoOctets,
        &binary()
            .with_hashed(crate::Subpacket::raw(60, [0; 200]))
            .sign_body(&alice, Over::Data(DATA)),
    );
    vec![
        case(
            "old",
            "An old format header, as gpg writes it.",
            Length::Old,
        )
        .verified(&alice),
        case(
            "old-2",
            "An old format header of two length octets.",
            Length::OldTwoOctets,
        )
        .verified(&alice),
        case(
            "old-4",
            "An old format header of four length octets.",
            Length::OldFourOctets,
        )
        .verified(&alice),
        case(
            "new-5",
            "A new format header of five length octets.",
            Length::NewFiveOctets,
        )
        .verified(&alice),
        file(
            "header-new-2",
            "A new format header of two length octets.",
            wide,
        )
        .verified(&alice),
        case("partial", "Partial body lengths.", Length::Partial(4)).malformed(no_length),
        case(
            "indeterminate",
            "An indeterminate length.",
            Length::OldIndeterminate,
        )
        .malformed(no_length),
        case("huge", "A length of 4 GiB.", Length::Claimed(u32::MAX)).malformed(format!(
            "packet 0: packet claims 4294967295 bytes, {} are left",
            body.len()
        )),
    ]
}

fn armored() -> Vec<Vector> {
    let alice = alice();
    let block = armor(ArmorKind::Signature, &sign(&alice), ArmorChecksum::Present);
    let case = |name: &str, description: &str, text: String| {
        file(&format!("armor-{name}"), description, text)
    };
    let damaged = |detail: &str| format!("damaged ASCII armor: {detail}");
    let other = |kind| armor(kind, &sign(&alice), ArmorChecksum::Present);
    let begin = "-----BEGIN PGP SIGNATURE-----\n";
    vec![
        case("plain", "Armor.", block.clone()).verified(&alice),
        case(
            "headers",
            "Armor with headers.",
            armor_with(
                ArmorKind::Signature,
                &["Version: GnuPG v2", "Comment: any: text"],
                &sign(&alice),
                ArmorChecksum::Present,
            ),
        )
        .verified(&alice),
        case("crlf", "Armor with CRLF.", block.replace('\n', "\r\n")).verified(&alice),
        case(
            "no-checksum",
            "Armor without a checksum.",
            armor(ArmorKind::Signature, &sign(&alice), ArmorChecksum::Absent),
        )
        .verified(&alice),
        case(
            "wrong-checksum",
            "Armor with a wrong checksum, for which RFC 9580 forbids to refuse it.",
            armor(ArmorKind::Signature, &sign(&alice), ArmorChecksum::Wrong),
        )
        .verified(&alice),
        case(
            "empty-lines",
            "Empty lines around the armor.",
            format!("\n\r\n{block}\n \n"),
        )
        .verified(&alice),
        case(
            "spaces",
            "Spaces at the ends of lines.",
            block.replace('\n', "  \n"),
        )
        .verified(&alice),
        case(
            "two-blocks",
            "Two blocks, of which the second is good.",
            format!(
                "{}{block}",
                armor(
                    ArmorKind::Signature,
                    &sign(&super::mallory()),
                    ArmorChecksum::Present
                )
            ),
        )
        .verified_beside(&[super::Signer::primary(&alice)], &["unknown-issuer"]),
        case(
            "text-before",
            "Text before the block.",
            format!("Signature:\n{block}"),
        )
        .malformed(NOT_OPENPGP),
        case(
            "text-after",
            "Text after the block.",
            format!("{block}bye\n"),
        )
        .malformed(damaged("text outside the armored block")),
        case(
            "text-between",
            "Text between two blocks.",
            format!("{block}and\n{block}"),
        )
        .malformed(damaged("text outside the armored block")),
        case(
            "binary-after",
            "A binary packet after the block.",
            format!("{block}\u{80}"),
        )
        .malformed(damaged("text outside the armored block")),
        case(
            "no-end",
            "No END line.",
            block.replace("-----END PGP SIGNATURE-----\n", ""),
        )
        .malformed(damaged("no END line")),
        case(
            "other-end",
            "The END line of a message.",
            block.replace("END PGP SIGNATURE", "END PGP MESSAGE"),
        )
        .malformed(damaged("BEGIN and END lines differ")),
        case(
            "no-empty-line",
            "No empty line before the data.",
            block.replace("-----\n\n", "-----\n"),
        )
        .malformed(damaged("malformed armor header")),
        case(
            "broken-base64",
            "A character that is not base64.",
            block.replace(&format!("{begin}\nwn"), &format!("{begin}\n*n")),
        )
        .malformed(damaged("invalid base64")),
        case(
            "message",
            "The armor of a message.",
            other(ArmorKind::Message),
        )
        .malformed(MESSAGE),
        case(
            "key",
            "The armor of a certificate.",
            other(ArmorKind::PublicKey),
        )
        .malformed(KEY),
        case(
            "other-kind",
            "The armor of something unknown.",
            block.replace("PGP SIGNATURE", "PGP NOTHING"),
        )
        .malformed(damaged("armored block of the wrong kind")),
        case(
            "key-inside",
            "A certificate in the armor of a signature.",
            armor(
                ArmorKind::Signature,
                &certificate(&alice),
                ArmorChecksum::Present,
            ),
        )
        .malformed(KEY),
        case(
            "nothing-inside",
            "Armor around nothing.",
            armor(ArmorKind::Signature, &[], ArmorChecksum::Absent),
        )
        .malformed("no signature packet"),
    ]
}
