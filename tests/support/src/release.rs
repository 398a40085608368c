use crate::{
    ArmorChecksum, ArmorKind, Hash, Key, Over, SignatureBuilder, armor, signature_type,
    simple_certificate,
};

/// A small release as its files would be: a certificate, an artifact, a manifest that lists it, and a signature over that.
#[derive(Debug, Clone)]
pub struct Release {
    /// The publisher's certificate, binary: Ed25519 in version 4.
    pub certificate: Vec<u8>,
    /// `SHA256SUMS`: one GNU line.
    pub manifest: Vec<u8>,
    /// `SHA256SUMS.asc`: an armored detached signature over the manifest.
    pub signature: Vec<u8>,
    /// The artifact's name as listed.
    pub name: String,
    /// The artifact.
    pub artifact: Vec<u8>,
}

/// A good release, signed on 2023-11-14 by a key of the same day.
pub fn release() -> Release {
    const CREATED: u32 = 1_700_000_000;
    let key = Key::ed25519_legacy([7; 32], CREATED);
    let name = "tool-1.0.tar.gz".to_owned();
    let artifact = b"not really a tarball\n".to_vec();
    let digest: String = Hash::Sha256
        .digest(&artifact)
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    let manifest = format!("{digest}  {name}\n").into_bytes();
    let packet = SignatureBuilder::new(signature_type::BINARY, CREATED + 60)
        .sign(&key, Over::Data(&manifest));
    Release {
        certificate: simple_certificate(&key, "Release <release@example.org>", CREATED),
        signature: armor(ArmorKind::Signature, &packet, ArmorChecksum::Present).into_bytes(),
        manifest,
        name,
        artifact,
    }
}
