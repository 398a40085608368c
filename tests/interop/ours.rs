//! Our own verdicts.

use countersign::verify::{
    Certificate, ClearSigned, DetachedSignature, Policy, Report, Timestamp, Trust, Verifier,
    VerifyError,
};

/// The stable name of our verdict: `verified`, or that of the first reason against it.
pub(crate) fn verdict(
    certificate: &[u8],
    signature: &[u8],
    data: &[u8],
    now: Timestamp,
) -> &'static str {
    match report(certificate, signature, data, now, Policy::new()) {
        Ok(_) => "verified",
        Err(name) => name,
    }
}

/// The report on good signatures, or the stable name of the first reason.
pub(crate) fn report(
    certificate: &[u8],
    signature: &[u8],
    data: &[u8],
    now: Timestamp,
    policy: Policy,
) -> Result<Report, &'static str> {
    let verifier = verifier(certificate, policy)?;
    let name = |error: VerifyError| error.name();
    let signature = DetachedSignature::from_bytes(signature).map_err(|error| name(error.into()))?;
    let verified = verifier.verify(&signature, data, now).map_err(name)?;
    Ok(verified.report().clone())
}

/// The names in a clear-signed manifest, or the stable name of the first reason.
pub(crate) fn clear_signed(
    certificate: &[u8],
    text: &[u8],
    now: Timestamp,
) -> Result<Vec<String>, &'static str> {
    let verifier = verifier(certificate, Policy::new())?;
    let manifest = ClearSigned::from_bytes(text)
        .and_then(|text| verifier.verify_clear_signed(&text, now))
        .map_err(|error| error.name())?;
    let names = manifest
        .artifacts()
        .iter()
        .map(|own| own.name().to_string());
    Ok(names.collect())
}

fn verifier(certificate: &[u8], policy: Policy) -> Result<Verifier, &'static str> {
    let certificates = Certificate::all_from_bytes(certificate).map_err(|_| "unusable-key-file")?;
    let trust = Trust::embedded(certificates).map_err(|_| "no-trust")?;
    Ok(Verifier::new(trust, policy))
}
