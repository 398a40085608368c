//! `countersign kms policy`: the least that a signing host must be allowed.

use countersign::verify::HashAlgorithm;
use serde_json::{Map, Value, json};

use super::args::{PolicyKind, PolicyOptions, Repository};
use super::outcome::Made;

const ROLE: &str = "release-signing";

pub(crate) fn policy(options: &PolicyOptions) -> Made {
    let mut made = Made::new("kms policy");
    let mut all = Map::new();
    all.insert("iam".to_owned(), iam(options));
    all.insert("key".to_owned(), key(options));
    if let Some(repository) = &options.repository {
        all.insert("trust".to_owned(), trust(options, repository));
    }
    let chosen = match options.print {
        None => Value::Object(all.clone()),
        Some(kind) => {
            let name = match kind {
                PolicyKind::Iam => "iam",
                PolicyKind::Key => "key",
                PolicyKind::Trust => "trust",
            };
            all.retain(|own, _| own == name);
            all.get(name).cloned().unwrap_or_default()
        }
    };
    let mut text = format!("{chosen:#}");
    text.push('\n');
    made.payload = Some(text.into_bytes());
    made.note("policies", Value::Object(all));
    made
}

/// The role's own policy.
fn iam(options: &PolicyOptions) -> Value {
    document(allowed(options, &options.key.whole, None))
}

/// The key's policy: who looks after it cannot sign, who signs cannot look after it.
fn key(options: &PolicyOptions) -> Value {
    let (partition, account) = (&options.key.partition, &options.key.account);
    let mut statements = vec![json!({
        "Sid": "Administer",
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:{partition}:iam::{account}:root") },
        "Action": [
            "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
            "kms:EnableKey", "kms:GetKeyPolicy", "kms:GetPublicKey", "kms:ListAliases", "kms:ListKeyPolicies",
            "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource",
            "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription"
        ],
        "Resource": "*",
    })];
    let role = options.role.as_deref().unwrap_or(ROLE);
    let principal = json!({ "AWS": format!("arn:{partition}:iam::{account}:role/{role}") });
    statements.extend(allowed(options, "*", Some(&principal)));
    document(statements)
}

/// To sign by one scheme, and to read the public key where that is wanted.
fn allowed(options: &PolicyOptions, resource: &str, principal: Option<&Value>) -> Vec<Value> {
    let (algorithm, message_type) = match (options.ed25519, options.hash) {
        (true, _) => ("ED25519_SHA_512", "RAW"),
        (false, HashAlgorithm::Sha384) => ("RSASSA_PKCS1_V1_5_SHA_384", "DIGEST"),
        (false, HashAlgorithm::Sha512) => ("RSASSA_PKCS1_V1_5_SHA_512", "DIGEST"),
        (false, _) => ("RSASSA_PKCS1_V1_5_SHA_256", "DIGEST"),
    };
    // Certificates are minted with SHA-256.
    let minting = "RSASSA_PKCS1_V1_5_SHA_256";
    let algorithms = if options.mint && !options.ed25519 && algorithm != minting {
        json!([algorithm, minting])
    } else {
        json!(algorithm)
    };
    let mut statements = vec![json!({
        "Sid": "Sign",
        "Effect": "Allow",
        "Action": "kms:Sign",
        "Resource": resource,
        "Condition": { "StringEquals": {
            "kms:SigningAlgorithm": algorithms,
            "kms:MessageType": message_type,
        } },
    })];
    if options.mint {
        statements.push(json!({
            "Sid": "Mint",
            "Effect": "Allow",
            "Action": "kms:GetPublicKey",
            "Resource": resource,
        }));
    }
    if let Some(principal) = principal {
        for statement in &mut statements {
            statement["Principal"] = principal.clone();
        }
    }
    statements
}

/// Who may take the role: jobs of one repository, on tags alone.
fn trust(options: &PolicyOptions, repository: &Repository) -> Value {
    let (issuer, audience, subject) = match repository {
        Repository::GitHub(path) => (
            "token.actions.githubusercontent.com",
            "sts.amazonaws.com",
            format!("repo:{path}:ref:refs/tags/*"),
        ),
        Repository::GitLab(path) => (
            "gitlab.com",
            "https://gitlab.com",
            format!("project_path:{path}:ref_type:tag:ref:*"),
        ),
    };
    let (partition, account) = (&options.key.partition, &options.key.account);
    let mut equal = Map::new();
    equal.insert(format!("{issuer}:aud"), audience.into());
    let mut like = Map::new();
    like.insert(format!("{issuer}:sub"), subject.into());
    document(vec![json!({
        "Sid": "Release",
        "Effect": "Allow",
        "Principal": {
            "Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{issuer}")
        },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": equal, "StringLike": like },
    })])
}

fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}
