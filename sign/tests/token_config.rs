//! Configuration files of docker_auth, read strictly where they are ours and not at all where they are not.
#![cfg(feature = "token")]

use std::time::Duration;

use countersign_sign::token::KeyIdForm;
use countersign_sign::token::config::{CONFIG_OCTETS, ConfigError, KeySource, TokenConfig};

const WHOLE: &str = r#"
server:
  addr: ":5001"
  certificate: &cert "/etc/auth/cert.pem"
  key: "/etc/auth/key.pem"
token:
  issuer: "Acme auth server"   # must match the registry's
  expiration: 900
  certificate: *cert
  key: '/etc/auth/token.key'
users:
  "admin": {password: "$2y$05$LO.vzwpWC5LZGqThvEfznu8qhb5SGqvBSWY1J3yZ4AxtMRZ3kN5jC"}
  "": {}
acl:
  - {match: {account: "admin"}, actions: ["*"], comment: "everything"}
  - match: {account: "/.+/", name: "${account}/*"}
    actions: [pull, push]
"#;

fn said(text: &str) -> String {
    match TokenConfig::from_yaml(text) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_whole_file_is_read_and_its_other_sections_left_alone() {
    let config = TokenConfig::from_yaml(WHOLE).expect("a configuration");
    assert_eq!(config.issuer(), "Acme auth server");
    assert_eq!(config.lifetime(), Duration::from_secs(900));
    let files = KeySource::Files {
        certificate: "/etc/auth/cert.pem".to_owned(),
        key: "/etc/auth/token.key".to_owned(),
    };
    assert_eq!(config.key(), &files);
    assert_eq!(config.key_id(), KeyIdForm::Thumbprint);
    let legacy = |value: &str| {
        let text = WHOLE.replace(
            "  expiration: 900",
            &format!("  expiration: 900\n  disable_legacy_key_id: {value}"),
        );
        TokenConfig::from_yaml(&text).map(|config| config.key_id())
    };
    assert_eq!(legacy("false"), Ok(KeyIdForm::Libtrust));
    assert_eq!(legacy("true"), Ok(KeyIdForm::Thumbprint));
    assert!(legacy("'false'").is_err());
    assert!(legacy("0").is_err());
}

#[test]
fn a_key_in_kms_takes_the_place_of_files() {
    let text = |kms: &str| format!("token: {{issuer: a, expiration: 60, kms_signer: {kms}}}");
    let config = TokenConfig::from_yaml(&text(
        "{key_id: alias/x, region: eu-west-1, certificate: c.pem}",
    ));
    let config = config.expect("a configuration");
    assert_eq!(config.certificate(), Some("c.pem"));
    assert!(
        matches!(config.key(), KeySource::Kms { region: Some(region), .. } if region == "eu-west-1")
    );
    assert_eq!(said(&text("{key_id: alias/x}")), "accepted");
    assert_eq!(
        said(&text("{region: x}")),
        "line 1: `token.kms_signer.key_id` is missing"
    );
    assert_eq!(
        said(&text("{keyid: x}")),
        "line 1: unknown key `token.kms_signer.keyid`: did you mean `key_id`?"
    );
    assert!(said(&text("alias/x")).contains("`token.kms_signer` is not a mapping"));
    for other in ["certificate: c", "key: k", "certificate: c, key: k"] {
        let both = text("{key_id: x}").replace("issuer: a", &format!("issuer: a, {other}"));
        assert!(
            matches!(
                TokenConfig::from_yaml(&both),
                Err(ConfigError::TwoKeys { .. })
            ),
            "{both}"
        );
    }
}

#[test]
fn every_mistake_is_named() {
    for (text, expected) in [
        ("", "no section `token`"),
        ("server: {}", "no section `token`"),
        ("tokne: {}", "no section `token`: is `tokne` it?"),
        ("token: x", "line 1: `token` is not a mapping"),
        (
            "token:\n  isuer: x",
            "line 2: unknown key `token.isuer`: did you mean `issuer`?",
        ),
        ("token:\n  zzz: x", "line 2: unknown key `token.zzz`"),
        (
            "token: {issuer: a}",
            "line 1: `token.expiration` is missing",
        ),
        (
            "token: {expiration: 1}",
            "line 1: `token.issuer` is missing",
        ),
        (
            "token: {issuer: a, issuer: b}",
            "line 1: `token.issuer` is given twice",
        ),
        ("token: {}\ntoken: {}", "line 2: `token` is given twice"),
        (
            "token: {issuer: a, expiration: 1, key: k}",
            "line 1: `token.certificate` is missing",
        ),
        (
            "token: {issuer: a, expiration: 1, certificate: c}",
            "line 1: `token.key` is missing",
        ),
        (
            "token: {issuer: '', expiration: 1}",
            "line 1: `token.issuer` is not a text",
        ),
        (
            "token: {issuer: ~, expiration: 1}",
            "line 1: `token.issuer` is not a text",
        ),
        (
            "token: {issuer: [a], expiration: 1}",
            "line 1: `token.issuer` is not one value",
        ),
    ] {
        assert_eq!(said(text), expected, "{text}");
    }
    for expiration in [
        "0",
        "-1",
        "1.0",
        "1e3",
        "'900'",
        "15m",
        "99999999999999999999",
        "0x10",
    ] {
        let text =
            format!("token: {{issuer: a, expiration: {expiration}, certificate: c, key: k}}");
        assert!(
            said(&text).contains("`token.expiration` is not a whole number"),
            "{text}"
        );
    }
    let none = "token: {issuer: a, expiration: 1}\nserver: {certificate: c, key: k}";
    assert!(matches!(
        TokenConfig::from_yaml(none),
        Err(ConfigError::NoKey { .. })
    ));
    assert!(matches!(
        TokenConfig::from_yaml("a: [b"),
        Err(ConfigError::Yaml { .. })
    ));
    let good = "token: {issuer: a, expiration: 1, certificate: c, key: k}";
    assert_eq!(said(good), "accepted");
    let second = format!("{good}\n---\n{good}");
    assert!(matches!(
        TokenConfig::from_yaml(&second),
        Err(ConfigError::SecondDocument { .. })
    ));
}

#[test]
fn what_is_large_or_deep_is_refused() {
    let large = format!("token: {{}}\n#{}", "x".repeat(CONFIG_OCTETS));
    assert!(matches!(
        TokenConfig::from_yaml(&large),
        Err(ConfigError::TooLarge { .. })
    ));
    let deep = format!("acl: {}{}", "[".repeat(100), "]".repeat(100));
    assert!(matches!(
        TokenConfig::from_yaml(&deep),
        Err(ConfigError::TooDeep { .. })
    ));
    // What would be gigabytes, were aliases expanded.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for place in 1..30 {
        let before = format!("*a{}, ", place - 1).repeat(9);
        bomb.push_str(&format!("a{place}: &a{place} [{before}]\n"));
    }
    bomb.push_str("token: {issuer: *a29, expiration: 1, certificate: c, key: k}");
    assert_eq!(said(&bomb), "line 31: `token.issuer` is not one value");
}
