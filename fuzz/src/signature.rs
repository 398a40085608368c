//! Detached signature files and clear-signed texts.

use std::io::Write as _;

use countersign_testkit::{ArmorChecksum, ArmorKind, armor};
use countersign_verify::{
    ClearSigned, DetachedSignature, Detected, SignatureError, VerifyError, limits,
};

use crate::fixture::{ALL, FIXTURES, MANIFEST, NOW};
use crate::outcome::{Outcome, verified};

/// Any signature file: armored, in parts or whole, it says the same; it never speaks for data that nobody signed; beside a
/// good signature it takes nothing away from that.
///
/// # Panics
/// Where that does not hold.
pub fn signature(data: &[u8]) {
    clear_signed(data);
    let signature = match DetachedSignature::from_bytes(data) {
        Ok(signature) => signature,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let too_large = matches!(error, SignatureError::TooLarge { .. });
            assert_eq!(too_large, data.len() > limits::SIGNATURE_FILE_BYTES);
            return;
        }
    };
    assert!(data.len() <= limits::SIGNATURE_FILE_BYTES);
    let outcome = verified(&ALL, &signature, MANIFEST, NOW);
    for (certificate, key) in &outcome.good {
        let known = |own: &&crate::fixture::Fixture| own.signer == *key;
        let known = FIXTURES.iter().find(known).expect("a stranger signed");
        assert_eq!(known.primary, *certificate);
    }

    let changed = [MANIFEST, b"x"].concat();
    let other = verified(&ALL, &signature, &changed, NOW);
    assert!(other.good.is_empty(), "other data were accepted");
    assert_eq!(other.count(), outcome.count());

    for part in [1, 7, 64] {
        let mut writer = ALL.writer(&signature, Vec::new(), NOW);
        for part in MANIFEST.chunks(part) {
            writer.write_all(part).expect("a vector takes everything");
        }
        let result = writer.finish();
        if let Ok((_, passed_on)) = &result {
            assert_eq!(passed_on, MANIFEST);
        }
        let parts = Outcome::new(&result, |(proof, _)| proof.report());
        assert_eq!(parts, outcome, "parts of {part} octets");
    }

    // A packet header has its first bit set, which no text has.
    if data[0] & 0x80 != 0 {
        let armored = armor(ArmorKind::Signature, data, ArmorChecksum::Wrong);
        match DetachedSignature::from_bytes(armored.as_bytes()) {
            Ok(again) => assert_eq!(verified(&ALL, &again, MANIFEST, NOW), outcome),
            // Armor makes a file a third larger.
            Err(SignatureError::TooLarge { .. }) => {}
            Err(error) => panic!("refused in armor: {error}"),
        }
        for known in [&FIXTURES[0], &FIXTURES[1]] {
            let both = [data, &known.signature].concat();
            match DetachedSignature::from_bytes(&both) {
                Ok(both) => {
                    let both = verified(&ALL, &both, MANIFEST, NOW);
                    assert!(both.holds, "a good signature no longer suffices");
                    assert_eq!(both.count(), outcome.count() + 1);
                    assert_eq!(both.refused, outcome.refused);
                }
                Err(SignatureError::TooMany { .. } | SignatureError::TooLarge { .. }) => {}
                Err(error) => panic!("refused beside a good one: {error}"),
            }
        }
    }
}

/// Whatever is accepted was announced as such, is signed by one of ours, and is the manifest.
fn clear_signed(data: &[u8]) {
    let result = ClearSigned::from_bytes(data).and_then(|text| {
        assert_eq!(ClearSigned::is_clear_signed(data), Detected::ClearSigned);
        ALL.verify_clear_signed(&text, NOW)
    });
    match result {
        Ok(proof) => {
            assert!(!proof.report().good().is_empty());
            let mut names = proof.artifacts().iter().map(|own| own.name().as_str());
            assert!(names.by_ref().eq(["tool-1.0.tar.gz", "bin/tool"]));
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let own = !matches!(error, VerifyError::Read(_));
            assert!(own, "nothing is read: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_testkit::{Key, clearsign};

    use super::*;
    use crate::fixture::{CREATED, SIGNED};

    #[test]
    fn the_property_is_not_empty() {
        let text = std::str::from_utf8(MANIFEST).expect("text");
        let signed = clearsign(text, &Key::ed25519_legacy([2; 32], CREATED), SIGNED);
        let parsed = ClearSigned::from_bytes(signed.as_bytes()).expect("a clear-signed text");
        let proof = ALL.verify_clear_signed(&parsed, NOW);
        assert_eq!(proof.expect("it holds").artifacts().len(), 2);
    }
}
