//! What AWS KMS says when it does not do what it is asked, in words that a person can act on.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};

/// What was asked of the service.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) action: &'static str,
    pub(super) key_id: String,
    pub(super) region: String,
}

/// Why AWS KMS gave no key or no signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KmsError {
    /// A region was asked for that is not the ARN's own.
    #[error("region {region} contradicts the key's ARN {arn}")]
    RegionContradictsArn {
        /// The region.
        region: String,
        /// The ARN.
        arn: String,
    },
    /// No provider of the SDK's chain has credentials.
    #[error(
        "no credentials for {action}: asked the environment, the profile, web identity, ECS and the instance, in that order"
    )]
    NoCredentials {
        /// What they were for.
        action: &'static str,
        /// What the last provider said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A provider of credentials failed.
    #[error("credentials for {action} could not be loaded")]
    CredentialsFailed {
        /// What they were for.
        action: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The credentials were good once.
    #[error("credentials for {action} have expired")]
    CredentialsExpired {
        /// What they were for.
        action: &'static str,
    },
    /// The credentials are not good.
    #[error("credentials for {action} are not accepted: {message}")]
    CredentialsRejected {
        /// What they were for.
        action: &'static str,
        /// What the service said.
        message: String,
    },
    /// The credentials do not allow it.
    #[error("no permission for {action} on {key_id}: {message}")]
    AccessDenied {
        /// What is not allowed.
        action: &'static str,
        /// On which key.
        key_id: String,
        /// What the service said.
        message: String,
    },
    /// The service's clock and this machine's differ.
    #[error("AWS refuses the time of the request: {message}")]
    ClockSkew {
        /// What the service said.
        message: String,
    },
    /// There is no such key in that region.
    #[error("no key {key_id} in {region}")]
    KeyNotFound {
        /// The key.
        key_id: String,
        /// The region.
        region: String,
    },
    /// The key is disabled.
    #[error("key {key_id} is disabled")]
    KeyDisabled {
        /// The key.
        key_id: String,
    },
    /// The key is pending deletion, or otherwise not for use.
    #[error("key {key_id} cannot be used now: {message}")]
    KeyState {
        /// The key.
        key_id: String,
        /// What the service said.
        message: String,
    },
    /// The key is for something else, or of a kind that signs no releases.
    #[error(
        "key {key_id} is {found}: releases are signed by RSA_3072, RSA_4096 and ECC_NIST_EDWARDS25519 keys for SIGN_VERIFY"
    )]
    UnsupportedKeyType {
        /// The key.
        key_id: String,
        /// What it is.
        found: String,
    },
    /// The alias leads to another key than the pinned one.
    #[error("{key_id} leads to {found}, and {pinned} is pinned")]
    KeyRepointed {
        /// What was asked for.
        key_id: String,
        /// The key it should be.
        pinned: String,
        /// The key it is.
        found: String,
    },
    /// Longer than KMS takes, and of a scheme that has no hash of its own.
    #[error("message has {found} bytes, AWS KMS signs 1 to {limit}")]
    MessageLength {
        /// Octets of the message.
        found: usize,
        /// Octets that are taken.
        limit: usize,
    },
    /// Too many requests, also after all tries.
    #[error("{action} is throttled in {region}, after all tries")]
    Throttled {
        /// What was asked.
        action: &'static str,
        /// The region.
        region: String,
    },
    /// No answer in time.
    #[error("{action} in {region} took too long")]
    TimedOut {
        /// What was asked.
        action: &'static str,
        /// The region.
        region: String,
    },
    /// No connection.
    #[error("AWS KMS in {region} is out of reach")]
    Unreachable {
        /// The region.
        region: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// An answer that makes no sense.
    #[error("{action} in {region} was answered by {problem}")]
    Malformed {
        /// What was asked.
        action: &'static str,
        /// The region.
        region: String,
        /// What came.
        problem: String,
    },
    /// The service failed in another way.
    #[error("{action} on {key_id} failed: {code}: {message}")]
    Service {
        /// What was asked.
        action: &'static str,
        /// The key.
        key_id: String,
        /// The service's name for it.
        code: String,
        /// What the service said.
        message: String,
    },
}

impl KmsError {
    /// The next step, where there is a likely one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::RegionContradictsArn { .. } => {
                "leave --kms-region out: the ARN says where the key is"
            }
            Self::NoCredentials { .. } => {
                "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is given"
            }
            Self::CredentialsFailed { .. } => {
                "`aws sts get-caller-identity` uses the same credentials"
            }
            Self::CredentialsExpired { .. } => "log in again, such as by `aws sso login`",
            Self::CredentialsRejected { .. } => {
                "are these the right credentials, whole, and is the session token with them?"
            }
            Self::AccessDenied { .. } => "the key policy and an IAM policy must allow it",
            Self::ClockSkew { .. } => "is the clock of this machine right?",
            Self::KeyNotFound { .. } => {
                "is it in another region or account? --kms-region, or the key's ARN, says where"
            }
            Self::KeyDisabled { .. } => "enable it, or name the key that takes its place",
            Self::KeyState { .. } => {
                "a key pending deletion signs again only after its deletion is cancelled"
            }
            Self::UnsupportedKeyType { .. } => {
                "make a key with --key-usage SIGN_VERIFY --key-spec RSA_4096 or ECC_NIST_EDWARDS25519"
            }
            Self::KeyRepointed { .. } => {
                "somebody changed the alias: find out who, or pin the new key"
            }
            Self::Throttled { .. } => "sign fewer files at once, or ask AWS for a higher quota",
            Self::TimedOut { .. } => "--kms-timeout allows more time",
            Self::Unreachable { .. } => "are region, endpoint, proxy and network right?",
            Self::Malformed { .. } => "is that endpoint AWS KMS?",
            Self::MessageLength { .. } | Self::Service { .. } => return None,
        })
    }
}

impl Call {
    pub(super) fn malformed(&self, problem: &str) -> KmsError {
        KmsError::Malformed {
            action: self.action,
            region: self.region.clone(),
            problem: problem.to_owned(),
        }
    }

    pub(super) fn failed<E, R>(&self, error: SdkError<E, R>) -> KmsError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let (action, region) = (self.action, self.region.clone());
        if let Some(error) = self.credentials(&error) {
            return error;
        }
        match &error {
            SdkError::TimeoutError(_) => return KmsError::TimedOut { action, region },
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                return KmsError::TimedOut { action, region };
            }
            SdkError::DispatchFailure(_) => {
                let source = error.into_source().unwrap_or_else(|error| Box::new(error));
                return KmsError::Unreachable { region, source };
            }
            SdkError::ResponseError(_) => return self.malformed("something that is no answer"),
            _ => {}
        }
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().unwrap_or("no reason given").to_owned();
        let key_id = self.key_id.clone();
        match code.as_str() {
            "NotFoundException" => KmsError::KeyNotFound { key_id, region },
            "DisabledException" => KmsError::KeyDisabled { key_id },
            "KMSInvalidStateException" => KmsError::KeyState { key_id, message },
            "InvalidKeyUsageException" | "UnsupportedOperationException" => {
                let found = format!("not for signing by this scheme ({message})");
                KmsError::UnsupportedKeyType { key_id, found }
            }
            "AccessDeniedException" | "AccessDenied" => KmsError::AccessDenied {
                action,
                key_id,
                message,
            },
            "ThrottlingException"
            | "Throttling"
            | "TooManyRequestsException"
            | "LimitExceededException" => KmsError::Throttled { action, region },
            "ExpiredTokenException" | "ExpiredToken" => KmsError::CredentialsExpired { action },
            "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => {
                KmsError::ClockSkew { message }
            }
            "InvalidSignatureException" | "SignatureDoesNotMatch"
                if message.contains("expired") || message.contains("not yet current") =>
            {
                KmsError::ClockSkew { message }
            }
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "IncompleteSignature"
            | "MissingAuthenticationToken" => KmsError::CredentialsRejected { action, message },
            "" => self.malformed("an error without a name"),
            _ => KmsError::Service {
                action,
                key_id,
                code,
                message,
            },
        }
    }

    /// Failed credentials arrive as a request that could not be sent.
    fn credentials<E: Error + 'static, R: std::fmt::Debug + 'static>(
        &self,
        error: &SdkError<E, R>,
    ) -> Option<KmsError> {
        let action = self.action;
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(own) = cause {
            if let Some(found) = own.downcast_ref::<CredentialsError>() {
                let said: Box<dyn Error + Send + Sync> = deepest(found).into();
                return Some(match found {
                    CredentialsError::CredentialsNotLoaded(_) => KmsError::NoCredentials {
                        action,
                        source: said,
                    },
                    _ => KmsError::CredentialsFailed {
                        action,
                        source: said,
                    },
                });
            }
            cause = own.source();
        }
        None
    }
}

/// The last of an error's causes, which says most.
fn deepest(error: &dyn Error) -> String {
    let mut last = error.to_string();
    let mut cause = error.source();
    while let Some(own) = cause {
        last = own.to_string();
        cause = own.source();
    }
    last
}
