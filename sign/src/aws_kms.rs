//! Backend `aws-kms` (feature `aws-kms`): keys that never leave AWS KMS. GetPublicKey and Sign, nothing clever.

mod error;

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec};
use countersign_verify::HashAlgorithm;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use self::error::Call;
pub use self::error::KmsError;
use crate::backend::{Backend, BackendError, BackendOption, Options, SignerFuture, WantedKey};
use crate::ecdsa;
use crate::public_key::PublicKey;
use crate::signer::{Input, Scheme, SignFuture, SignRequest, Signer, SignerError};

/// Finds keys in AWS KMS. A key id is a key id, a key ARN, `alias/NAME` or an alias ARN.
///
/// The region is the one that is set, else that of the ARN, else AWS_REGION, else that of the profile, else
/// [`DEFAULT_REGION`]; the instance metadata service is not asked for it. Credentials come from the SDK's default chain.
///
/// ```
/// use std::time::Duration;
/// use countersign_sign::{AwsKmsBackend, Registry};
/// let mut registry = Registry::builtin();
/// // In place of the built-in one: settings made in code, which options override.
/// registry.replace(AwsKmsBackend::new().with_region("eu-central-1").with_timeout(Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone, Default)]
pub struct AwsKmsBackend {
    region: Option<String>,
    endpoint_url: Option<String>,
    attempts: Option<u32>,
    timeout: Option<Duration>,
    sdk_config: Option<SdkConfig>,
    client: Option<Client>,
}

/// Where KMS is asked when nothing says where.
pub const DEFAULT_REGION: &str = "eu-west-2";

/// Tries of one call, the first among them. The SDK waits between them, longer each time, with jitter.
const ATTEMPTS: u32 = 6;

/// Between the first two tries at the most; then twice as long each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// For one call with all its tries. The SDK itself would wait without end.
const TIMEOUT: Duration = Duration::from_secs(60);

/// For one answer.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// For one connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What KMS takes as a RAW message, in octets.
const MESSAGE_LIMIT: usize = 4096;

const REGION: &str = "region";
const ENDPOINT_URL: &str = "endpoint-url";
const TIMEOUT_OPTION: &str = "timeout";
const PIN_ARN: &str = "pin-arn";

impl AwsKmsBackend {
    /// As the environment says.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// In that region.
    #[must_use]
    pub fn with_region(self, region: impl Into<String>) -> Self {
        let region = Some(region.into());
        Self { region, ..self }
    }

    /// At another endpoint than the region's own.
    #[must_use]
    pub fn with_endpoint_url(self, url: impl Into<String>) -> Self {
        let endpoint_url = Some(url.into());
        Self {
            endpoint_url,
            ..self
        }
    }

    /// Tries of one call, the first among them; six unless set.
    #[must_use]
    pub fn with_attempts(self, attempts: u32) -> Self {
        let attempts = Some(attempts.max(1));
        Self { attempts, ..self }
    }

    /// Time for one call with all its tries; a minute unless set. One answer may take ten seconds of it, one connection five.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        let timeout = Some(timeout);
        Self { timeout, ..self }
    }

    /// With a configuration of the SDK's: its credentials, HTTP client, retries and time-outs are taken as they are. What
    /// is set here, or by an option, goes before its own.
    #[must_use]
    pub fn with_sdk_config(self, sdk_config: SdkConfig) -> Self {
        let sdk_config = Some(sdk_config);
        Self { sdk_config, ..self }
    }

    /// With a ready client. All other settings, and the options of region, endpoint and time-out, are left aside.
    #[must_use]
    pub fn with_client(self, client: Client) -> Self {
        let client = Some(client);
        Self { client, ..self }
    }

    /// The region that is set, or the ARN's own.
    fn stated_region(&self, key_id: &str, options: &Options) -> Result<Option<String>, KmsError> {
        let set = options.get(REGION).or(self.region.as_deref());
        match (set, region_of(key_id)) {
            (Some(region), Some(own)) if region != own => Err(KmsError::RegionContradictsArn {
                region: region.to_owned(),
                arn: key_id.to_owned(),
            }),
            (set, own) => Ok(set.or(own).map(str::to_owned)),
        }
    }

    async fn client(
        &self,
        key_id: &str,
        options: &Options,
    ) -> Result<(Client, String), BackendError> {
        let region = self.stated_region(key_id, options).map_err(other)?;
        if let Some(client) = &self.client {
            let region = client.config().region().map(ToString::to_string);
            return Ok((client.clone(), region.unwrap_or_default()));
        }
        let timeout = match options.get(TIMEOUT_OPTION) {
            None => self.timeout,
            Some(text) => Some(seconds(text)?),
        };
        let endpoint_url = options.get(ENDPOINT_URL).or(self.endpoint_url.as_deref());
        let config = match &self.sdk_config {
            Some(config) => config.clone(),
            None => {
                let chain = RegionProviderChain::first_try(region.clone().map(Region::new))
                    .or_else(EnvironmentVariableRegionProvider::new())
                    .or_else(ProfileFileRegionProvider::new())
                    .or_else(Region::new(DEFAULT_REGION));
                aws_config::defaults(BehaviorVersion::latest())
                    .region(chain)
                    .retry_config(retries(ATTEMPTS))
                    .timeout_config(timeouts(TIMEOUT))
                    .load()
                    .await
            }
        };
        let mut builder = aws_sdk_kms::config::Builder::from(&config);
        if let Some(region) = region {
            builder = builder.region(Region::new(region));
        }
        if let Some(url) = endpoint_url {
            builder = builder.endpoint_url(url);
        }
        if let Some(attempts) = self.attempts {
            builder = builder.retry_config(retries(attempts));
        }
        if let Some(timeout) = timeout {
            builder = builder.timeout_config(timeouts(timeout));
        }
        let client = Client::from_conf(builder.build());
        let region = client.config().region().map(ToString::to_string);
        Ok((client, region.unwrap_or_default()))
    }

    async fn open(&self, wanted: WantedKey<'_>) -> Result<AwsKmsSigner, BackendError> {
        let key_id = wanted.key_id().to_owned();
        let (client, region) = self.client(&key_id, wanted.options()).await?;
        let call = Call {
            action: "kms:Sign",
            key_id,
            region,
        };
        let key = KmsKey {
            client,
            call,
            pinned_arn: wanted.options().get(PIN_ARN).map(str::to_owned),
        };
        let (public_key, arn) = match wanted.public_key() {
            Some(public_key) => (public_key.clone(), None),
            None => key.fetch().await.map_err(other)?,
        };
        let (key_id, region) = (&key.call.key_id, &key.call.region);
        let (bits, algorithm) = (public_key.bits(), public_key.to_string());
        tracing::debug!(key_id, region, bits, algorithm, "key in AWS KMS");
        Ok(AwsKmsSigner {
            key,
            public_key,
            arn,
        })
    }
}

fn retries(attempts: u32) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE)
}

fn timeouts(whole: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(whole))
        .read_timeout(READ_TIMEOUT.min(whole))
        .operation_timeout(whole)
        .build()
}

fn other(error: KmsError) -> BackendError {
    BackendError::Other {
        message: "AWS KMS".to_owned(),
        source: Some(Box::new(error)),
    }
}

fn seconds(text: &str) -> Result<Duration, BackendError> {
    let number = text.strip_suffix('s').unwrap_or(text).parse::<u32>();
    match number {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds.into())),
        _ => Err(BackendError::OptionValue {
            name: TIMEOUT_OPTION.to_owned(),
            problem: format!("`{text}` is no number of seconds"),
        }),
    }
}

/// The region of `arn:PARTITION:kms:REGION:ACCOUNT:RESOURCE`.
fn region_of(key_id: &str) -> Option<&str> {
    let mut parts = key_id.split(':');
    let (arn, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let region = parts.next()?;
    (arn == "arn" && service == "kms" && !region.is_empty()).then_some(region)
}

impl Backend for AwsKmsBackend {
    fn name(&self) -> &str {
        "aws-kms"
    }

    fn flag_prefix(&self) -> &str {
        "kms"
    }

    fn options(&self) -> &[BackendOption] {
        const {
            &[
                BackendOption::new(
                    REGION,
                    "NAME",
                    "Default: the ARN's, AWS_REGION, the profile's, eu-west-2",
                ),
                BackendOption::new(
                    ENDPOINT_URL,
                    "URL",
                    "Another endpoint than the region's own",
                ),
                BackendOption::new(
                    TIMEOUT_OPTION,
                    "SECONDS",
                    "For one call with all its tries; default: 60",
                ),
                BackendOption::new(PIN_ARN, "ARN", "The key that an alias must lead to"),
            ]
        }
    }

    fn signer<'a>(&'a self, wanted: WantedKey<'a>) -> SignerFuture<'a> {
        Box::pin(async move { Ok(Box::new(self.open(wanted).await?) as Box<dyn Signer>) })
    }
}

/// A key in AWS KMS, and how to reach it.
#[derive(Debug)]
struct KmsKey {
    client: Client,
    call: Call,
    pinned_arn: Option<String>,
}

impl KmsKey {
    /// GetPublicKey, and whether it is a key that signs. The key, and its ARN if the service tells it.
    async fn fetch(&self) -> Result<(PublicKey, Option<String>), KmsError> {
        let call = Call {
            action: "kms:GetPublicKey",
            ..self.call.clone()
        };
        let request = self.client.get_public_key().key_id(&call.key_id);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        self.check_arn(None, answer.key_id())?;
        let unsupported = |found: String| KmsError::UnsupportedKeyType {
            key_id: call.key_id.clone(),
            found,
        };
        if let Some(usage) = answer.key_usage()
            && *usage != KeyUsageType::SignVerify
        {
            return Err(unsupported(format!("a key for {usage}")));
        }
        let der = answer
            .public_key()
            .ok_or_else(|| call.malformed("no public key"))?;
        let key = PublicKey::from_spki_der(der.as_ref()).map_err(|error| {
            let spec = answer.key_spec().map(ToString::to_string);
            unsupported(spec.unwrap_or_else(|| error.to_string()))
        })?;
        let expected = match &key {
            PublicKey::Rsa { .. } => match key.bits() {
                3072 => KeySpec::Rsa3072,
                4096 => KeySpec::Rsa4096,
                bits => return Err(unsupported(format!("RSA_{bits}"))),
            },
            PublicKey::Ed25519(_) => KeySpec::EccNistEdwards25519,
            PublicKey::P256(_) => KeySpec::EccNistP256,
        };
        // An emulator may leave it out; what says something else is not what it seems.
        if let Some(spec) = answer.key_spec()
            && *spec != expected
        {
            return Err(call.malformed(&format!("a key of {spec} that is {expected}")));
        }
        let scheme = match &key {
            PublicKey::Rsa { .. } => SigningAlgorithmSpec::RsassaPkcs1V15Sha256,
            PublicKey::Ed25519(_) => SigningAlgorithmSpec::Ed25519Sha512,
            PublicKey::P256(_) => SigningAlgorithmSpec::EcdsaSha256,
        };
        let schemes = answer.signing_algorithms();
        if !schemes.is_empty() && !schemes.contains(&scheme) {
            return Err(unsupported(format!("a key of {expected} without {scheme}")));
        }
        let arn = answer.key_id().filter(|own| own.starts_with("arn:"));
        Ok((key, arn.map(str::to_owned)))
    }

    /// Whether an answer is of the key that is pinned, or else of the one whose public key was fetched: an alias that is pointed
    /// elsewhere meanwhile must not sign in its name.
    fn check_arn(&self, fetched: Option<&str>, found: Option<&str>) -> Result<(), KmsError> {
        let expected = match (self.pinned_arn.as_deref(), fetched, found) {
            (Some(pinned), _, found) if found != Some(pinned) => pinned,
            // An emulator may answer without an ARN; AWS does not.
            (None, Some(fetched), Some(found)) if found.starts_with("arn:") && found != fetched => {
                fetched
            }
            _ => return Ok(()),
        };
        Err(KmsError::KeyRepointed {
            key_id: self.call.key_id.clone(),
            pinned: expected.to_owned(),
            found: found.unwrap_or("no key").to_owned(),
        })
    }
}

/// A key in AWS KMS that signs.
#[derive(Debug)]
struct AwsKmsSigner {
    key: KmsKey,
    public_key: PublicKey,
    /// As the service told it.
    arn: Option<String>,
}

impl AwsKmsSigner {
    async fn ask(&self, request: SignRequest<'_>) -> Result<Vec<u8>, SignerError> {
        let algorithm = self.algorithm(&request)?;
        let (kind, message) = message(&request).map_err(wrapped)?;
        let KmsKey { client, call, .. } = &self.key;
        let (key_id, region) = (&call.key_id, &call.region);
        tracing::debug!(key_id, region, algorithm = algorithm.as_str(), "kms:Sign");
        let answer = client
            .sign()
            .key_id(key_id)
            .message(Blob::new(message))
            .message_type(kind)
            .signing_algorithm(algorithm)
            .send()
            .await
            .map_err(|error| wrapped(call.failed(error)))?;
        let fetched = self.arn.as_deref();
        let checked = self.key.check_arn(fetched, answer.key_id());
        checked.map_err(wrapped)?;
        let signature = answer
            .signature()
            .ok_or_else(|| wrapped(call.malformed("no signature")))?;
        match request.scheme() {
            Scheme::EcdsaP256 => ecdsa::p256_from_der(signature.as_ref())
                .map(|signature| signature.to_vec())
                .map_err(|error| wrapped(call.malformed(&error.to_string()))),
            _ => Ok(signature.as_ref().to_vec()),
        }
    }

    fn algorithm(&self, request: &SignRequest<'_>) -> Result<SigningAlgorithmSpec, SignerError> {
        match (&self.public_key, request.scheme()) {
            (PublicKey::Rsa { .. }, Scheme::RsaPkcs1v15(hash)) => match hash {
                HashAlgorithm::Sha256 => Ok(SigningAlgorithmSpec::RsassaPkcs1V15Sha256),
                HashAlgorithm::Sha384 => Ok(SigningAlgorithmSpec::RsassaPkcs1V15Sha384),
                HashAlgorithm::Sha512 => Ok(SigningAlgorithmSpec::RsassaPkcs1V15Sha512),
                hash => Err(SignerError::UnsupportedHash { hash }),
            },
            (PublicKey::Ed25519(_), Scheme::Ed25519) => Ok(SigningAlgorithmSpec::Ed25519Sha512),
            (PublicKey::P256(_), Scheme::EcdsaP256) => Ok(SigningAlgorithmSpec::EcdsaSha256),
            _ => Err(SignerError::unsupported(request, &self.public_key)),
        }
    }
}

fn wrapped(error: KmsError) -> SignerError {
    SignerError::Backend {
        message: "AWS KMS".to_owned(),
        source: Some(Box::new(error)),
    }
}

/// Digests go as digests. A message goes RAW, and one that is too long for that is hashed here, where the scheme has a hash.
fn message(request: &SignRequest<'_>) -> Result<(MessageType, Vec<u8>), KmsError> {
    let message = match request.input() {
        Input::Digest(digest) => return Ok((MessageType::Digest, digest.to_vec())),
        Input::Message(message) => message,
    };
    if !message.is_empty() && message.len() <= MESSAGE_LIMIT {
        return Ok((MessageType::Raw, message.to_vec()));
    }
    let digest = match request.scheme().hash() {
        Some(HashAlgorithm::Sha256) => Sha256::digest(message).to_vec(),
        Some(HashAlgorithm::Sha384) => Sha384::digest(message).to_vec(),
        Some(HashAlgorithm::Sha512) => Sha512::digest(message).to_vec(),
        _ => {
            let (found, limit) = (message.len(), MESSAGE_LIMIT);
            return Err(KmsError::MessageLength { found, limit });
        }
    };
    Ok((MessageType::Digest, digest))
}

impl Signer for AwsKmsSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a> {
        Box::pin(self.ask(request))
    }

    fn full_name(&self) -> Option<&str> {
        self.arn.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_name_their_region() {
        let key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(region_of(key), Some("eu-central-1"));
        assert_eq!(
            region_of("arn:aws-cn:kms:cn-north-1:1:alias/x"),
            Some("cn-north-1")
        );
        for other in [
            "alias/release",
            "1234abcd",
            "arn:aws:s3:::bucket",
            "arn:aws:kms::1:key/x",
        ] {
            assert_eq!(region_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_region_that_contradicts_the_arn_is_refused() {
        let arn = "arn:aws:kms:eu-central-1:111122223333:key/1234";
        let backend = AwsKmsBackend::new().with_region("us-east-1");
        assert!(matches!(
            backend.stated_region(arn, &Options::new()),
            Err(KmsError::RegionContradictsArn { .. })
        ));
        let options = Options::new().with(REGION, "eu-central-1");
        let stated = backend.stated_region(arn, &options);
        assert_eq!(stated.unwrap().as_deref(), Some("eu-central-1"));
        let stated = AwsKmsBackend::new().stated_region(arn, &Options::new());
        assert_eq!(stated.unwrap().as_deref(), Some("eu-central-1"));
    }

    #[test]
    fn long_messages_are_hashed_here() {
        let scheme = Scheme::EcdsaP256;
        let (short, long) = (vec![1; MESSAGE_LIMIT], vec![1; MESSAGE_LIMIT + 1]);
        let kind = |message: &[u8]| {
            let request = SignRequest::message(scheme, message).unwrap();
            super::message(&request).unwrap().0
        };
        assert_eq!(kind(&short), MessageType::Raw);
        assert_eq!(kind(&long), MessageType::Digest);
        let request = SignRequest::message(Scheme::Ed25519, &long).unwrap();
        assert!(matches!(
            super::message(&request),
            Err(KmsError::MessageLength { .. })
        ));
    }
}
