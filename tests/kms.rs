//! Signing by keys in AWS KMS: a real server on loopback, and in front of it a proxy that can fail as networks and services do.
#![cfg(all(unix, feature = "aws-kms"))]

#[path = "kms/proxy.rs"]
mod proxy;
#[path = "registry/server.rs"]
mod registry;
#[path = "kms/server.rs"]
mod server;

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use proxy::{Fault, Proxy};
use serde_json::{Value, json};
use server::Server;

/// A folder to work in, and our command in it, with nothing of the user's environment.
struct Desk {
    folder: tempfile::TempDir,
    endpoint: String,
}

impl Desk {
    fn new(endpoint: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("SUMS"), "line one\n").expect("a file");
        Self { folder, endpoint }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command line of words without spaces.
    fn command(&self, line: &str) -> Command {
        let mut command = self.program(Path::new(env!("CARGO_BIN_EXE_countersign")));
        command.args(line.split_whitespace());
        command
    }

    fn program(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", "eu-west-2")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        command
    }

    fn run(&self, line: &str) -> Ran {
        Ran::of(&mut self.command(line))
    }

    fn mint(&self, key: &str) -> Ran {
        self.run(&mint(key))
    }

    fn sign(&self, key: &str, more: &str) -> Ran {
        self.run(&format!("{} {more}", sign(key)))
    }

    /// gpgv, sqv and we accept the signature.
    fn assert_accepted(&self) {
        self.run("verify SUMS --key r.asc").done();
        let run = |program: &str, line: &str| {
            let output = Command::new(program)
                .args(line.split_whitespace())
                .current_dir(self.path())
                .output()
                .expect("scripts/test installs it");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program}: {said}");
        };
        let _ = fs::remove_file(self.path().join("r.gpg"));
        run("gpg", "--homedir . --batch --dearmor --output r.gpg r.asc");
        run("gpgv", "--keyring ./r.gpg SUMS.sig SUMS");
        run("sqv", "--keyring r.asc SUMS.sig SUMS");
    }
}

fn mint(key: &str) -> String {
    let user_id = "--name R --email r@example.org --created 2026-01-01";
    format!("key mint --backend aws-kms --key-id {key} {user_id} --output r.asc --force")
}

fn sign(key: &str) -> String {
    format!("sign SUMS --backend aws-kms --key-id {key} --public-key r.asc --force")
}

struct Ran {
    status: i32,
    out: String,
    err: String,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let output = command.output().expect("our command runs");
        let text = |octets: Vec<u8>| String::from_utf8(octets).expect("UTF-8");
        Self {
            status: output.status.code().expect("an exit status"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn done(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        self
    }

    /// Exit status 2, an error that says so, and a hint.
    fn failed(&self, said: &str, hint: &str) {
        assert_eq!(self.status, 2, "{}{}", self.out, self.err);
        assert!(self.err.contains(said), "`{said}` is not in: {}", self.err);
        assert!(
            self.err.contains(&format!("hint: {hint}")),
            "`{hint}` is not in: {}",
            self.err
        );
    }
}

const SPECS: [&str; 3] = ["RSA_3072", "RSA_4096", "ECC_NIST_EDWARDS25519"];

#[test]
fn every_kind_of_key_by_every_kind_of_name() {
    let server = Server::start();
    for spec in SPECS {
        let key = server.create_key(spec, "SIGN_VERIFY");
        let alias = format!("alias/{}", spec.to_lowercase());
        server.call(
            "CreateAlias",
            &json!({ "AliasName": alias, "TargetKeyId": key.id }),
        );
        let proxy = Proxy::start(server.port());
        let desk = Desk::new(proxy.url());
        let minted = desk.mint(&key.id).done();
        assert!(minted.err.contains(&key.arn), "{}", minted.err);
        assert_eq!(proxy.targets(), ["GetPublicKey", "Sign"]);
        let certificate = fs::read_to_string(desk.path().join("r.asc")).expect("a certificate");
        for name in [&key.id, &key.arn, &alias] {
            proxy.forget();
            desk.sign(name, "").done();
            assert_eq!(proxy.targets(), ["Sign"], "{spec} {name}");
            desk.assert_accepted();
        }
        desk.mint(&alias).done();
        let again = fs::read_to_string(desk.path().join("r.asc")).expect("a certificate");
        assert_eq!(certificate, again, "{spec}");
        let hashes = ["sha256", "sha384", "sha512"];
        for hash in hashes {
            desk.sign(&key.id, &format!("--hash {hash}")).done();
            desk.assert_accepted();
        }
    }
}

#[test]
fn keys_that_do_not_sign_releases() {
    let server = Server::start();
    let desk = Desk::new(server.url());
    for (spec, usage, said) in [
        ("RSA_2048", "SIGN_VERIFY", "is RSA_2048"),
        ("ECC_NIST_P384", "SIGN_VERIFY", "is ECC_NIST_P384"),
        ("RSA_4096", "ENCRYPT_DECRYPT", "ENCRYPT_DECRYPT"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "not for signing"),
    ] {
        let key = server.create_key(spec, usage);
        let ran = desk.mint(&key.id);
        assert_eq!(ran.status, 2, "{spec}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said), "{spec}: {}", ran.err);
        assert!(!desk.path().join("r.asc").exists());
    }
    let p256 = server.create_key("ECC_NIST_P256", "SIGN_VERIFY");
    let ran = desk.mint(&p256.id);
    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("P-256 makes no OpenPGP signatures here"),
        "{}",
        ran.err
    );
}

#[test]
fn states_of_a_key_and_an_alias_that_moved() {
    let server = Server::start();
    let desk = Desk::new(server.url());
    let (first, second) = (
        server.create_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
        server.create_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
    );
    server.call(
        "CreateAlias",
        &json!({ "AliasName": "alias/r", "TargetKeyId": first.id }),
    );
    desk.mint("alias/r").done();
    let pin = format!("--kms-pin-arn {}", first.arn);
    desk.sign("alias/r", &pin).done();
    let before = fs::read(desk.path().join("SUMS.sig")).expect("a signature");

    server.call(
        "UpdateAlias",
        &json!({ "AliasName": "alias/r", "TargetKeyId": second.id }),
    );
    let ran = desk.sign("alias/r", &pin);
    ran.failed(
        &format!("leads to {}", second.arn),
        "somebody changed the alias",
    );
    let ran = desk.sign("alias/r", "");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("our verifier refuses"), "{}", ran.err);
    assert_eq!(
        fs::read(desk.path().join("SUMS.sig")).expect("a signature"),
        before
    );

    // Moved between the two calls of minting: the key that signs is not the one that was fetched.
    let proxy = Proxy::start(server.port());
    proxy.next([Fault::Nothing, Fault::OtherArn]);
    let desk_between = Desk::new(proxy.url());
    desk_between
        .mint("alias/r")
        .failed("alias/r leads to arn:", "somebody changed the alias");
    assert!(!desk_between.path().join("r.asc").exists());

    server.call("DisableKey", &json!({ "KeyId": first.id }));
    desk.sign(&first.id, "").failed("is disabled", "enable it");
    server.call("EnableKey", &json!({ "KeyId": first.id }));
    server.call(
        "ScheduleKeyDeletion",
        &json!({ "KeyId": first.id, "PendingWindowInDays": 7 }),
    );
    desk.sign(&first.id, "")
        .failed("cannot be used now", "a key pending deletion");
    desk.sign("00000000-0000-0000-0000-000000000000", "")
        .failed("no key 00000000", "is it in another region or account?");
}

#[test]
fn the_region_comes_from_where_it_is_said() {
    let server = Server::start();
    let key = server.create_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
    let proxy = Proxy::start(server.port());
    let desk = Desk::new(proxy.url());
    desk.mint(&key.id).done();
    fs::create_dir(desk.path().join(".aws")).expect("a folder");
    // Whoever asks the metadata service for it, connects.
    let metadata = TcpListener::bind("127.0.0.1:0").expect("a free port");
    metadata.set_nonblocking(true).expect("a socket");
    let address = metadata.local_addr().expect("an address");
    let sign = |key: &str, region: Option<&str>, more: &str| {
        proxy.forget();
        let mut command = desk.command(&format!("{} {more}", sign(key)));
        command.env("AWS_EC2_METADATA_DISABLED", "false").env(
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            format!("http://{address}"),
        );
        match region {
            Some(region) => command.env("AWS_REGION", region),
            None => command.env_remove("AWS_REGION"),
        };
        let ran = Ran::of(&mut command);
        (proxy.regions(), ran)
    };
    let arn = key
        .arn
        .replace(":eu-west-2:", ":ap-south-1:")
        .replace(":us-east-1:", ":ap-south-1:");
    assert_eq!(
        sign(&key.id, Some("us-west-1"), "--kms-region eu-north-1").0,
        ["eu-north-1"]
    );
    assert_eq!(sign(&arn, Some("us-west-1"), "").0, ["ap-south-1"]);
    assert_eq!(sign(&key.id, Some("us-west-1"), "").0, ["us-west-1"]);
    assert_eq!(sign(&key.id, None, "").0, ["eu-west-2"]);
    fs::write(
        desk.path().join(".aws/config"),
        "[default]\nregion = ca-central-1\n",
    )
    .expect("a file");
    assert_eq!(sign(&key.id, None, "").0, ["ca-central-1"]);
    let (regions, ran) = sign(&arn, None, "--kms-region us-east-2");
    ran.failed(
        "region us-east-2 contradicts the key's ARN",
        "leave --kms-region out",
    );
    assert!(regions.is_empty(), "{regions:?}");
    let asked = metadata.accept().map_err(|error| error.kind());
    assert_eq!(asked.err(), Some(ErrorKind::WouldBlock));
}

#[test]
fn credentials() {
    let server = Server::start();
    let key = server.create_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
    let proxy = Proxy::start(server.port());
    let desk = Desk::new(proxy.url());
    desk.mint(&key.id).done();
    let mut command = desk.command(&sign(&key.id));
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    proxy.forget();
    Ran::of(&mut command).failed("no credentials for kms:Sign", "set AWS_PROFILE");
    assert!(proxy.targets().is_empty());
    for (code, message, said, hint) in [
        (
            "ExpiredTokenException",
            "The security token is expired",
            "have expired",
            "log in again",
        ),
        (
            "AccessDeniedException",
            "not authorized",
            "no permission for kms:Sign on",
            "the key policy",
        ),
        (
            "UnrecognizedClientException",
            "invalid",
            "are not accepted",
            "are these the right",
        ),
        (
            "InvalidSignatureException",
            "Signature expired: 1 is now earlier than 2",
            "refuses the time",
            "is the clock",
        ),
    ] {
        proxy.always(Fault::Error(400, code, message));
        desk.sign(&key.id, "").failed(said, hint);
    }
    assert!(!desk.path().join("SUMS.sig").exists());
}

/// The policies that we print, at a server that goes by them: a token for a tag signs, one for a branch does not, and neither
/// does a user without kms:Sign.
#[test]
fn identities_that_may_sign_and_others() {
    let server = Server::start_with_policies();
    let made = server.identities(&json!({}));
    let (key, arn) = (text(&made, "key"), text(&made, "arn"));
    let desk = Desk::new(server.url());
    let policies = format!("kms policy {arn} --mint --algorithm ed25519 --github example/tool");
    let mut policies: Value = serde_json::from_str(&desk.run(&policies).done().out).expect("JSON");
    // The server has no condition keys of KMS. Those of tokens it has.
    let statements = policies["iam"]["Statement"].as_array_mut();
    for statement in statements.expect("a list") {
        statement
            .as_object_mut()
            .expect("an object")
            .remove("Condition");
    }
    let made = server.identities(&json!({ "arn": arn, "policies": policies }));

    let reader = (text(&made, "reader"), text(&made, "reader_secret"));
    let as_reader = |line: &str| {
        let mut command = desk.command(line);
        command
            .env("AWS_ACCESS_KEY_ID", &reader.0)
            .env("AWS_SECRET_ACCESS_KEY", &reader.1);
        Ran::of(&mut command)
    };
    as_reader(&mint(&key)).failed(
        &format!("no permission for kms:Sign on {key}"),
        "the key policy and an IAM policy must allow it",
    );

    let role = text(&made, "role");
    let with_token = |line: &str, reference: &str| {
        let claims = json!({
            "iss": "https://token.actions.githubusercontent.com",
            "aud": "sts.amazonaws.com",
            "sub": format!("repo:example/tool:ref:refs/{reference}"),
        });
        let encoded = BASE64URL.encode(claims.to_string());
        let token = format!("{}.{encoded}.x", BASE64URL.encode(r#"{"alg":"none"}"#));
        fs::write(desk.path().join("token"), token).expect("a file");
        let mut command = desk.command(line);
        command
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", "token")
            .env("AWS_ROLE_ARN", &role);
        Ran::of(&mut command)
    };
    with_token(&mint(&arn), "tags/v1.0").done();
    with_token(&sign(&arn), "tags/v1.0").done();
    desk.assert_accepted();
    fs::remove_file(desk.path().join("SUMS.sig")).expect("a signature");
    let ran = with_token(&sign(&arn), "heads/main");
    ran.failed("credentials for kms:Sign", "`aws sts get-caller-identity`");
    assert!(ran.err.contains("AssumeRoleWithWebIdentity"), "{}", ran.err);
    assert!(!desk.path().join("SUMS.sig").exists());
}

fn text(document: &Value, name: &str) -> String {
    document[name].as_str().expect("a text").to_owned()
}

#[test]
fn faults_that_end_and_faults_that_do_not() {
    let server = Server::start();
    let key = server.create_key("RSA_3072", "SIGN_VERIFY");
    let proxy = Proxy::start(server.port());
    let desk = Desk::new(proxy.url());
    desk.mint(&key.id).done();
    let throttled = Fault::Error(400, "ThrottlingException", "Rate exceeded");
    for fault in [
        throttled,
        Fault::Error(500, "KMSInternalException", "try again"),
        Fault::ResetBefore,
        Fault::ResetAfter,
    ] {
        proxy.next([fault, fault]);
        desk.sign(&key.id, "").done();
        desk.assert_accepted();
    }
    fs::remove_file(desk.path().join("SUMS.sig")).expect("a signature");
    proxy.always(throttled);
    desk.sign(&key.id, "--kms-timeout 20")
        .failed("throttled", "sign fewer files at once");
    proxy.always(Fault::Silence);
    desk.sign(&key.id, "--kms-timeout 2")
        .failed("took too long", "--kms-timeout");
    proxy.always(Fault::Truncated);
    let ran = desk.sign(&key.id, "--kms-timeout 5");
    assert_eq!(ran.status, 2, "{}", ran.err);
    for fault in [
        Fault::WrongSignature,
        Fault::ShortSignature,
        Fault::DerSignature,
    ] {
        proxy.always(fault);
        let ran = desk.sign(&key.id, "");
        assert_eq!(ran.status, 2, "{}", ran.err);
        assert!(ran.err.contains("signer returned"), "{}", ran.err);
    }
    assert!(!desk.path().join("SUMS.sig").exists());
    // Nothing listens on port 1 (tcpmux), and no test is ever given it.
    let desk = Desk {
        endpoint: "http://127.0.0.1:1".to_owned(),
        ..desk
    };
    desk.sign(&key.id, "--kms-timeout 30")
        .failed("out of reach", "are region, endpoint");
}

/// One in twenty answers is a fault; every file gets its signature, and every signature is right.
#[test]
fn many_files_through_faults() {
    const FILES: usize = 500;
    let server = Server::start();
    let key = server.create_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
    let proxy = Proxy::start(server.port());
    let desk = Desk::new(proxy.url());
    desk.mint(&key.id).done();
    let names: Vec<String> = (0..FILES).map(|index| format!("f{index}")).collect();
    for name in &names {
        fs::write(desk.path().join(name), name).expect("a file");
    }
    proxy.every(20);
    let files = names.join(" ");
    let signer = format!("--backend aws-kms --key-id {} --public-key r.asc", key.id);
    let ran = desk.run(&format!("sign {files} {signer} --json")).done();
    let said: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(said["signatures"].as_array().map(Vec::len), Some(FILES));
    for name in &names {
        desk.run(&format!("verify {name} --key r.asc")).done();
    }
}

#[test]
fn policies_allow_the_least() {
    const ARN: &str = "arn:aws:kms:eu-west-2:111122223333:key/1234abcd-12ab";
    let desk = Desk::new("http://127.0.0.1:1".to_owned());
    let policy = |more: &str| -> Value {
        let ran = desk.run(&format!("kms policy {ARN} {more}")).done();
        serde_json::from_str(&ran.out).expect("JSON")
    };
    let all = policy("--github example/tool");
    let sign = &all["iam"]["Statement"];
    assert_eq!(sign.as_array().map(Vec::len), Some(1));
    assert_eq!(sign[0]["Action"], "kms:Sign");
    assert_eq!(sign[0]["Resource"], ARN);
    let condition = json!({ "StringEquals": {
        "kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256", "kms:MessageType": "DIGEST" } });
    assert_eq!(sign[0]["Condition"], condition);
    let administer = all["key"]["Statement"][0]["Action"].to_string();
    assert!(
        !administer.contains("kms:Sign") && !administer.contains('*'),
        "{administer}"
    );
    assert_eq!(
        all["key"]["Statement"][1]["Principal"]["AWS"],
        "arn:aws:iam::111122223333:role/release-signing"
    );
    let trust = &all["trust"]["Statement"][0];
    assert_eq!(
        trust["Condition"],
        json!({
            "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" },
            "StringLike": { "token.actions.githubusercontent.com:sub": "repo:example/tool:ref:refs/tags/*" },
        })
    );
    let trust = policy("--gitlab group/sub/project --print trust");
    assert_eq!(
        trust["Statement"][0]["Condition"]["StringLike"],
        json!({ "gitlab.com:sub": "project_path:group/sub/project:ref_type:tag:ref:*" })
    );
    let mint = policy("--mint --algorithm ed25519 --print iam");
    assert_eq!(
        mint["Statement"][0]["Condition"]["StringEquals"]["kms:MessageType"],
        "RAW"
    );
    assert_eq!(mint["Statement"][1]["Action"], "kms:GetPublicKey");
    // `key mint` hashes by SHA-256, whatever releases are signed with.
    let mint = policy("--mint --hash sha512 --print iam");
    assert_eq!(
        mint["Statement"][0]["Condition"]["StringEquals"]["kms:SigningAlgorithm"],
        json!(["RSASSA_PKCS1_V1_5_SHA_512", "RSASSA_PKCS1_V1_5_SHA_256"])
    );
    let by = |more: &str| format!("kms policy {ARN} {more}");
    for wrong in [
        "kms policy alias/release".to_owned(),
        "kms policy arn:aws:kms:eu-west-2:111122223333:alias/x".to_owned(),
        by("--github example/*"),
        by("--github a/b --gitlab a/b"),
        by("--print trust"),
        by("--role a*"),
        "kms policy".to_owned(),
        "kms".to_owned(),
    ] {
        let ran = desk.run(&wrong);
        assert_eq!(ran.status, 2, "{wrong:?}: {}", ran.out);
        assert!(ran.out.is_empty());
    }
}

/// What the page shows: the commands of ours, and the program.
#[test]
fn the_page_does_what_it_says() {
    let page = fs::read_to_string("docs/sign-with-aws-kms.md").expect("the page");
    let server = Server::start();
    let key = server.create_key("RSA_4096", "SIGN_VERIFY");
    server.call(
        "CreateAlias",
        &json!({ "AliasName": "alias/release", "TargetKeyId": key.id }),
    );
    let desk = Desk::new(server.url());
    fs::rename(desk.path().join("SUMS"), desk.path().join("SHA256SUMS")).expect("a file");
    let joined = page.replace("\\\n", "");
    let commands: Vec<&str> = joined
        .lines()
        .filter_map(|line| line.strip_prefix("    countersign "))
        .collect();
    assert_eq!(commands.len(), 4, "{commands:?}");
    let arn = "arn:aws:kms:eu-west-2:111122223333:key/KEY_ID";
    // In the order of the work, not of the page, where publishing comes before signing.
    for verb in ["key mint", "sign", "verify", "kms policy"] {
        let found = commands.iter().find(|line| line.starts_with(verb));
        let line = found.expect("each of them is there").replace(arn, &key.arn);
        let mut words = desk.command("");
        let quoted = line.replace("'Example Releases'", "Example\u{a0}Releases");
        words.args(quoted.split(' ').filter(|own| !own.is_empty()));
        Ran::of(&mut words).done();
    }
    assert!(desk.path().join("SHA256SUMS.sig").exists());

    let example = fs::read_to_string("sign/examples/aws_kms.rs").expect("the example");
    let (_, code) = example.split_once("// begin\n").expect("a beginning");
    let (code, _) = code.split_once("// end\n").expect("an end");
    let shown: Vec<&str> = code.lines().filter(|line| !line.is_empty()).collect();
    let block: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    assert!(
        block.join("\n").contains(&shown.join("\n")),
        "the page shows another program than the example"
    );
}

/// What the example collects names the key, and holds neither the digest's nor the signature's octets.
#[test]
fn the_example_collects_diagnostics() {
    let ours = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let server = Server::start();
    let key = server.create_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
    let desk = Desk::new(server.url());
    desk.mint(&key.id).done();
    // In a process of its own: the SDK reads the environment.
    let example = ours.with_file_name("examples").join("aws_kms");
    assert!(example.is_file(), "`{}` is not built", example.display());
    let mut command = desk.program(&example);
    command.args(["SUMS", "r.asc", &key.id]);
    let ran = Ran::of(&mut command).done();
    assert!(
        ran.err.contains(&key.id) && ran.err.contains("Ed25519"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("countersign_sign"), "{}", ran.err);
    fs::write(desk.path().join("SUMS.sig"), &ran.out).expect("a signature");
    desk.assert_accepted();
}

/// A key in KMS gets a certificate, and its tokens are taken by a real registry, from a configuration and from flags.
#[test]
fn tokens_by_keys_in_kms_are_taken_by_a_registry() {
    let server = Server::start();
    let proxy = Proxy::start(server.port());
    let desk = Desk::new(proxy.url());
    for (name, spec) in [("rsa", "RSA_3072"), ("p256", "ECC_NIST_P256")] {
        let key = server.create_key(spec, "SIGN_VERIFY");
        let config = format!(
            "users: {{}}\ntoken:\n  issuer: auth.example.org\n  expiration: 900\n  kms_signer: {{key_id: {}, region: eu-west-2, \
             certificate: {name}.crt}}\n",
            key.arn
        );
        fs::write(desk.path().join("auth.yml"), config).expect("a file");
        let crt = format!("{name}.crt");
        let cert = format!("token cert --backend aws-kms --key-id {}", key.arn);
        let cert = format!("{cert} --created 2026-01-01 --expires 20y --output {crt}");
        desk.run(&cert).done();
        let registry = registry::Registry::start("auth.example.org", &desk.path().join(&crt));
        let line = format!(
            "token issue --config auth.yml --subject ci --service {}",
            registry::SERVICE
        );
        let issue = |access: &str| {
            let mut command = desk.command(&line);
            Ran::of(command.args(["--access", access]))
        };
        let asked = proxy.targets().len();
        let ran = issue("repository:a/b:pull,push").done();
        let targets = proxy.targets().split_off(asked);
        assert_eq!(targets, ["GetPublicKey", "Sign"]);
        let token = ran.out.trim_end();
        let blob = registry.push_blob("a/b", b"a blob", token);
        registry.push_manifest("a/b", &blob, token);
        // Longer than what KMS takes as it is.
        let many: Vec<String> = (0..60)
            .map(|place| format!("repository:team/name-of-some-length-{place}:pull,push"))
            .collect();
        let long = issue(&many.join(" ")).done();
        assert!(long.out.len() > 4097);
        assert_eq!(registry.get("/v2/", Some(long.out.trim_end())).status, 200);
        // Whatever comes instead of a signature, no token leaves.
        for (fault, said) in [
            (Fault::WrongSignature, "no token: "),
            (Fault::ShortSignature, "no token: "),
        ] {
            proxy.next([Fault::Nothing, fault]);
            let ran = issue("repository:a/b:pull");
            assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
            assert!(
                ran.err.contains(said) && !ran.err.contains("eyJ"),
                "{}",
                ran.err
            );
        }
        proxy.always(Fault::Silence);
        let ran = desk.run(&format!("{line} --kms-timeout 1"));
        proxy.next([]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
        // A service that is busy for a moment is asked again.
        proxy.next([Fault::Error(400, "ThrottlingException", "Rate exceeded")]);
        issue("repository:a/b:pull").done();
    }
}
