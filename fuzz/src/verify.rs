//! A release whose signature holds, edited: its certificate, its signature, its manifest, and the time of checking.

use countersign_verify::{
    Certificate, DetachedSignature, Manifest, Source, Timestamp, Trust, Verifier, VerifyError,
};

use crate::fixture::{
    FIXTURES, Fixture, Form, MANIFEST, NOW, SIGNED, same_but_for_line_ends, trusting,
};
use crate::outcome::Outcome;

/// An input is a program: the number of a fixture, a time, then edits until it ends. An edit is a part, an operation, two
/// octets of offset, one of length and, where the operation wants some, that many octets.
///
/// However the release is edited, only the manifest that was signed passes (a text signature: but for line ends), and only
/// by the key that signed it. With a second source that is not edited that holds whatever the certificate has become.
///
/// # Panics
/// Where that does not hold.
pub fn verify(data: &[u8]) {
    run(data);
}

/// Which verifications held: by the edited certificate alone, and where the original must agree.
fn run(data: &[u8]) -> [bool; 2] {
    let mut program = Program(data);
    let known = &FIXTURES[usize::from(program.octet()) % FIXTURES.len()];
    let now = time(program.octet());
    let mut release = Release::of(known);
    release.edit(&mut program);
    let Ok(signature) = DetachedSignature::from_bytes(&release.signature) else {
        return [false; 2];
    };
    let Ok(certificates) = Certificate::all_from_bytes(&release.certificate) else {
        return [false; 2];
    };
    let alone = Trust::embedded(certificates.clone()).expect("certificates are a trust set");
    let alone = holds(&trusting(alone), &signature, &release.manifest, now);
    let original = Certificate::from_bytes(&known.certificate).expect("a certificate");
    let sources = vec![
        Source::embedded(vec![original]),
        Source::new("edited", certificates),
    ];
    // An edited key is another key, and then nothing is in common.
    let both = Trust::from_sources(sources, Default::default()).is_ok_and(|trust| {
        let own = trust.fingerprints().map(|own| own.to_string());
        assert_eq!(own.collect::<Vec<_>>(), [known.primary.as_str()]);
        holds(&trusting(trust), &signature, &release.manifest, now)
    });
    [alone, both]
}

fn holds(
    verifier: &Verifier,
    signature: &DetachedSignature,
    manifest: &[u8],
    now: Timestamp,
) -> bool {
    let result = verifier.verify_bytes(signature, manifest, now);
    let outcome = Outcome::new(&result, |proof| proof.report());
    if let Ok(proof) = &result {
        for good in proof.report().good() {
            assert!(good.created().unix() == u64::from(SIGNED) && good.created() <= now);
        }
    }
    for (certificate, key) in &outcome.good {
        let signed = FIXTURES.iter().find(|own| own.signer == *key);
        let signed = signed.unwrap_or_else(|| panic!("{key} never signed anything"));
        assert_eq!(signed.primary, *certificate);
        match signed.form {
            Form::Binary => assert!(manifest == MANIFEST, "another manifest passed"),
            Form::Text => assert!(
                same_but_for_line_ends(manifest, MANIFEST),
                "another manifest passed"
            ),
        }
    }
    let octets = Manifest::from_bytes(manifest).expect("an edited manifest stays small");
    match verifier.verify_manifest(&octets, signature, now) {
        Ok(parsed) => {
            assert!(outcome.holds);
            let names = parsed.artifacts().iter().map(|own| own.name().as_str());
            assert!(names.eq(["tool-1.0.tar.gz", "bin/tool"]));
        }
        Err(VerifyError::Refused(_)) => assert!(!outcome.holds),
        Err(other) => panic!("it was signed as a manifest: {other}"),
    }
    outcome.holds
}

/// Mostly a day after the release, else before it or long after.
fn time(choice: u8) -> Timestamp {
    match choice % 8 {
        0 => Timestamp::from_unix(u64::from(SIGNED) - 3_600),
        1 => Timestamp::from_unix(u64::from(SIGNED)),
        2 => Timestamp::from_unix(u64::from(u32::MAX)),
        3 => Timestamp::from_unix(u64::MAX),
        _ => NOW,
    }
}

struct Release {
    certificate: Vec<u8>,
    signature: Vec<u8>,
    manifest: Vec<u8>,
}

impl Release {
    fn of(known: &Fixture) -> Self {
        Self {
            certificate: known.certificate.clone(),
            signature: known.signature.clone(),
            manifest: MANIFEST.to_vec(),
        }
    }

    fn edit(&mut self, program: &mut Program<'_>) {
        /// More edits than an attack needs, few enough that the input stays small.
        const EDITS: usize = 32;
        /// No part grows beyond that: what is larger was measured elsewhere.
        const PART_BYTES: usize = 32 * 1024;
        for _ in 0..EDITS {
            if program.0.is_empty() {
                break;
            }
            let choice = program.octet();
            let operation = program.octet();
            let offset = usize::from(program.octet()) << 8 | usize::from(program.octet());
            let length = usize::from(program.octet());
            let part = match choice % 3 {
                0 => &mut self.certificate,
                1 => &mut self.signature,
                _ => &mut self.manifest,
            };
            let start = offset % (part.len() + 1);
            let end = (start + length).min(part.len());
            match operation % 8 {
                // Other octets in the place of as many.
                0 => {
                    let other = program.octets(end - start);
                    part[start..start + other.len()].copy_from_slice(other);
                }
                1 => {
                    let more = program.octets(length).to_vec();
                    part.splice(start..start, more);
                }
                2 => drop(part.drain(start..end)),
                3 => {
                    let again = part[start..end].to_vec();
                    part.extend(again);
                }
                // One bit.
                4 => {
                    if let Some(octet) = part.get_mut(start) {
                        *octet ^= 1 << (length % 8);
                    }
                }
                // What another release has in that place, whole or in part.
                5 => {
                    let other = other_part(choice, length);
                    part.splice(start.., other.iter().copied());
                }
                6 => {
                    let other = other_part(choice, length);
                    part.splice(start..start, other.iter().copied());
                }
                _ => *part = program.octets(program.0.len()).to_vec(),
            }
            part.truncate(PART_BYTES);
        }
    }
}

fn other_part(choice: u8, length: usize) -> &'static [u8] {
    let other = &FIXTURES[length % FIXTURES.len()];
    match choice % 3 {
        0 => &other.certificate,
        1 => &other.signature,
        _ => MANIFEST,
    }
}

/// What is left of an input; after its end there are zeros.
struct Program<'a>(&'a [u8]);

impl<'a> Program<'a> {
    fn octet(&mut self) -> u8 {
        self.octets(1).first().copied().unwrap_or_default()
    }

    fn octets(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::WITH_SUBKEY;

    /// A time that [`time`] turns into [`NOW`].
    const LATER: u8 = 4;

    fn fixtures() -> impl Iterator<Item = u8> {
        0..u8::try_from(FIXTURES.len()).expect("a handful")
    }

    #[test]
    fn unedited_releases_hold() {
        for fixture in fixtures() {
            assert_eq!(run(&[fixture, LATER]), [true; 2], "{fixture}");
            assert_eq!(run(&[fixture, 0]), [false; 2], "{fixture}: too early");
        }
    }

    #[test]
    fn any_bit_of_a_manifest_counts() {
        let size = u16::try_from(MANIFEST.len()).expect("a small manifest");
        for fixture in fixtures() {
            for at in 0..size {
                let [high, low] = at.to_be_bytes();
                let bit = (at % 8) as u8;
                assert_eq!(run(&[fixture, LATER, 2, 4, high, low, bit]), [false; 2]);
            }
        }
    }

    #[test]
    fn line_ends_count_in_binary_signatures_alone() {
        let end = MANIFEST.iter().position(|octet| *octet == b'\n').unwrap();
        let end = u8::try_from(end).expect("a short first line");
        for (fixture, known) in fixtures().zip(FIXTURES.iter()) {
            let expected = [known.form == Form::Text; 2];
            assert_eq!(
                run(&[fixture, LATER, 2, 1, 0, end, 1, b'\r']),
                expected,
                "{fixture}"
            );
        }
    }

    #[test]
    fn another_certificate_does_not_hold() {
        for fixture in fixtures() {
            let other = (fixture + 1) % u8::try_from(FIXTURES.len()).expect("a handful");
            let replaced = [fixture, LATER, 0, 5, 0, 0, other];
            assert_eq!(run(&replaced), [false; 2]);
            // Appended, it takes nothing away; a source may hold more keys than another.
            let both = [fixture, LATER, 0, 6, 0, 0, other];
            assert_eq!(run(&both), [true; 2]);
        }
    }

    #[test]
    fn a_lost_binding_is_made_good_by_the_other_source() {
        /// Where the subkey begins: everything after it goes.
        fn subkey_at(known: &Fixture) -> u16 {
            let simple = countersign_testkit::simple_certificate;
            let key = countersign_testkit::Key::ed25519_legacy([4; 32], crate::fixture::CREATED);
            let head = simple(&key, crate::fixture::USER_ID, crate::fixture::CREATED);
            assert!(known.certificate.len() > head.len());
            u16::try_from(head.len()).expect("a small certificate")
        }
        for fixture in WITH_SUBKEY {
            let [high, low] = subkey_at(&FIXTURES[fixture]).to_be_bytes();
            let fixture = u8::try_from(fixture).expect("a handful");
            let cut = [0, 2, high, low, 255];
            let program = [&[fixture, LATER][..], &cut, &cut, &cut].concat();
            assert_eq!(run(&program), [false, true], "{fixture}");
        }
    }
}
