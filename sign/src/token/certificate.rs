//! X.509 certificates for keys that have none (RFC 5280), and requests for them (RFC 2986): signed by any signer.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verify::Timestamp;
use sha2::{Digest as _, Sha256};
use x509_cert::Certificate;
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::asn1::{
    Any, BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString, SetOfVec, UintRef,
    UtcTime, Utf8StringRef,
};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Decode as _, Encode, EncodePem as _};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::request::{CertReq, CertReqInfo};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use super::jws::{self, Algorithm, JwsError, UnsupportedKey, Verifying};
use crate::public_key::{PublicKey, PublicKeyError};
use crate::signer::Signer;

/// Octets of a file of certificates.
pub const CHAIN_FILE_OCTETS: usize = 256 * 1024;

/// Certificates of one chain. The web's have three.
pub const CHAIN_LENGTH: usize = 8;

/// Characters of a common name (RFC 5280, appendix A.1: ub-common-name).
const COMMON_NAME_LENGTH: usize = 64;

/// Octets of a serial number (RFC 5280, section 4.1.2.2).
const SERIAL_OCTETS: usize = 20;

/// commonName (RFC 5280, appendix A.1).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// sha256WithRSAEncryption (RFC 4055, section 5).
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
/// ecdsa-with-SHA256 (RFC 5758, section 3.2).
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// What a certificate says of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateTemplate {
    common_name: String,
    not_before: Timestamp,
    not_after: Timestamp,
    serial: Option<Vec<u8>>,
}

impl CertificateTemplate {
    /// For a common name, valid from the first to the second time, both included.
    #[must_use]
    pub fn new(
        common_name: impl Into<String>,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Self {
        Self {
            common_name: common_name.into(),
            not_before,
            not_after,
            serial: None,
        }
    }

    /// With that serial number, big-endian. Unless set it is derived from key, name and times: the same for the same.
    #[must_use]
    pub fn with_serial(self, serial: &[u8]) -> Self {
        let serial = Some(serial.to_vec());
        Self { serial, ..self }
    }
}

/// A certificate for the signer's key, signed by itself, as PEM: for the registry's `rootcertbundle` and for the header.
///
/// It is no authority: it signs tokens and no certificates. One request of the signer, by PKCS#1 v1.5 or ECDSA with SHA-256. The
/// same key and template give the same octets where the signature does: always with RSA.
///
/// # Errors
/// [`CertificateError`].
pub async fn self_signed(
    signer: &dyn Signer,
    template: &CertificateTemplate,
) -> Result<String, CertificateError> {
    let public = signer.public_key();
    let spki = public.to_spki_der()?;
    let name = name(&template.common_name)?;
    if template.not_after <= template.not_before {
        return Err(CertificateError::Validity {
            not_before: template.not_before,
            not_after: template.not_after,
        });
    }
    let serial = match &template.serial {
        Some(serial) => serial.clone(),
        None => derived_serial(&spki, template),
    };
    let serial: &[u8] = crate::public_key::without_zeros(&serial);
    if serial.is_empty()
        || serial.len() > SERIAL_OCTETS
        || (serial.len() == SERIAL_OCTETS && serial.first().is_some_and(|octet| *octet > 0x7f))
    {
        return Err(CertificateError::Serial {
            limit: SERIAL_OCTETS,
        });
    }
    let (key, algorithm, identifier) = method(public)?;
    // RFC 7093, section 2, method 1: RFC 5280's own takes SHA-1.
    let digest = Sha256::digest(&spki);
    let key_identifier = digest.get(..20).unwrap_or_default();
    let extensions = vec![
        extension(&BasicConstraints {
            ca: false,
            path_len_constraint: None,
        })?,
        extension(&KeyUsage(FlagSet::from(KeyUsages::DigitalSignature)))?,
        Extension {
            critical: false,
            ..extension(&SubjectKeyIdentifier(OctetString::new(key_identifier)?))?
        },
    ];
    let tbs_certificate = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(serial)?,
        signature: identifier.clone(),
        issuer: name.clone(),
        validity: Validity {
            not_before: time(template.not_before)?,
            not_after: time(template.not_after)?,
        },
        subject: name,
        subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(&spki)?,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions),
    };
    let signature = signature(signer, &key, algorithm, &tbs_certificate.to_der()?).await?;
    let certificate = Certificate {
        tbs_certificate,
        signature_algorithm: identifier,
        signature,
    };
    Ok(certificate.to_pem(LineEnding::LF)?)
}

/// A request for a certificate for the signer's key, as PEM (PKCS #10, RFC 2986): for an authority of one's own.
///
/// # Errors
/// [`CertificateError`].
pub async fn request(signer: &dyn Signer, common_name: &str) -> Result<String, CertificateError> {
    let public = signer.public_key();
    let (key, algorithm, identifier) = method(public)?;
    let info = CertReqInfo {
        version: x509_cert::request::Version::V1,
        subject: name(common_name)?,
        public_key: SubjectPublicKeyInfoOwned::from_der(&public.to_spki_der()?)?,
        attributes: SetOfVec::new(),
    };
    let signature = signature(signer, &key, algorithm, &info.to_der()?).await?;
    let request = CertReq {
        info,
        algorithm: identifier,
        signature,
    };
    Ok(request.to_pem(LineEnding::LF)?)
}

fn method(
    key: &PublicKey,
) -> Result<(Verifying, Algorithm, AlgorithmIdentifierOwned), CertificateError> {
    let algorithm = Algorithm::of(key)?;
    let (oid, parameters) = match algorithm {
        Algorithm::Es256 => (ECDSA_WITH_SHA256, None),
        // Present and NULL (RFC 4055, section 5).
        _ => (SHA256_WITH_RSA, Some(Any::encode_from(&Null)?)),
    };
    let identifier = AlgorithmIdentifierOwned { oid, parameters };
    Ok((Verifying::of(key)?, algorithm, identifier))
}

async fn signature(
    signer: &dyn Signer,
    key: &Verifying,
    algorithm: Algorithm,
    octets: &[u8],
) -> Result<BitString, CertificateError> {
    let signature = jws::sign_octets(signer, key, algorithm, octets).await?;
    let signature = match algorithm {
        Algorithm::Es256 => {
            let (r, s) = signature.split_at_checked(32).unwrap_or_default();
            let numbers: [UintRef<'_>; 2] = [UintRef::new(r)?, UintRef::new(s)?];
            numbers.to_vec().to_der()?
        }
        _ => signature,
    };
    Ok(BitString::from_bytes(&signature)?)
}

fn derived_serial(spki: &[u8], template: &CertificateTemplate) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(spki);
    hash.update(template.not_before.unix().to_be_bytes());
    hash.update(template.not_after.unix().to_be_bytes());
    hash.update(&template.common_name);
    let digest = hash.finalize();
    let mut serial = digest.get(..16).unwrap_or_default().to_vec();
    // Neither negative nor shorter than others.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    serial
}

fn name(common_name: &str) -> Result<Name, CertificateError> {
    let length = common_name.chars().count();
    if length == 0 || length > COMMON_NAME_LENGTH || common_name.chars().any(char::is_control) {
        return Err(CertificateError::CommonName {
            limit: COMMON_NAME_LENGTH,
        });
    }
    let attribute = x509_cert::attr::AttributeTypeAndValue {
        oid: COMMON_NAME,
        value: Any::from(Utf8StringRef::new(common_name)?),
    };
    let mut set = SetOfVec::new();
    set.insert(attribute)?;
    Ok(RdnSequence(vec![RelativeDistinguishedName(set)]))
}

fn extension<T: AssociatedOid + Encode>(value: &T) -> Result<Extension, CertificateError> {
    Ok(Extension {
        extn_id: T::OID,
        critical: true,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

/// UTCTime until 2049, then GeneralizedTime (RFC 5280, section 4.1.2.5).
fn time(time: Timestamp) -> Result<Time, CertificateError> {
    let duration = Duration::from_secs(time.unix());
    Ok(match UtcTime::from_unix_duration(duration) {
        Ok(time) => Time::UtcTime(time),
        Err(_) => Time::GeneralTime(GeneralizedTime::from_unix_duration(duration)?),
    })
}

/// A key's certificate and those that lead towards a root, in this order: what the header's `x5c` carries.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateChain {
    certificates: Vec<Certificate>,
    public_key: PublicKey,
}

impl CertificateChain {
    /// From PEM: the key's own certificate first. Text between the blocks is skipped.
    ///
    /// # Errors
    /// No certificate, one that cannot be read, more than [`CHAIN_LENGTH`], a key that signs no tokens, or an order in which one does
    /// not name the next as its issuer.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CertificateError> {
        let certificates = all_from_pem(pem)?;
        let [first, ..] = certificates.as_slice() else {
            return Err(CertificateError::NoCertificate);
        };
        if certificates.len() > CHAIN_LENGTH {
            return Err(CertificateError::TooMany {
                limit: CHAIN_LENGTH,
            });
        }
        for (own, next) in certificates.iter().zip(certificates.iter().skip(1)) {
            if own.tbs_certificate.issuer != next.tbs_certificate.subject {
                return Err(CertificateError::Order);
            }
        }
        let public_key = public_key_of(first)?;
        Algorithm::of(&public_key)?;
        Ok(Self {
            certificates,
            public_key,
        })
    }

    /// The key that the first certificate is for.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// First and last second in which all of them are valid.
    #[must_use]
    pub fn validity(&self) -> (Timestamp, Timestamp) {
        let all = self.certificates.iter().map(validity_of);
        all.reduce(|one, other| (one.0.max(other.0), one.1.min(other.1)))
            .unwrap_or((Timestamp::from_unix(0), Timestamp::from_unix(0)))
    }

    /// Standard base64 of the DER of each (RFC 7515, section 4.1.6).
    #[must_use]
    pub fn to_x5c(&self) -> Vec<String> {
        let encode = |own: &Certificate| own.to_der().map(|der| STANDARD.encode(der));
        self.certificates
            .iter()
            .map_while(|own| encode(own).ok())
            .collect()
    }
}

impl fmt::Debug for CertificateChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateChain")
            .field("certificates", &self.certificates.len())
            .field("public_key", &self.public_key.to_string())
            .finish()
    }
}

/// All certificates of a PEM file.
pub(super) fn all_from_pem(pem: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    if pem.len() > CHAIN_FILE_OCTETS {
        return Err(CertificateError::TooLarge {
            limit: CHAIN_FILE_OCTETS,
        });
    }
    let text = std::str::from_utf8(pem).map_err(|_| CertificateError::NoCertificate)?;
    let mut certificates = Vec::new();
    for block in text.split(BEGIN).skip(1) {
        let place = certificates.len() + 1;
        let malformed = || CertificateError::Malformed { place };
        let (body, _) = block.split_once(END).ok_or_else(malformed)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| malformed())?;
        certificates.push(Certificate::from_der(&der).map_err(|_| malformed())?);
    }
    if certificates.is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    Ok(certificates)
}

pub(super) fn public_key_of(certificate: &Certificate) -> Result<PublicKey, CertificateError> {
    let spki = certificate
        .tbs_certificate
        .subject_public_key_info
        .to_der()?;
    Ok(PublicKey::from_spki_der(&spki)?)
}

pub(super) fn validity_of(certificate: &Certificate) -> (Timestamp, Timestamp) {
    let validity = &certificate.tbs_certificate.validity;
    let unix = |time: &Time| Timestamp::from_unix(time.to_unix_duration().as_secs());
    (unix(&validity.not_before), unix(&validity.not_after))
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The key signs no tokens.
    #[error(transparent)]
    Key(#[from] UnsupportedKey),
    /// The key cannot be read or written.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// What came of the request of the signer.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// No common name.
    #[error("common name is not 1 to {limit} characters without control characters")]
    CommonName {
        /// Characters at the most.
        limit: usize,
    },
    /// It would never be valid.
    #[error("a certificate that begins at {not_before} cannot end at {not_after}")]
    Validity {
        /// Its first second.
        not_before: Timestamp,
        /// Its last.
        not_after: Timestamp,
    },
    /// Zero, or too long.
    #[error("serial number is not positive and of {limit} octets at the most")]
    Serial {
        /// Octets at the most.
        limit: usize,
    },
    /// The text holds none.
    #[error("no PEM certificate")]
    NoCertificate,
    /// One of them is damaged.
    #[error("certificate {place} is malformed")]
    Malformed {
        /// Which one, from 1.
        place: usize,
    },
    /// More than a chain has.
    #[error("more than {limit} certificates in a chain")]
    TooMany {
        /// Certificates at the most.
        limit: usize,
    },
    /// Larger than a bundle.
    #[error("more than {limit} octets of certificates")]
    TooLarge {
        /// Octets at the most.
        limit: usize,
    },
    /// Not leaf first, each followed by its issuer.
    #[error("certificates are not in order: the key's own first, each followed by its issuer's")]
    Order,
    /// DER does not take it.
    #[error("DER: {0}")]
    Der(#[from] x509_cert::der::Error),
}
