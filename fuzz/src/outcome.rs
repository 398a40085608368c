//! What came of a verification, in a form that can be compared and that is checked for what holds of every outcome.

use countersign_verify::{Certificate, DetachedSignature, Report, Timestamp, VerifyError, limits};

/// Good and refused signatures: names alone, in the order reported.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) holds: bool,
    /// For each good signature the certificate and the key.
    pub(crate) good: Vec<(String, String)>,
    pub(crate) refused: Vec<&'static str>,
}

impl Outcome {
    /// Of a verification of at least one signature whose data could be read.
    ///
    /// # Panics
    /// Where the report contradicts the outcome, or something of it cannot be shown.
    pub(crate) fn new<T>(
        result: &Result<T, VerifyError>,
        report: impl FnOnce(&T) -> &Report,
    ) -> Self {
        let report = match result {
            Ok(proof) => report(proof),
            Err(VerifyError::Refused(refusal)) => {
                assert!(!refusal.to_string().is_empty());
                assert_stable(refusal.name());
                let report = refusal.report();
                assert!(report.distinct_certificates() < refusal.needed());
                report
            }
            Err(other) => panic!("neither good nor refused: {other}"),
        };
        let count = report.good().len() + report.refused().len();
        assert!(
            (1..=limits::SIGNATURES).contains(&count),
            "{count} signatures"
        );
        for refused in report.refused() {
            assert!(!refused.reason().to_string().is_empty());
            assert_stable(refused.reason().name());
        }
        Self {
            holds: result.is_ok(),
            good: report
                .good()
                .iter()
                .map(|good| (good.certificate().to_string(), good.key().to_string()))
                .collect(),
            refused: report
                .refused()
                .iter()
                .map(|refused| refused.reason().name())
                .collect(),
        }
    }

    /// How many signatures there were.
    pub(crate) fn count(&self) -> usize {
        self.good.len() + self.refused.len()
    }
}

/// The outcome for data in memory.
pub(crate) fn verified(
    verifier: &countersign_verify::Verifier,
    signature: &DetachedSignature,
    data: &[u8],
    now: Timestamp,
) -> Outcome {
    Outcome::new(&verifier.verify_bytes(signature, data, now), |proof| {
        proof.report()
    })
}

/// What a certificate says of itself.
pub(crate) fn described(certificate: &Certificate) -> (String, String, u64, Vec<String>) {
    (
        certificate.fingerprint().to_string(),
        certificate.algorithm().to_string(),
        certificate.created().unix(),
        certificate.user_ids().collect(),
    )
}

/// Names for scripts: lower case, digits and hyphens.
fn assert_stable(name: &str) {
    let fits = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    assert!(!name.is_empty() && name.bytes().all(fits), "name {name:?}");
}
