//! Certificates (RFC 9580, section 10.1): parsed, with the octets kept as they came. What a certificate's own signatures say
//! at a given time is worked out in [`crate::standing`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::armor::{self, Around};
use crate::error::{CertificateError, PacketError};
use crate::fingerprint::Fingerprint;
use crate::key::{Key, PublicKeyAlgorithm};
use crate::limits;
use crate::packet::{self, Packet, Packets, Slice, Treatment, tag};
use crate::signature::{SignaturePacket, kind};
use crate::time::Timestamp;

/// A certificate ("public key"): a primary key, user ids, subkeys and the signatures that bind them. Parsed, not judged:
/// whether any of it holds is decided when a signature is verified.
#[derive(Debug, Clone)]
pub struct Certificate {
    primary: Key,
    /// The first is the primary key with the signatures directly on it.
    components: Vec<Component>,
}

/// A packet of a certificate and the signatures that follow it.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    head: Packet,
    pub(crate) content: Content,
    signatures: Vec<Packet>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Primary,
    UserId,
    Subkey(Box<Key>),
    /// A user attribute, or a packet that may be skipped: carried along, never looked at.
    Other,
}

impl Component {
    pub(crate) fn body(&self) -> &Slice {
        &self.head.body
    }

    pub(crate) fn signatures(&self) -> impl Iterator<Item = SignaturePacket> {
        self.signatures.iter().map(|packet| SignaturePacket {
            body: packet.body.clone(),
        })
    }
}

impl Component {
    fn drop_repeated(&mut self) {
        let mut seen = BTreeSet::new();
        self.signatures
            .retain(|signature| seen.insert(signature.body.clone()));
    }
}

impl Certificate {
    /// Exactly one certificate, armored or binary.
    ///
    /// # Errors
    /// As [`Certificate::all_from_bytes`], and when there is more than one.
    pub fn from_bytes(input: &[u8]) -> Result<Self, CertificateError> {
        let mut all = Self::all_from_bytes(input)?;
        match (all.pop(), all.len()) {
            (Some(certificate), 0) => Ok(certificate),
            (_, others) => Err(CertificateError::NotExactlyOne { found: others + 1 }),
        }
    }

    /// One or several certificates: binary packets one certificate after the other, or one or several
    /// `PGP PUBLIC KEY BLOCK`s, with any text around them, as `KEYS` files have it. At least one is returned. The same
    /// certificate twice is merged.
    ///
    /// # Errors
    /// Anything else, such as a private key, a signature or a GnuPG keybox; a damaged packet; a key of a version
    /// other than 4 and 6; more than [`limits::CERTIFICATES`] or [`limits::CERTIFICATE_FILE_BYTES`].
    pub fn all_from_bytes(input: &[u8]) -> Result<Vec<Self>, CertificateError> {
        if input.len() > limits::CERTIFICATE_FILE_BYTES {
            let (size, limit) = (input.len(), limits::CERTIFICATE_FILE_BYTES);
            return Err(CertificateError::TooLarge { size, limit });
        }
        if input.trim_ascii().is_empty() {
            return Err(CertificateError::Empty);
        }
        if armor::is_binary(input) {
            return Self::from_packets(input.into());
        }
        /// Where a keybox has its magic number.
        const KEYBOX_MAGIC: std::ops::Range<usize> = 8..12;
        if input.get(KEYBOX_MAGIC) == Some(b"KBXf") {
            return Err(CertificateError::Keybox);
        }
        if !armor::has_block(input) {
            return Err(CertificateError::NotOpenPgp);
        }
        let mut octets = Vec::new();
        for (kind, block) in armor::decode(input, Around::Text).map_err(CertificateError::Armor)? {
            match kind {
                armor::Kind::PublicKey | armor::Kind::Any => octets.extend_from_slice(&block),
                armor::Kind::PrivateKey => return Err(CertificateError::PrivateKey),
                armor::Kind::Signature | armor::Kind::ClearSigned => {
                    return Err(CertificateError::Signature);
                }
                armor::Kind::Message | armor::Kind::Other => {
                    return Err(CertificateError::Armor(crate::error::ArmorError::WrongKind));
                }
            }
        }
        Self::from_packets(octets.into())
    }

    fn from_packets(octets: Arc<[u8]>) -> Result<Vec<Self>, CertificateError> {
        let mut builders: Vec<Builder> = Vec::new();
        // A primary key that was there before goes on with its certificate.
        let mut places: BTreeMap<Slice, usize> = BTreeMap::new();
        let mut current = 0;
        for (index, found) in Packets::new(Slice::whole(octets)).enumerate() {
            let malformed = |detail| CertificateError::Packet { index, detail };
            let found = found.map_err(malformed)?;
            if found.tag == tag::PUBLIC_KEY {
                current = *places.entry(found.body.clone()).or_insert(builders.len());
                if let Some(builder) = builders.get_mut(current) {
                    builder.current = 0;
                    continue;
                }
                if builders.len() == limits::CERTIFICATES {
                    return Err(CertificateError::TooMany {
                        limit: limits::CERTIFICATES,
                    });
                }
                builders.push(Builder::new(found).map_err(malformed)?);
                continue;
            }
            match (found.tag, builders.get_mut(current)) {
                (tag::SECRET_KEY | tag::SECRET_SUBKEY, _) => {
                    return Err(CertificateError::PrivateKey);
                }
                (tag::SIGNATURE, None) => return Err(CertificateError::Signature),
                (_, Some(builder)) => builder.add(found).map_err(malformed)?,
                (other, None) => match packet::unexpected(other) {
                    Treatment::Skip => {}
                    Treatment::Refuse(detail) => return Err(malformed(detail)),
                },
            }
        }
        let certificates: Vec<Self> = builders.into_iter().map(Builder::finish).collect();
        if certificates.is_empty() {
            return Err(CertificateError::Empty);
        }
        Ok(certificates)
    }

    /// The fingerprint of the primary key, which names the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.primary.fingerprint
    }

    /// The algorithm of the primary key.
    #[must_use]
    pub fn algorithm(&self) -> PublicKeyAlgorithm {
        self.primary.algorithm
    }

    /// When the primary key was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.primary.created
    }

    /// The user ids as the certificate lists them, bound to it or not. Octets that are not UTF-8 are replaced.
    pub fn user_ids(&self) -> impl Iterator<Item = String> {
        let ids = self
            .components
            .iter()
            .filter(|own| matches!(own.content, Content::UserId));
        ids.map(|id| String::from_utf8_lossy(id.body()).into_owned())
    }

    /// The certificate's packets, binary, each as it came.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let packets = self
            .components
            .iter()
            .flat_map(|own| [&own.head].into_iter().chain(&own.signatures));
        packets
            .flat_map(|packet| packet.raw.iter().copied())
            .collect()
    }

    /// Adds what another copy of this certificate has and this one lacks: a newer self-signature, a revocation, a subkey.
    /// Whether any of it holds is decided later, as for everything else.
    ///
    /// The caller has made sure that the primary keys are the same, octet by octet.
    pub(crate) fn merge(&mut self, other: Self) {
        let place = |own: &Component| (own.head.tag, own.head.body.clone());
        let all = self.components.iter().enumerate();
        let mut places: BTreeMap<_, _> = all.map(|(index, own)| (place(own), index)).collect();
        for theirs in other.components {
            let next = self.components.len();
            let index = *places.entry(place(&theirs)).or_insert(next);
            match self.components.get_mut(index) {
                Some(own) => own.signatures.extend(theirs.signatures),
                None => self.components.push(theirs),
            }
        }
        self.components
            .iter_mut()
            .for_each(Component::drop_repeated);
        // Stable: user ids and attributes come before subkeys (RFC 9580, section 10.1.1).
        self.components.sort_by_key(|own| match own.content {
            Content::Primary => 0,
            Content::UserId | Content::Other => 1,
            Content::Subkey(_) => 2,
        });
    }

    /// Whether the primary key packets are the same, octet by octet.
    pub(crate) fn has_same_primary(&self, other: &Self) -> bool {
        self.primary.body() == other.primary.body()
    }

    pub(crate) fn primary(&self) -> &Key {
        &self.primary
    }

    pub(crate) fn subkeys(&self) -> impl Iterator<Item = (&Key, &Component)> {
        self.components.iter().filter_map(|own| match &own.content {
            Content::Subkey(key) => Some((&**key, own)),
            _ => None,
        })
    }

    pub(crate) fn user_id_components(&self) -> impl Iterator<Item = &Component> {
        self.components
            .iter()
            .filter(|own| matches!(own.content, Content::UserId))
    }

    /// Signatures of one type, wherever in the certificate they stand. A revocation that was appended to a file follows the
    /// last subkey, and counts.
    pub(crate) fn signatures_of_kind(&self, wanted: u8) -> impl Iterator<Item = SignaturePacket> {
        debug_assert!(matches!(
            wanted,
            kind::DIRECT_KEY
                | kind::KEY_REVOCATION
                | kind::SUBKEY_REVOCATION
                | kind::CERTIFICATION_REVOCATION
        ));
        let all = self.components.iter().flat_map(Component::signatures);
        all.filter(move |signature| signature.kind() == Some(wanted))
    }
}

/// Gathers the packets of one certificate.
struct Builder {
    primary: Key,
    components: Vec<Component>,
    /// Where a user id or a key already stands, so that a repeated one joins it.
    places: BTreeMap<(u8, Slice), usize>,
    current: usize,
}

impl Builder {
    fn new(head: Packet) -> Result<Self, PacketError> {
        let primary = key(&head)?;
        let component = Component {
            head,
            content: Content::Primary,
            signatures: Vec::new(),
        };
        Ok(Self {
            primary,
            components: vec![component],
            places: BTreeMap::new(),
            current: 0,
        })
    }

    fn add(&mut self, found: Packet) -> Result<(), PacketError> {
        match found.tag {
            tag::SIGNATURE => {
                if let Some(component) = self.components.get_mut(self.current) {
                    component.signatures.push(found);
                }
                return Ok(());
            }
            // GnuPG writes them into its keyrings.
            tag::TRUST => return Ok(()),
            tag::USER_ID => {
                let size = found.body.len();
                if size > limits::USER_ID_BYTES {
                    let (tag, limit) = (found.tag, limits::USER_ID_BYTES);
                    return Err(PacketError::TooLarge { tag, size, limit });
                }
                self.start(found, Content::UserId);
            }
            tag::PUBLIC_SUBKEY => {
                // A damaged subkey or one of another version than the primary key (RFC 9580, section 10.1) makes no
                // signature; the rest may still be good.
                let content = match key(&found) {
                    Ok(key) if key.version == self.primary.version => {
                        Content::Subkey(Box::new(key))
                    }
                    _ => Content::Other,
                };
                self.start(found, content);
            }
            tag::USER_ATTRIBUTE => self.start(found, Content::Other),
            other => match packet::unexpected(other) {
                Treatment::Skip if other < tag::FIRST_NON_CRITICAL => {}
                Treatment::Skip => self.start(found, Content::Other),
                Treatment::Refuse(error) => return Err(error),
            },
        }
        Ok(())
    }

    fn start(&mut self, head: Packet, content: Content) {
        let next = self.components.len();
        self.current = *self
            .places
            .entry((head.tag, head.body.clone()))
            .or_insert(next);
        if self.current == next {
            self.components.push(Component {
                head,
                content,
                signatures: Vec::new(),
            });
        }
    }

    fn finish(mut self) -> Certificate {
        self.components
            .iter_mut()
            .for_each(Component::drop_repeated);
        Certificate {
            primary: self.primary,
            components: self.components,
        }
    }
}

fn key(found: &Packet) -> Result<Key, PacketError> {
    let size = found.body.len();
    if size > limits::KEY_PACKET_BYTES {
        let (tag, limit) = (found.tag, limits::KEY_PACKET_BYTES);
        return Err(PacketError::TooLarge { tag, size, limit });
    }
    Key::parse(&found.body).ok_or(PacketError::Key)
}
