use crate::{
    ArmorChecksum, ArmorKind, Hash, Key, Over, SignatureBuilder, armor, signature_type,
    simple_certificate,
};

/// A small release as its files would be: a certificate, two artifacts, a manifest that lists them, and a signature over that.
#[derive(Debug, Clone)]
pub struct Release {
    /// The publisher's certificate, armored: Ed25519 in version 4.
    pub certificate: Vec<u8>,
    /// `SHA256SUMS`: GNU lines.
    pub manifest: Vec<u8>,
    /// `SHA256SUMS.asc`: an armored detached signature over the manifest.
    pub signature: Vec<u8>,
    /// The artifacts: name as listed, and octets.
    pub artifacts: [(String, Vec<u8>); 2],
}

/// A good release, signed on 2023-11-14 by a key of the same day.
pub fn release() -> Release {
    const CREATED: u32 = 1_700_000_000;
    let key = Key::ed25519_legacy([7; 32], CREATED);
    let artifacts = [
        ("tool-1.0.txt", "This would be a program.\n"),
        ("doc/manual-1.0.txt", "This would be its manual.\n"),
    ];
    let artifacts = artifacts.map(|(name, octets)| (name.to_owned(), octets.as_bytes().to_owned()));
    let lines = artifacts.iter().map(|(name, octets)| {
        let digest = Hash::Sha256.digest(octets);
        let hex: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        format!("{hex}  {name}\n")
    });
    let manifest = lines.collect::<String>().into_bytes();
    let builder = SignatureBuilder::new(signature_type::BINARY, CREATED + 60);
    let signature = builder.sign(&key, Over::Data(&manifest));
    let certificate = simple_certificate(&key, "Example <release@example.org>", CREATED);
    let armored = |kind, octets: &[u8]| armor(kind, octets, ArmorChecksum::Present).into_bytes();
    Release {
        certificate: armored(ArmorKind::PublicKey, &certificate),
        signature: armored(ArmorKind::Signature, &signature),
        manifest,
        artifacts,
    }
}
