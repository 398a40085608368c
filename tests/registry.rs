//! Tokens before a real registry: Debian's docker-registry on loopback, by HTTP and by skopeo. What it says of a token is what
//! `token verify --registry 2.8` says of it.
#![cfg(all(unix, feature = "cli"))]

#[path = "registry/server.rs"]
mod server;

use std::fs;
use std::path::Path;
use std::process::Command;

use server::{Answer, Registry, SERVICE, digest};

const ISSUER: &str = "auth.example.org";

/// A folder with keys and certificates, and our command in it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        let rsa = countersign_testkit::TestRsa::Rsa3072A.pem();
        fs::write(desk.path().join("rsa.key.pem"), rsa).expect("a file");
        desk.run(
            "key generate --algorithm p256 --output p256.pub.pem --private-output p256.key.pem",
        );
        desk.run("key generate --algorithm p256 --output new.pub.pem --private-output new.key.pem");
        for key in ["rsa", "p256", "new"] {
            desk.run(&format!("token cert --key-id {key}.key.pem --created 2026-01-01 --expires 20y --output {key}.crt"));
        }
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("a file")
    }

    fn output(&self, arguments: &str) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments.split(' '))
            .current_dir(self.path())
            .env_clear()
            .output()
            .expect("our command runs");
        let text = |octets: Vec<u8>| String::from_utf8(octets).expect("UTF-8");
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    fn run(&self, arguments: &str) -> String {
        let (status, out, err) = self.output(arguments);
        assert_eq!(status, Some(0), "{arguments}: {err}");
        out
    }

    /// A token by a key, for that access.
    fn token(&self, more: &str, access: &str) -> String {
        let out = self.run(&format!(
            "token issue --issuer {ISSUER} --subject ci --service {SERVICE} {more} --access {access}"
        ));
        out.trim_end().to_owned()
    }

    /// What we say that the registry says.
    fn judge(&self, bundle: &str, token: &str) -> Option<i32> {
        let (status, _, err) = self.output(&format!(
            "token verify {token} --bundle {bundle} --issuer {ISSUER} --service {SERVICE} --registry 2.8"
        ));
        assert!(!err.contains(token), "a token in a message: {err}");
        status
    }

    fn registry(&self, bundle: &[&str]) -> Registry {
        let bundle: String = bundle.iter().map(|name| self.text(name)).collect();
        fs::write(self.path().join("bundle.crt"), bundle).expect("a file");
        Registry::start(ISSUER, &self.path().join("bundle.crt"))
    }
}

#[test]
fn push_pull_mount_catalogue_and_delete() {
    let desk = Desk::new();
    let registry = desk.registry(&["rsa.crt", "p256.crt"]);
    let challenge = registry.get("/v2/", None);
    assert_eq!(challenge.status, 401);
    let expected = format!("service=\"{SERVICE}\"");
    assert!(challenge.head.contains(&expected), "{}", challenge.head);
    for (key, more) in [
        ("rsa", "--key-id rsa.key.pem --certificate rsa.crt"),
        ("p256", "--key-id p256.key.pem --certificate p256.crt"),
        // What registries of version 2 know a key by.
        ("rsa", "--key-id rsa.key.pem --kid libtrust"),
        ("p256", "--key-id p256.key.pem --kid libtrust"),
        (
            "rsa",
            "--key-id rsa.key.pem --kid libtrust --algorithm rs384",
        ),
        (
            "rsa",
            "--key-id rsa.key.pem --kid libtrust --algorithm rs512",
        ),
    ] {
        let (one, other) = (format!("team/{key}"), format!("mounted/{key}"));
        let token = desk.token(more, &format!("repository:{one}:pull,push"));
        assert_eq!(desk.judge("bundle.crt", &token), Some(0), "{more}");
        assert_eq!(registry.get("/v2/", Some(&token)).status, 200, "{more}");
        let blob = format!("blob of {more}");
        let digest = registry.push_blob(&one, blob.as_bytes(), &token);
        let manifest = registry.push_manifest(&one, &digest, &token);
        let path = format!("/v2/{one}/blobs/{digest}");
        assert_eq!(registry.get(&path, Some(&token)).body, blob.as_bytes());
        // Another repository is out of reach, and so is what was not granted.
        let outside = format!("/v2/{other}/blobs/{digest}");
        refused(&registry.get(&outside, Some(&token)), "insufficient_scope");
        let pull = desk.token(more, &format!("repository:{one}:pull"));
        assert_eq!(registry.get(&path, Some(&pull)).status, 200);
        let uploads = format!("/v2/{one}/blobs/uploads/");
        refused(
            &registry.send("POST", &uploads, Some(&pull), b"", ""),
            "insufficient_scope",
        );
        // A mount needs both.
        let both = desk.token(
            more,
            &format!("repository:{one}:pull repository:{other}:pull,push"),
        );
        let mount = format!("/v2/{other}/blobs/uploads/?mount={digest}&from={one}");
        let mounted = registry.send("POST", &mount, Some(&both), b"", "");
        assert_eq!(mounted.status, 201, "{}", mounted.head);
        // The catalogue and deletion have grants of their own.
        refused(
            &registry.get("/v2/_catalog", Some(&both)),
            "insufficient_scope",
        );
        let catalogue = desk.token(more, "registry:catalog:*");
        let listed = registry.get("/v2/_catalog", Some(&catalogue));
        assert!(String::from_utf8_lossy(&listed.body).contains(&one));
        let place = format!("/v2/{one}/manifests/{manifest}");
        refused(
            &registry.send("DELETE", &place, Some(&token), b"", ""),
            "insufficient_scope",
        );
        let delete = desk.token(more, &format!("repository:{one}:delete"));
        assert_eq!(
            registry
                .send("DELETE", &place, Some(&delete), b"", "")
                .status,
            202
        );
    }
}

#[test]
fn skopeo_pushes_and_pulls() {
    let desk = Desk::new();
    let registry = desk.registry(&["p256.crt"]);
    image(&desk.path().join("image"));
    let token = desk.token(
        "--key-id p256.key.pem --certificate p256.crt",
        "repository:team/image:pull,push",
    );
    let skopeo = |arguments: &[&str]| {
        let output = Command::new("skopeo")
            .args(arguments)
            .current_dir(desk.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", desk.path())
            .output()
            .expect("scripts/test installs skopeo");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    };
    let target = format!("docker://{}/team/image:v1", registry.address());
    let copy = |token: &str, target: &str| {
        skopeo(&[
            "--insecure-policy",
            "copy",
            "--dest-tls-verify=false",
            "--dest-registry-token",
            token,
            "oci:image:v1",
            target,
        ])
    };
    let (done, said) = copy(&token, &target);
    assert!(done, "{said}");
    let read = [
        "inspect",
        "--tls-verify=false",
        "--registry-token",
        &token,
        &target,
    ];
    let (done, said) = skopeo(&read);
    assert!(done, "{said}");
    // Of another repository, and by a key that the registry does not know.
    let (done, _) = copy(
        &token,
        &format!("docker://{}/team/other:v1", registry.address()),
    );
    assert!(!done);
    let other = desk.token(
        "--key-id new.key.pem --certificate new.crt",
        "repository:team/image:pull,push",
    );
    let (done, _) = copy(&other, &target);
    assert!(!done);
}

#[test]
fn what_the_registry_refuses_we_say_it_refuses() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let desk = Desk::new();
    desk.run("token cert --key-id rsa.key.pem --created 2020-01-01 --expires 2021-01-01 --output old.crt");
    let registry = desk.registry(&["rsa.crt", "p256.crt", "old.crt"]);
    let x5c = "--key-id p256.key.pem --certificate p256.crt";
    let good = desk.token(x5c, "repository:a/b:pull");
    let (signed, signature) = good.rsplit_once('.').expect("parts");
    let octets = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let with = |octets: &[u8]| format!("{signed}.{}", URL_SAFE_NO_PAD.encode(octets));
    let der = [
        &[0x30, 0x44, 0x02, 0x20],
        &octets[..32],
        &[0x02, 0x20],
        &octets[32..],
    ]
    .concat();
    let issue = |more: &str| {
        desk.run(&format!(
            "token issue {more} --subject x --access repository:a/b:pull"
        ))
        .trim_end()
        .to_owned()
    };
    let flipped = [&[octets[0] ^ 1], &octets[1..]].concat();
    let p256 = "--key-id p256.key.pem";
    let refused = [
        ("DER", with(&der)),
        ("63 octets", with(&octets[1..])),
        ("65 octets", with(&[&octets[..], &[0]].concat())),
        ("another signature", with(&flipped)),
        ("no signature", format!("{signed}.")),
        ("two parts", signed.to_owned()),
        (
            "a thumbprint, P-256",
            desk.token(p256, "repository:a/b:pull"),
        ),
        (
            "a thumbprint, RSA",
            desk.token("--key-id rsa.key.pem", "repository:a/b:pull"),
        ),
        (
            "an unknown key",
            desk.token("--key-id new.key.pem --kid libtrust", "repository:a/b:pull"),
        ),
        (
            "an unknown certificate",
            desk.token(
                "--key-id new.key.pem --certificate new.crt",
                "repository:a/b:pull",
            ),
        ),
        (
            "another issuer",
            issue(&format!(
                "--issuer Auth.example.org {x5c} --service {SERVICE}"
            )),
        ),
        (
            "another service",
            issue(&format!("--issuer {ISSUER} {x5c} --service other")),
        ),
    ];
    let accepted = [
        ("x5c", good.clone()),
        (
            "libtrust",
            desk.token(
                "--key-id p256.key.pem --kid libtrust",
                "repository:a/b:pull",
            ),
        ),
    ];
    for (name, token) in &refused {
        assert_eq!(registry.get("/v2/", Some(token)).status, 401, "{name}");
        assert_eq!(desk.judge("bundle.crt", token), Some(1), "{name}");
    }
    for (name, token) in &accepted {
        assert_eq!(registry.get("/v2/", Some(token)).status, 200, "{name}");
        assert_eq!(desk.judge("bundle.crt", token), Some(0), "{name}");
    }
    // We make none that is dead on arrival.
    let (status, _, said) = desk.output(&format!(
        "token issue --issuer {ISSUER} --key-id rsa.key.pem --certificate old.crt --subject x --service {SERVICE} --access repository:a/b:pull"
    ));
    assert_eq!(status, Some(2));
    assert!(
        said.contains("the certificate is valid from 2020-01-01"),
        "{said}"
    );
}

#[test]
fn a_key_is_rotated_without_a_refused_token() {
    let desk = Desk::new();
    let old = "--key-id p256.key.pem --certificate p256.crt";
    let new = "--key-id new.key.pem --certificate new.crt";
    let access = "repository:a/b:pull";
    // The new certificate is published before it signs, and the old one stays until its last token has ended.
    let registry = desk.registry(&["p256.crt"]);
    let first = desk.token(old, access);
    assert_eq!(registry.get("/v2/", Some(&first)).status, 200);
    assert_eq!(
        registry.get("/v2/", Some(&desk.token(new, access))).status,
        401
    );
    drop(registry);
    let registry = desk.registry(&["p256.crt", "new.crt"]);
    for token in [&first, &desk.token(old, access), &desk.token(new, access)] {
        assert_eq!(registry.get("/v2/", Some(token)).status, 200);
    }
    drop(registry);
    let registry = desk.registry(&["new.crt"]);
    assert_eq!(registry.get("/v2/", Some(&first)).status, 401);
    assert_eq!(
        registry.get("/v2/", Some(&desk.token(new, access))).status,
        200
    );
}

fn refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 401, "{}", answer.head);
    assert!(answer.head.contains(error), "{}", answer.head);
}

/// An image without layers, as a folder of the OCI image layout.
fn image(folder: &Path) {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");
    let put = |text: &str| {
        let digest = digest(text.as_bytes());
        let name = digest.strip_prefix("sha256:").expect("a digest").to_owned();
        fs::write(blobs.join(name), text).expect("a file");
        (digest, text.len())
    };
    let (config, octets) = put(
        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
    );
    let (manifest, manifest_octets) = put(&format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{{\"mediaType\":\
         \"application/vnd.oci.image.config.v1+json\",\"digest\":\"{config}\",\"size\":{octets}}},\"layers\":[]}}"
    ));
    let index = format!(
        "{{\"schemaVersion\":2,\"manifests\":[{{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\
         \"{manifest}\",\"size\":{manifest_octets},\"annotations\":{{\"org.opencontainers.image.ref.name\":\"v1\"}}}}]}}"
    );
    fs::write(folder.join("index.json"), index).expect("a file");
    fs::write(
        folder.join("oci-layout"),
        "{\"imageLayoutVersion\":\"1.0.0\"}",
    )
    .expect("a file");
}
