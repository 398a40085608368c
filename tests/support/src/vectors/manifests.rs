//! Manifests, their artifacts, and clear-signed manifests.

use super::{BORN, Case, DATA, SIGNED, Signer, Vector, alice, binary, certificate, mallory};
use crate::{
    ArmorChecksum, ArmorKind, Damage, Hash, Over, SignatureBuilder, TestRsa, armor, clearsign,
    clearsign_by, clearsigned_parts, signature_type,
};

pub(super) fn cases() -> Vec<Vector> {
    [forms(), malformed(), artifacts(), clear_signed()].concat()
}

const TOOL: &[u8] = b"not really a tarball\n";

fn hex(hash: Hash, octets: &[u8]) -> String {
    hash.digest(octets)
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

fn sha256() -> String {
    hex(Hash::Sha256, TOOL)
}

/// A manifest that [`alice`] signed.
fn signed(name: &str, description: &str, text: impl AsRef<[u8]>) -> Case {
    let signature = binary().sign(&alice(), Over::Data(text.as_ref()));
    Case::new(format!("manifest/{name}"), description)
        .cert(certificate(&alice()))
        .manifest(text)
        .sig(signature)
}

fn forms() -> Vec<Vector> {
    let (a, alice) = (sha256(), alice());
    let case = |name: &str, description: &str, text: String, listed: &[&str]| {
        signed(name, description, text).lists(&alice, listed)
    };
    vec![
        case(
            "gnu-text",
            "GNU, text mark.",
            format!("{a}  tool\n"),
            &["tool"],
        ),
        case(
            "gnu-binary",
            "GNU, binary mark.",
            format!("{a} *tool\n"),
            &["tool"],
        ),
        case(
            "gnu-upper-case",
            "Upper-case digits.",
            format!("{}  tool\n", a.to_uppercase()),
            &["tool"],
        ),
        case(
            "gnu-escaped",
            "GNU, a name with a line feed, escaped.",
            format!("\\{a}  to\\nol\n"),
            &["to\nol"],
        ),
        case(
            "gnu-leading-space",
            "A name that begins with a space.",
            format!("{a}   tool\n"),
            &[" tool"],
        ),
        case(
            "gnu-sha384",
            "GNU, SHA-384.",
            format!("{}  tool\n", hex(Hash::Sha384, TOOL)),
            &["tool"],
        ),
        case(
            "gnu-sha512",
            "GNU, SHA-512.",
            format!("{}  tool\n", hex(Hash::Sha512, TOOL)),
            &["tool"],
        ),
        case(
            "bsd-sha256",
            "BSD, SHA-256.",
            format!("SHA256 (tool) = {a}\n"),
            &["tool"],
        ),
        case(
            "bsd-sha384",
            "BSD, SHA-384.",
            format!("SHA384 (tool) = {}\n", hex(Hash::Sha384, TOOL)),
            &["tool"],
        ),
        case(
            "bsd-sha512",
            "BSD, SHA-512.",
            format!("SHA512 (tool) = {}\n", hex(Hash::Sha512, TOOL)),
            &["tool"],
        ),
        case(
            "bsd-parentheses",
            "BSD, a name with parentheses and an equals sign.",
            format!("SHA256 (a (b) = c) = {a}\n"),
            &["a (b) = c"],
        ),
        case(
            "bsd-escaped",
            "BSD, a name with a carriage return, escaped.",
            format!("\\SHA256 (to\\rol) = {a}\n"),
            &["to\rol"],
        ),
        case(
            "crlf",
            "CRLF, comments and empty lines.",
            format!("# release 1.0\r\n\r\n{a}  tool\r\n#{a}  hidden\r\n"),
            &["tool"],
        ),
        case(
            "mixed",
            "Several forms in one manifest, kept in order.",
            format!("{a}  z\nSHA256 (a) = {a}\n{a} *m/n\n"),
            &["z", "a", "m/n"],
        ),
        case(
            "dot-slash",
            "One leading `./` is dropped.",
            format!("{a}  ./tool\n"),
            &["tool"],
        ),
        case(
            "no-last-line-end",
            "No line end after the last line.",
            format!("{a}  tool"),
            &["tool"],
        ),
        case(
            "name-with-dots",
            "Dots that are no parent directory.",
            format!("{a}  ..tool..\n"),
            &["..tool.."],
        ),
    ]
}

fn malformed() -> Vec<Vector> {
    let a = sha256();
    let case = |name: &str, description: &str, text: &[u8], message: &str| {
        signed(name, description, text).malformed_as("malformed-manifest", message)
    };
    let line = |name: &str, description: &str, line: String, message: &str| {
        case(
            name,
            description,
            format!("{a}  good\n{line}\n").as_bytes(),
            &format!("manifest line 2: {message}"),
        )
    };
    let not_a_line = "not a checksum line";
    let not_a_digest = "digest is not SHA-256, SHA-384 or SHA-512";
    let named = |name: &str, description: &str, listed: &str, message: &str| {
        line(name, description, format!("{a}  {listed}"), message)
    };
    vec![
        line(
            "line-text",
            "A line of text.",
            "and so on".to_owned(),
            not_a_line,
        ),
        line(
            "line-one-space",
            "One space before the name.",
            format!("{a} tool"),
            not_a_line,
        ),
        line(
            "line-tab",
            "A tab before the name.",
            format!("{a}\ttool"),
            not_a_line,
        ),
        line(
            "line-leading-space",
            "A space before the digest.",
            format!(" {a}  tool"),
            not_a_line,
        ),
        line(
            "line-digest-alone",
            "A digest without a name.",
            a.clone(),
            not_a_line,
        ),
        line(
            "line-bsd-length",
            "BSD, SHA512 with a digest of SHA-256.",
            format!("SHA512 (tool) = {a}"),
            not_a_line,
        ),
        line(
            "line-bsd-digits",
            "BSD, a digest that is not hexadecimal.",
            format!(
                "SHA256 (tool) = {}",
                a.replace(['a', 'b', 'c', 'd', 'e', 'f'], "g")
            ),
            not_a_line,
        ),
        line(
            "line-bad-escape",
            "An escape that GNU coreutils does not write.",
            format!("\\{a}  to\\tol"),
            not_a_line,
        ),
        line(
            "digest-short",
            "Two digits missing.",
            format!("{}  tool", &a[2..]),
            not_a_digest,
        ),
        line(
            "digest-md5",
            "MD5.",
            format!("{}  tool", hex(Hash::Md5, TOOL)),
            not_a_digest,
        ),
        line(
            "digest-sha1",
            "SHA-1.",
            format!("{}  tool", hex(Hash::Sha1, TOOL)),
            not_a_digest,
        ),
        line(
            "digest-sha224",
            "SHA-224.",
            format!("{}  tool", hex(Hash::Sha224, TOOL)),
            not_a_digest,
        ),
        line(
            "digest-bsd-sha1",
            "BSD, SHA1.",
            format!("SHA1 (tool) = {}", hex(Hash::Sha1, TOOL)),
            not_a_digest,
        ),
        line(
            "digest-bsd-sha3",
            "BSD, SHA3-256, as long as SHA-256.",
            format!("SHA3-256 (tool) = {}", hex(Hash::Sha3_256, TOOL)),
            not_a_digest,
        ),
        named(
            "name-absolute",
            "An absolute path.",
            "/etc/passwd",
            "absolute path",
        ),
        named(
            "name-drive",
            "A path with a drive letter.",
            "C:tool",
            "absolute path",
        ),
        named(
            "name-drive-after-dot",
            "A path with a drive letter behind `./`.",
            "./C:tool",
            "absolute path",
        ),
        named("name-parent", "`..` first.", "../tool", "path with `..`"),
        named(
            "name-parent-inside",
            "`..` inside.",
            "a/../../tool",
            "path with `..`",
        ),
        named("name-parent-last", "`..` last.", "a/..", "path with `..`"),
        named(
            "name-parent-after-dot",
            "`..` after the `./` that is dropped.",
            "./../tool",
            "path with `..`",
        ),
        named(
            "name-backslash",
            "A backslash.",
            "a\\b",
            "path with a backslash",
        ),
        line(
            "name-backslash-escaped",
            "A backslash, escaped.",
            format!("\\{a}  a\\\\b"),
            "path with a backslash",
        ),
        named(
            "name-nul",
            "A NUL byte.",
            "tool\0.txt",
            "path with a NUL byte",
        ),
        named(
            "name-empty-part",
            "An empty component.",
            "a//b",
            "path with an empty or `.` component",
        ),
        named(
            "name-dot-part",
            "A `.` component.",
            "a/./b",
            "path with an empty or `.` component",
        ),
        named(
            "name-folder",
            "A slash at the end.",
            "a/",
            "path with an empty or `.` component",
        ),
        named("name-empty", "No name.", "", "empty name"),
        named("name-dot-slash", "Nothing but `./`.", "./", "empty name"),
        case(
            "name-not-utf8",
            "A name that is not UTF-8.",
            &[a.as_bytes(), b"  \xff\n"].concat(),
            "manifest line 1: name is not UTF-8",
        ),
        named(
            "repeated",
            "A name twice.",
            "good",
            "`good` is already listed in line 1",
        ),
        named(
            "repeated-dot-slash",
            "A name twice, once with `./`.",
            "./good",
            "`good` is already listed in line 1",
        ),
        line(
            "repeated-bsd",
            "A name twice, in two forms.",
            format!("SHA256 (good) = {a}"),
            "`good` is already listed in line 1",
        ),
        case("empty", "No octet.", b"", "manifest lists no artifact"),
        case(
            "comments-alone",
            "Nothing but comments.",
            b"# nothing\n\n",
            "manifest lists no artifact",
        ),
        signed(
            "bad-signature",
            "The signature is judged before the manifest, malformed or not.",
            "and so on\n",
        )
        .sig(binary().sign(&alice(), Over::Data(b"something else\n")))
        .refused("bad-signature", "signature does not match the data"),
        signed(
            "tampered",
            "One digit of the manifest altered.",
            format!("{a}  tool\n"),
        )
        .manifest(format!("{}0  tool\n", &a[..63]))
        .refused("bad-signature", "signature does not match the data"),
        signed(
            "no-signature",
            "The signature file is empty.",
            format!("{a}  tool\n"),
        )
        .sig("")
        .malformed("no signature: the input is empty"),
    ]
}

fn artifacts() -> Vec<Vector> {
    let (a, alice) = (sha256(), alice());
    let case = |name: &str, description: &str| signed(name, description, format!("{a}  tool\n"));
    let differs = |given: &[u8]| {
        format!(
            "`tool` does not match: expected {a}, found {}",
            hex(Hash::Sha256, given)
        )
    };
    let refuse = |name: &str, description: &str, given: &[u8]| {
        case(name, description)
            .refused_artifact("tool", given, &differs(given))
            .lists(&alice, &["tool"])
    };
    vec![
        case("artifact-good", "The artifact that is listed.")
            .artifact("tool", TOOL)
            .lists(&alice, &["tool"]),
        signed(
            "artifact-sha512",
            "An artifact listed with SHA-512.",
            format!("{}  tool\n", hex(Hash::Sha512, TOOL)),
        )
        .artifact("tool", TOOL)
        .lists(&alice, &["tool"]),
        refuse(
            "artifact-altered",
            "One letter differs.",
            b"not really a tarbalL\n",
        ),
        refuse(
            "artifact-short",
            "The last octet is missing.",
            b"not really a tarball",
        ),
        refuse(
            "artifact-long",
            "One octet too many.",
            b"not really a tarball\n\n",
        ),
        refuse("artifact-empty", "An empty artifact.", b""),
        case("artifact-not-listed", "An artifact that is not listed.")
            .refused_artifact("other", TOOL, "`other` is not listed in the manifest")
            .lists(&alice, &["tool"]),
        case("artifact-case", "A name in other letters is another name.")
            .refused_artifact("Tool", TOOL, "`Tool` is not listed in the manifest")
            .lists(&alice, &["tool"]),
    ]
}

fn clear_signed() -> Vec<Vector> {
    let (a, alice) = (sha256(), alice());
    let text = format!("{a}  tool\n");
    let good = clearsign(&text, &alice, SIGNED);
    let case = |name: &str, description: &str, octets: &str| {
        Case::new(format!("clear-signed/{name}"), description)
            .cert(certificate(&alice))
            .clear_signed(octets)
    };
    let kind = "malformed-clear-signed-text";
    let outside = "text outside the clear-signed block";
    let bad = ("bad-signature", "signature does not match the data");
    let builder = || SignatureBuilder::new(signature_type::TEXT, SIGNED);
    let by = |signature: SignatureBuilder| clearsign_by(&text, &[(&alice, signature)]);
    let after = "damaged ASCII armor: text outside the armored block";
    let rsa = crate::Key::rsa(TestRsa::Rsa3072A, BORN);
    vec![
        case("good", "A clear-signed manifest.", &good)
            .artifact("tool", TOOL)
            .lists(&alice, &["tool"]),
        Case::new("clear-signed/rsa-sha512", "Signed by RSA with SHA-512.")
            .cert(certificate(&rsa))
            .clear_signed(clearsign_by(
                &text,
                &[(&rsa, builder().with_hash(Hash::Sha512))],
            ))
            .finish(
                "verified",
                "artifacts = [\"tool\"]\n",
                &[Signer::primary(&rsa).with_hash("SHA-512")],
                &[],
                None,
            ),
        case("crlf", "CRLF throughout.", &good.replace('\n', "\r\n")).lists(&alice, &["tool"]),
        case(
            "trailing-white-space",
            "Spaces and tabs at the end of a line are not hashed, and not part of the manifest.",
            &good.replace("  tool\n", "  tool \t\n"),
        )
        .lists(&alice, &["tool"]),
        case(
            "white-space-around",
            "White space before and after the block.",
            &format!("\n \n{good}\n\t\n"),
        )
        .lists(&alice, &["tool"]),
        case(
            "no-hash-header",
            "Without a Hash header, as RFC 9580 would have it.",
            &good.replace("Hash: SHA256\n", ""),
        )
        .lists(&alice, &["tool"]),
        case(
            "wrong-hash-header",
            "A Hash header that names another hash, which says nothing.",
            &good.replace("Hash: SHA256", "Hash: MD5"),
        )
        .lists(&alice, &["tool"]),
        case(
            "escaped",
            "Every line is dash-escaped, also where it need not be.",
            &good.replace(&a, &format!("- {a}")),
        )
        .lists(&alice, &["tool"]),
        case(
            "comment-with-dash",
            "A comment that begins with a dash has to be escaped, and is no checksum line.",
            &clearsign(&format!("-- \n{text}"), &alice, SIGNED),
        )
        .malformed_as("malformed-manifest", "manifest line 1: not a checksum line"),
        case(
            "two-signatures",
            "A stranger's signature, then a good one.",
            &clearsign_by(&text, &[(&mallory(), builder()), (&alice, builder())]),
        )
        .finish(
            "verified",
            "artifacts = [\"tool\"]\n",
            &[Signer::primary(&alice)],
            &["unknown-issuer"],
            None,
        ),
        case(
            "type-binary",
            "A binary signature, type 0x00.",
            &by(builder().with_type(0)),
        )
        .refused(
            "unsupported-type",
            "signature type 0x00 is not a signature over data",
        ),
        case(
            "sha1",
            "A signature in SHA-1.",
            &by(builder().with_hash(Hash::Sha1)),
        )
        .refused("weak-hash", "weak hash SHA-1"),
        case(
            "bad",
            "A signature that does not hold.",
            &by(builder().with_damage(Damage::FlipBit(0))),
        )
        .refused(bad.0, bad.1),
        case(
            "tampered",
            "The name altered.",
            &good.replace("  tool\n", "  fool\n"),
        )
        .refused(bad.0, bad.1),
        case(
            "line-added",
            "A line added.",
            &good.replace("  tool\n", &format!("  tool\n{a}  evil\n")),
        )
        .refused(bad.0, bad.1),
        case(
            "empty-line-added",
            "An empty line added.",
            &good.replace("  tool\n", "  tool\n\n"),
        )
        .refused(bad.0, bad.1),
        case(
            "text-before",
            "Text before the block.",
            &format!("{a}  evil\n{good}"),
        )
        .malformed_as(kind, outside),
        case(
            "text-after",
            "Text after the block.",
            &format!("{good}{a}  evil\n"),
        )
        .malformed(after),
        case("twice", "Two clear-signed texts.", &format!("{good}{good}"))
            .malformed("this is a clear-signed text, not a detached signature"),
        case(
            "other-header",
            "A header that is not Hash.",
            &good.replace("Hash: SHA256\n", "Hash: SHA256\nComment: trust me\n"),
        )
        .malformed_as(
            kind,
            "line 3: only `Hash` headers may precede a clear-signed text",
        ),
        case(
            "text-as-header",
            "A checksum line where headers stand.",
            &good.replace("Hash: SHA256\n", &format!("{a}  evil\n")),
        )
        .malformed_as(
            kind,
            "line 2: only `Hash` headers may precede a clear-signed text",
        ),
        case(
            "no-empty-line",
            "No empty line between headers and text.",
            &good.replace("SHA256\n\n", "SHA256\n"),
        )
        .malformed_as(
            kind,
            "line 3: only `Hash` headers may precede a clear-signed text",
        ),
        case(
            "unescaped-dash",
            "A dash that is not escaped.",
            &good.replace("  tool\n", "  tool\n-- \n"),
        )
        .malformed_as(kind, "line 5: a dash that is not escaped"),
        case(
            "unescaped-begin",
            "A BEGIN line inside the text.",
            &good.replace("  tool\n", "  tool\n-----BEGIN PGP SIGNED MESSAGE-----\n"),
        )
        .malformed_as(kind, "line 5: a dash that is not escaped"),
        case(
            "no-signature",
            "The text ends without a signature.",
            &clearsigned_parts(&["Hash: SHA256"], &text, ""),
        )
        .malformed_as(kind, "no signature follows the text"),
        case(
            "message-armor",
            "An armored message follows the text.",
            &clearsigned_parts(
                &["Hash: SHA256"],
                &text,
                &armor(ArmorKind::Message, DATA, ArmorChecksum::Absent),
            ),
        )
        .malformed_as(kind, "line 5: a dash that is not escaped"),
        case(
            "empty-armor",
            "The armor after the text holds nothing.",
            &clearsigned_parts(
                &["Hash: SHA256"],
                &text,
                &armor(ArmorKind::Signature, &[], ArmorChecksum::Absent),
            ),
        )
        .malformed("no signature packet"),
        case(
            "truncated",
            "The END line is missing.",
            &good.replace("-----END PGP SIGNATURE-----\n", ""),
        )
        .malformed("damaged ASCII armor: no END line"),
        case(
            "not-clear-signed",
            "A manifest without any signature.",
            &text,
        )
        .malformed_as(kind, "not a clear-signed text"),
    ]
}
