//! What a registry would say of a token: distribution 2.8, 3.0 and 3.1 by rules found by running them.
//!
//! Nothing here makes a token trusted: it tells an operator, and a test, what the registry will do. Registries look at `x5c`,
//! then `jwk`, then `kid`, and stop at the first that is there; trust files are read once, when they start.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use countersign_verify::{Timestamp, printable};
use serde_json::{Map, Value};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::BasicConstraints;

use super::certificate::{self, CHAIN_LENGTH, CertificateError};
use super::jwks::Jwks;
use super::jws::{Algorithm, Verifying};
use super::key_id::{KeyId, coordinates};
use super::scope::{Access, AccessList};
use crate::ecdsa;
use crate::public_key::PublicKey;

/// Octets of a token. What goes in an HTTP header is shorter: Go's server takes 1 MiB of headers, most proxies 8 KiB.
pub const TOKEN_OCTETS: usize = 256 * 1024;

/// What registries grant on `exp` and `nbf`, in every version.
pub const LEEWAY: Duration = Duration::from_secs(60);

/// A generation of the distribution registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RegistryVersion {
    /// 2.8.
    V2_8,
    /// 3.0.
    V3_0,
    /// 3.1.
    V3_1,
}

impl fmt::Display for RegistryVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2_8 => "2.8",
            Self::V3_0 => "3.0",
            Self::V3_1 => "3.1",
        })
    }
}

/// A registry's configuration, as far as tokens go.
#[derive(Debug, Clone)]
pub struct RegistryTrust {
    version: RegistryVersion,
    issuer: String,
    service: String,
    roots: Vec<Certificate>,
    jwks: Jwks,
}

impl RegistryTrust {
    /// `issuer` and `service` of its configuration, and no trust file yet.
    #[must_use]
    pub fn new(
        version: RegistryVersion,
        issuer: impl Into<String>,
        service: impl Into<String>,
    ) -> Self {
        Self {
            version,
            issuer: issuer.into(),
            service: service.into(),
            roots: Vec::new(),
            jwks: Jwks::new(),
        }
    }

    /// With the PEM file `rootcertbundle`.
    ///
    /// # Errors
    /// No certificate, or one that cannot be read: such a registry does not start.
    pub fn with_bundle(self, pem: &[u8]) -> Result<Self, CertificateError> {
        let roots = certificate::all_from_pem(pem)?;
        Ok(Self { roots, ..self })
    }

    /// With the file `jwks`, which registries of version 3 have.
    ///
    /// # Errors
    /// Registry 2.8.
    pub fn with_jwks(self, jwks: Jwks) -> Result<Self, JwksUnknown> {
        match self.version {
            RegistryVersion::V2_8 => Err(JwksUnknown),
            _ => Ok(Self { jwks, ..self }),
        }
    }

    /// What this registry says of the token, asked for nothing but `GET /v2/`.
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn judge(&self, token: &str, now: Timestamp) -> Result<Accepted, Rejection> {
        let parsed = ParsedToken::from_compact(token)?;
        if self.version > RegistryVersion::V2_8 && token.contains('=') {
            return Err(Rejection::Padding);
        }
        let claims = self.claims(&parsed)?;
        let seconds = LEEWAY.as_secs();
        if now.unix() > claims.expires.saturating_add(seconds) {
            return Err(Rejection::Expired {
                expires: Timestamp::from_unix(claims.expires),
                now,
            });
        }
        if now.unix().saturating_add(seconds) < claims.not_before {
            return Err(Rejection::NotYet {
                not_before: Timestamp::from_unix(claims.not_before),
                now,
            });
        }
        if parsed.signature.is_empty() {
            return Err(Rejection::NoSignature);
        }
        let key = self.key(&parsed, now)?;
        parsed.holds_under(&key, self.version)?;
        Ok(Accepted {
            access: claims.access,
            key: key.to_string(),
        })
    }

    fn claims(&self, parsed: &ParsedToken) -> Result<JudgedClaims, Rejection> {
        let claims = &parsed.claims;
        let wrong = |claim: &'static str, expected| Rejection::ClaimType { claim, expected };
        let text = |name: &'static str| match claims.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(wrong(name, "a string")),
        };
        let time = |name: &'static str| match claims.get(name) {
            None | Some(Value::Null) => Ok(0),
            Some(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
                (Some(time), _) => Ok(time),
                // Before the epoch is as good as at it.
                (None, Some(_)) => Ok(0),
                (None, None) => Err(wrong(name, "an integer")),
            },
            Some(_) => Err(wrong(name, "an integer")),
        };
        let (issuer, _, _) = (text("iss")?, text("sub")?, text("jti")?);
        let (expires, not_before, _) = (time("exp")?, time("nbf")?, time("iat")?);
        let audience: Vec<&str> = match (claims.get("aud"), self.version) {
            (None | Some(Value::Null), _) => Vec::new(),
            (Some(Value::String(one)), _) => vec![one],
            (Some(Value::Array(several)), RegistryVersion::V3_0 | RegistryVersion::V3_1) => {
                let texts: Option<Vec<&str>> = several.iter().map(Value::as_str).collect();
                texts.ok_or_else(|| wrong("aud", "a string or a list of strings"))?
            }
            (Some(_), RegistryVersion::V2_8) => return Err(wrong("aud", "one string")),
            (Some(_), _) => return Err(wrong("aud", "a string or a list of strings")),
        };
        let access = match claims.get("access") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(entries)) => entries
                .iter()
                .map(entry)
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| wrong("access", "a list of entries"))?,
            Some(_) => return Err(wrong("access", "a list of entries")),
        };
        if issuer != self.issuer {
            return Err(Rejection::UntrustedIssuer {
                issuer: printable(issuer),
            });
        }
        if !audience.contains(&self.service.as_str()) {
            return Err(Rejection::OtherAudience {
                audience: printable(&audience.join(", ")),
            });
        }
        Ok(JudgedClaims {
            expires,
            not_before,
            access,
        })
    }

    /// The key that the header leads to: by `x5c`, else by `jwk`, else by `kid`.
    fn key(&self, parsed: &ParsedToken, now: Timestamp) -> Result<PublicKey, Rejection> {
        if let Some(x5c) = parsed.header.get("x5c").filter(|own| !own.is_null()) {
            return self.key_of_chain(x5c, now);
        }
        if parsed.header.get("jwk").is_some_and(|own| !own.is_null()) {
            return Err(Rejection::Undecided {
                problem: "the header carries its key (`jwk`), which is not judged here".to_owned(),
            });
        }
        let id = parsed.header.get("kid").and_then(Value::as_str);
        let id = id.filter(|own| !own.is_empty());
        let id = id.ok_or(Rejection::NoKeyNamed)?;
        if let Some(key) = self.jwks.get(id) {
            return Ok(key.clone());
        }
        for root in &self.roots {
            let Ok(key) = certificate::public_key_of(root) else {
                continue;
            };
            if computed_id(&key, self.version).is_some_and(|own| own.as_str() == id) {
                return Ok(key);
            }
        }
        Err(Rejection::UntrustedKey { id: printable(id) })
    }

    fn key_of_chain(&self, x5c: &Value, now: Timestamp) -> Result<PublicKey, Rejection> {
        let bad = |problem: &str| Rejection::Chain {
            problem: problem.to_owned(),
        };
        let entries = x5c.as_array().filter(|own| !own.is_empty());
        let entries = entries.ok_or_else(|| bad("`x5c` is no list of certificates"))?;
        if entries.len() > CHAIN_LENGTH {
            return Err(bad("`x5c` has more certificates than a chain"));
        }
        let mut chain = Vec::new();
        for entry in entries {
            let der = entry.as_str().and_then(|own| STANDARD.decode(own).ok());
            let parsed = der.and_then(|own| Certificate::from_der(&own).ok());
            chain.push(parsed.ok_or_else(|| bad("`x5c` holds what is no certificate"))?);
        }
        let Some((leaf, others)) = chain.split_first() else {
            return Err(bad("`x5c` is empty"));
        };
        self.leads_to_root(leaf, others, now)?;
        certificate::public_key_of(leaf).map_err(|error| Rejection::Undecided {
            problem: format!("the certificate's key: {error}"),
        })
    }

    /// Whether a certificate is a root, or is signed by one, or by an intermediate one that leads to one. Each of them is valid now;
    /// who signs certificates is an authority.
    fn leads_to_root(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let bad = |problem: &str| Rejection::Chain {
            problem: problem.to_owned(),
        };
        let mut own = leaf;
        // A chain of as many steps as there are certificates, and no loops.
        for _ in 0..=others.len() {
            let (not_before, not_after) = certificate::validity_of(own);
            if now < not_before || now > not_after {
                return Err(Rejection::CertificateNotValid {
                    not_before,
                    not_after,
                    now,
                });
            }
            if self.roots.contains(own) {
                return Ok(());
            }
            let issuer = self.roots.iter().chain(others).find(|issuer| {
                *issuer != own
                    && issuer.tbs_certificate.subject == own.tbs_certificate.issuer
                    && is_authority(issuer)
                    && is_signed_by(own, issuer)
            });
            own = issuer.ok_or_else(|| bad("certificate signed by unknown authority"))?;
        }
        if self.roots.contains(own) {
            return Ok(());
        }
        Err(bad("certificate signed by unknown authority"))
    }
}

/// The key id that a registry computes for a key of its bundle.
#[must_use]
pub fn computed_id(key: &PublicKey, version: RegistryVersion) -> Option<KeyId> {
    /// What registry 3.0 computes for every P-256 key: it hashes the curve's base point.
    const BASE_POINT: &str = "xx0BcA-wMohw8atYDJOe6peGModklG2wRHBlXHMvl0M";
    match (version, key) {
        (RegistryVersion::V2_8, key) => KeyId::libtrust(key).ok(),
        (RegistryVersion::V3_0, PublicKey::P256(_)) => KeyId::explicit(BASE_POINT).ok(),
        // Without the zeros that RFC 7518, section 6.2.1.2, demands.
        (RegistryVersion::V3_1, PublicKey::P256(point)) => {
            let (x, y) = coordinates(point);
            let short = crate::public_key::without_zeros;
            let members = KeyId::p256_members(short(x), short(y));
            Some(KeyId::of_members(&members))
        }
        (_, key) => KeyId::thumbprint(key).ok(),
    }
}

fn is_authority(certificate: &Certificate) -> bool {
    let constraints = certificate.tbs_certificate.get::<BasicConstraints>();
    matches!(
        constraints,
        Ok(Some((_, BasicConstraints { ca: true, .. })))
    )
}

fn is_signed_by(own: &Certificate, issuer: &Certificate) -> bool {
    const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
    const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
    const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
    const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
    let algorithm = match own.signature_algorithm.oid {
        SHA256_WITH_RSA => Algorithm::Rs256,
        SHA384_WITH_RSA => Algorithm::Rs384,
        SHA512_WITH_RSA => Algorithm::Rs512,
        ECDSA_WITH_SHA256 => Algorithm::Es256,
        _ => return false,
    };
    let key = certificate::public_key_of(issuer).ok();
    let key = key.and_then(|key| Verifying::of(&key).ok());
    let message = own.tbs_certificate.to_der().ok();
    let (Some(key), Some(message), Some(signature)) = (key, message, own.signature.as_bytes())
    else {
        return false;
    };
    match algorithm {
        Algorithm::Es256 => ecdsa::p256_from_der(signature)
            .is_ok_and(|own| key.verify(algorithm, &message, &own).is_ok()),
        _ => key.verify(algorithm, &message, signature).is_ok(),
    }
}

struct JudgedClaims {
    expires: u64,
    not_before: u64,
    access: Vec<Entry>,
}

/// Type, name and actions, as they stand there.
type Entry = (String, String, Vec<String>);

fn entry(value: &Value) -> Option<Entry> {
    let text = |name: &str| match value.get(name) {
        None | Some(Value::Null) => Some(String::new()),
        Some(own) => own.as_str().map(str::to_owned),
    };
    let actions = match value.get("actions") {
        None | Some(Value::Null) => Vec::new(),
        Some(own) => own
            .as_array()?
            .iter()
            .map(|own| own.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
    };
    value.as_object()?;
    Some((text("type")?, text("name")?, actions))
}

/// A token that a registry would take.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    access: Vec<Entry>,
    key: String,
}

impl Accepted {
    /// The algorithm of the key that it is signed by.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the token grants all of that: type and name are the same, and each action is named, or `*` is.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`], for the first entry that it does not grant.
    pub fn grants(&self, asked: &AccessList) -> Result<(), Rejection> {
        let granted = |asked: &Access| {
            let of = |entry: &&Entry| entry.0 == asked.kind() && entry.1 == asked.name();
            let mut wanted = asked.actions();
            wanted.all(|action| {
                let mut actions = self.access.iter().filter(of).flat_map(|own| &own.2);
                actions.any(|own| own == action.as_str() || own == "*")
            })
        };
        match asked.entries().iter().find(|own| !granted(own)) {
            None => Ok(()),
            Some(missing) => Err(Rejection::InsufficientScope {
                scope: missing.to_string(),
            }),
        }
    }
}

/// A token taken apart and not judged.
pub struct ParsedToken {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl ParsedToken {
    /// From its compact form (RFC 7515, section 7.1).
    ///
    /// # Errors
    /// [`Rejection::Malformed`].
    pub fn from_compact(token: &str) -> Result<Self, Rejection> {
        let malformed = |what: &'static str| Rejection::Malformed { what };
        if token.len() > TOKEN_OCTETS {
            return Err(malformed("it is longer than any"));
        }
        let (signed, signature) = token
            .rsplit_once('.')
            .ok_or(malformed("it is not three parts"))?;
        let (header, claims) = signed
            .split_once('.')
            .filter(|(_, claims)| !claims.contains('.'))
            .ok_or(malformed("it is not three parts"))?;
        let decode = |part: &str, what| {
            let decoded = if part.ends_with('=') {
                URL_SAFE.decode(part)
            } else {
                URL_SAFE_NO_PAD.decode(part)
            };
            decoded.map_err(|_| malformed(what))
        };
        let object = |part: &str, what| match serde_json::from_slice(&decode(part, what)?) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(malformed(what)),
        };
        Ok(Self {
            header: object(header, "its header is no JSON object in base64url")?,
            claims: object(claims, "its claims are no JSON object in base64url")?,
            signature: decode(signature, "its signature is no base64url")?,
            signed: signed.as_bytes().to_vec(),
        })
    }

    /// The header's members.
    #[must_use]
    pub fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The claims, as they stand there.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Octets that are signed, and octets of the signature.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.signed.len(), self.signature.len())
    }

    fn holds_under(&self, key: &PublicKey, version: RegistryVersion) -> Result<(), Rejection> {
        let name = self.header.get("alg").and_then(Value::as_str);
        let name = name.unwrap_or_default();
        let prepared = Verifying::of(key).map_err(|error| Rejection::Undecided {
            problem: error.to_string(),
        })?;
        let held = match (Algorithm::from_name(name), name) {
            (Some(algorithm), _) => prepared.verify(algorithm, &self.signed, &self.signature),
            (None, "PS256") if version > RegistryVersion::V2_8 => {
                prepared.verify_pss(&self.signed, &self.signature)
            }
            (None, "ES384" | "ES512" | "PS384" | "PS512") => {
                return Err(Rejection::Undecided {
                    problem: format!("{name} is not judged here"),
                });
            }
            (None, _) => {
                return Err(Rejection::Algorithm {
                    algorithm: printable(name.get(..32).unwrap_or(name)),
                });
            }
        };
        held.map_err(|_| Rejection::BadSignature {
            algorithm: name.to_owned(),
            octets: self.signature.len(),
        })
    }
}

impl fmt::Debug for ParsedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedToken").finish_non_exhaustive()
    }
}

/// Registries of version 2 read no `jwks` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("registry 2.8 reads no `jwks` file: it takes a bundle of certificates")]
pub struct JwksUnknown;

/// Why a registry would not take a token: what it would log, in its order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// No token.
    #[error("malformed token: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// Version 3 takes no `=`.
    #[error("malformed token: base64url is padded with `=`")]
    Padding,
    /// A claim of another type.
    #[error("malformed token: claim `{claim}` is not {expected}")]
    ClaimType {
        /// The claim.
        claim: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Not the registry's `issuer`, to the letter.
    #[error("token from untrusted issuer: `{issuer}`")]
    UntrustedIssuer {
        /// The claim `iss`.
        issuer: String,
    },
    /// Not the registry's `service`.
    #[error("token intended for another audience: `{audience}`")]
    OtherAudience {
        /// The claim `aud`.
        audience: String,
    },
    /// After its end, with a minute's leeway.
    #[error("token not to be used after {expires}: it is {now}")]
    Expired {
        /// The claim `exp`.
        expires: Timestamp,
        /// The time of checking.
        now: Timestamp,
    },
    /// Before its beginning, with a minute's leeway.
    #[error("token not to be used before {not_before}: it is {now}")]
    NotYet {
        /// The claim `nbf`.
        not_before: Timestamp,
        /// The time of checking.
        now: Timestamp,
    },
    /// The third part is empty.
    #[error("token has no signature")]
    NoSignature,
    /// Neither `x5c` nor `jwk` nor `kid`.
    #[error("token header names no key")]
    NoKeyNamed,
    /// No trusted key has that id.
    #[error("token signed by untrusted key with ID: `{id}`")]
    UntrustedKey {
        /// The header's `kid`.
        id: String,
    },
    /// `x5c` does not lead to the bundle.
    #[error("unable to verify certificate chain: {problem}")]
    Chain {
        /// What is wrong.
        problem: String,
    },
    /// A certificate of `x5c` has expired, or is not valid yet. A good `kid` does not help.
    #[error("certificate is valid from {not_before} to {not_after}: it is {now}")]
    CertificateNotValid {
        /// Its first second.
        not_before: Timestamp,
        /// Its last.
        not_after: Timestamp,
        /// The time of checking.
        now: Timestamp,
    },
    /// The registry does not verify by it.
    #[error("signature algorithm `{algorithm}` is not accepted")]
    Algorithm {
        /// The header's `alg`.
        algorithm: String,
    },
    /// The signature does not hold, or has another form: ES256 has exactly 64 octets.
    #[error("unable to verify token signature: {algorithm}, {octets} octets")]
    BadSignature {
        /// The header's `alg`.
        algorithm: String,
        /// Octets of the signature.
        octets: usize,
    },
    /// The token is good and does not grant what is asked for.
    #[error("insufficient scope: no `{scope}`")]
    InsufficientScope {
        /// What it does not grant.
        scope: String,
    },
    /// Neither yes nor no can be said here.
    #[error("could not tell: {problem}")]
    Undecided {
        /// What is not judged.
        problem: String,
    },
}

impl Rejection {
    /// A stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::Padding => "malformed-token",
            Self::ClaimType { .. } => "claim-type",
            Self::UntrustedIssuer { .. } => "untrusted-issuer",
            Self::OtherAudience { .. } => "other-audience",
            Self::Expired { .. } => "token-expired",
            Self::NotYet { .. } => "token-not-yet-valid",
            Self::NoSignature => "no-signature",
            Self::NoKeyNamed => "no-key-named",
            Self::UntrustedKey { .. } => "untrusted-key",
            Self::Chain { .. } => "untrusted-chain",
            Self::CertificateNotValid { .. } => "certificate-not-valid",
            Self::Algorithm { .. } => "algorithm",
            Self::BadSignature { .. } => "bad-signature",
            Self::InsufficientScope { .. } => "insufficient-scope",
            Self::Undecided { .. } => "undecided",
        }
    }
}
