//! What a directory served for an address: certificates, each with its state.

use std::fmt;

use countersign_verify::{
    Assessment, Certificate, KeyRevocation, Policy, Timestamp, UserIdStanding,
};

use crate::address::{Address, Method};
use crate::fetch_error::FetchError;

/// The certificates for an address, as the directory of its domain has them. There is at least one.
#[derive(Debug, Clone)]
pub struct Fetched {
    url: String,
    method: Method,
    octets: Vec<u8>,
    certificates: Vec<FetchedCertificate>,
    others: usize,
}

/// A certificate with a valid user id for the address that it was asked for. Says nothing about whether it is to be trusted.
#[derive(Debug, Clone)]
pub struct FetchedCertificate {
    certificate: Certificate,
    assessment: Assessment,
    state: State,
}

/// Whether a certificate is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Neither revoked nor expired.
    InForce,
    /// Its primary key has expired.
    Expired {
        /// Since when.
        since: Timestamp,
    },
    /// Its primary key is revoked; it may have expired, too.
    Revoked(KeyRevocation),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InForce => f.write_str("in force"),
            Self::Expired { since } => write!(f, "expired since {since}"),
            Self::Revoked(revocation) => {
                write!(f, "revoked: {}", revocation.reason())?;
                match revocation.created() {
                    Some(created) => write!(f, ", {created}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl FetchedCertificate {
    /// The certificate, with all that was served of it.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What the verifier makes of it at the time of fetching, by the policy that everybody starts with.
    #[must_use]
    pub fn assessment(&self) -> &Assessment {
        &self.assessment
    }

    /// Whether it is in force at the time of fetching.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }
}

impl Fetched {
    /// The URL that answered: after redirects, where there were any.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The method that found it.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// All that was served, as it came: certificates that are not for the address included.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The certificates for the address, in the order in which they were served.
    #[must_use]
    pub fn certificates(&self) -> &[FetchedCertificate] {
        &self.certificates
    }

    /// How many certificates were served besides, without a valid user id for the address.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others
    }

    /// The certificates for the address alone.
    #[must_use]
    pub fn into_certificates(self) -> Vec<Certificate> {
        let all = self.certificates.into_iter();
        all.map(|own| own.certificate).collect()
    }

    pub(crate) fn judge(
        url: String,
        method: Method,
        octets: Vec<u8>,
        address: &Address,
        now: Timestamp,
    ) -> Result<Self, FetchError> {
        let Some(first) = octets.first() else {
            return Err(FetchError::Empty { url });
        };
        /// Set in the first octet of every packet (RFC 9580, section 4.2).
        const PACKET_BIT: u8 = 0x80;
        if first & PACKET_BIT == 0 && has_armor(&octets) {
            return Err(FetchError::Armored { url });
        }
        let all = match Certificate::all_from_bytes(&octets) {
            Ok(all) => all,
            Err(error) => return Err(FetchError::Unreadable { url, error }),
        };
        let found = all.len();
        let judged = all
            .into_iter()
            .map(|certificate| FetchedCertificate::judge(certificate, now));
        let certificates: Vec<_> = judged.filter(|own| own.is_for(address)).collect();
        if certificates.is_empty() {
            let address = address.clone();
            return Err(FetchError::NotForAddress {
                url,
                address,
                found,
            });
        }
        Ok(Self {
            url,
            method,
            octets,
            others: found - certificates.len(),
            certificates,
        })
    }
}

impl FetchedCertificate {
    fn judge(certificate: Certificate, now: Timestamp) -> Self {
        let assessment = certificate.assess(&Policy::new(), now);
        let state = state(&assessment, now);
        Self {
            certificate,
            assessment,
            state,
        }
    }

    fn is_for(&self, address: &Address) -> bool {
        self.assessment.user_ids().iter().any(|id| {
            matches!(id.standing(), UserIdStanding::Certified { .. }) && address.matches(id.text())
        })
    }
}

fn state(assessment: &Assessment, now: Timestamp) -> State {
    let primary = assessment.primary();
    // One of a later date has been made all the same: whoever publishes it wants it to be heeded.
    if let Some(revocation) = primary.revocations().first() {
        return State::Revoked(*revocation);
    }
    match primary.expires() {
        Some(since) if since <= now => State::Expired { since },
        _ => State::InForce,
    }
}

/// Whether something that is not binary is armor: then it is told so.
fn has_armor(octets: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN PGP ";
    octets.windows(BEGIN.len()).any(|part| part == BEGIN)
}
