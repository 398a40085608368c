//! Certificate files.

use countersign_testkit::{ArmorChecksum, ArmorKind, armor};
use countersign_verify::{Certificate, CertificateError, DetachedSignature, Policy, Source, Trust, limits};

use crate::fixture::{FIXTURES, MANIFEST, NOW, trusting};
use crate::outcome::{described, verified};

/// Above this the costlier comparisons are left out: they are quadratic in the number of certificates.
const COMPARED_BELOW: usize = 16 * 1024;

/// Any certificate file: what is parsed and printed parses to the same and prints as the same, armored or not; a file given
/// twice says no more than once; and no certificate makes a known signature that of somebody else.
///
/// # Panics
/// Where that does not hold.
pub fn certificate(data: &[u8]) {
    let certificates = match Certificate::all_from_bytes(data) {
        Ok(certificates) => certificates,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let too_large = matches!(error, CertificateError::TooLarge { .. });
            assert_eq!(too_large, data.len() > limits::CERTIFICATE_FILE_BYTES);
            assert_eq!(
                Certificate::from_bytes(data).map(|own| own.to_bytes()),
                Err(error)
            );
            return;
        }
    };
    assert!(data.len() <= limits::CERTIFICATE_FILE_BYTES);
    assert!((1..=limits::CERTIFICATES).contains(&certificates.len()));
    for own in &certificates {
        assert!(own.user_ids().all(|id| {
            // A replacement character takes three octets in place of one.
            id.len() <= 3 * limits::USER_ID_BYTES
        }));
    }
    for own in &certificates {
        let assessment = own.assess(&Policy::new(), NOW);
        assert_eq!(assessment.user_ids().len(), own.user_ids().count());
        assert_eq!(assessment.subkeys().len() + 1, own.keys().count());
        assert_eq!(assessment.primary().fingerprint(), own.fingerprint());
    }
    let mut fingerprints: Vec<_> = certificates.iter().map(Certificate::fingerprint).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), certificates.len(), "one stands twice");
    match Certificate::from_bytes(data) {
        Ok(one) => assert_eq!(
            (1, one.to_bytes()),
            (certificates.len(), certificates[0].to_bytes())
        ),
        Err(CertificateError::NotExactlyOne { found }) => {
            assert!(found == certificates.len() && found > 1);
        }
        Err(other) => panic!("one of several: {other}"),
    }

    let printed = print(&certificates);
    assert!(printed.len() <= data.len(), "printing adds nothing");
    same(&certificates, &printed);
    if data.len() > COMPARED_BELOW {
        return;
    }
    let armored = armor(ArmorKind::PublicKey, &printed, ArmorChecksum::Present);
    same(&certificates, armored.as_bytes());

    let Ok(trust) = Trust::embedded(certificates.clone()) else {
        panic!("certificates are a trust set");
    };
    let once = trusting(trust);
    let twice = [&certificates, &certificates].map(|all| all.to_vec());
    let [one, other] = twice;
    let sources = vec![Source::embedded(one), Source::new("other", other)];
    let twice = Trust::from_sources(sources, Default::default());
    let twice = trusting(twice.expect("a source agrees with itself"));
    for known in FIXTURES.iter() {
        let signature = DetachedSignature::from_bytes(&known.signature);
        let signature = signature.expect("the signature of a fixture is one");
        let outcome = verified(&once, &signature, MANIFEST, NOW);
        let expected = (known.primary.clone(), known.signer.clone());
        assert!(outcome.good.iter().all(|good| *good == expected));
        assert_eq!(
            outcome,
            verified(&twice, &signature, MANIFEST, NOW),
            "a certificate merged with itself says something else"
        );
        let changed = [MANIFEST, b"x"].concat();
        let refused = verified(&once, &signature, &changed, NOW);
        assert!(!refused.holds, "other data were accepted");
    }
}

fn print(certificates: &[Certificate]) -> Vec<u8> {
    certificates
        .iter()
        .flat_map(Certificate::to_bytes)
        .collect()
}

fn same(certificates: &[Certificate], printed: &[u8]) {
    let again = match Certificate::all_from_bytes(printed) {
        Ok(again) => again,
        // Armor makes a file a third larger.
        Err(CertificateError::TooLarge { .. }) => return,
        Err(error) => panic!("what was printed is refused: {error}"),
    };
    let all = |from: &[Certificate]| from.iter().map(described).collect::<Vec<_>>();
    assert_eq!(all(&again), all(certificates));
    assert_eq!(print(&again), print(certificates));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_property_is_not_empty() {
        for known in FIXTURES.iter() {
            let own = Certificate::from_bytes(&known.certificate).expect("a certificate");
            let verifier = trusting(Trust::embedded(vec![own]).expect("a trust set"));
            let signature = DetachedSignature::from_bytes(&known.signature).expect("a signature");
            assert!(verified(&verifier, &signature, MANIFEST, NOW).holds);
            assert!(verified(&crate::fixture::ALL, &signature, MANIFEST, NOW).holds);
        }
    }
}
