//! Keys, certificates and OpenPGP signatures as bytes: good ones, and wrong ones with every byte under control.
//!
//! An implementation of RFC 9580 serialisation of its own, on RustCrypto primitives alone: it shares no code with what it
//! tests. It only writes, never parses or verifies, and it refuses nothing: whatever is asked for is built. The same inputs
//! give the same bytes. It panics where a test asks for the impossible, and its private keys are public: see `keys/README.md`.
//!
//! ```
//! use countersign_testkit::{CertificateBuilder, Key, Over, SignatureBuilder, signature_type};
//!
//! let key = Key::ed25519_legacy([1; 32], 1_700_000_000);
//! let certificate = CertificateBuilder::simple(&key, "Alice <alice@example.org>", 1_700_000_000).build();
//! let signature = SignatureBuilder::new(signature_type::BINARY, 1_700_000_100).sign(&key, Over::Data(b"hello"));
//! assert_eq!((certificate[0], signature[0]), (0xc6, 0xc2));
//! ```

mod armor;
mod certificate;
mod hash;
mod key;
mod packet;
mod release;
mod rsa_key;
mod signature;
mod subpacket;
mod vectors;

pub use armor::{
    ArmorChecksum, ArmorKind, armor, armor_with, clearsign, clearsign_by, clearsigned_parts,
};
pub use certificate::{BackSignature, Binding, CertificateBuilder, simple_certificate};
pub use hash::Hash;
pub use key::{
    CURVE_ED25519_LEGACY, CURVE_P256, Key, SMALL_ORDER_POINTS, SignatureValue, algorithm,
};
pub use packet::{
    Length, compressed, literal, marker, mpi, mpi_padded, one_pass, packet, packet_with, padding,
    public_key, public_subkey, secret_key_stub, tag, trust, user_attribute, user_id,
};
pub use release::{Release, release};
pub use rsa_key::TestRsa;
pub use signature::{Damage, Over, SignatureBuilder, canonical_text, signature_type};
pub use subpacket::{Subpacket, key_flags};
pub use vectors::{Vector, large_vectors, vectors};
