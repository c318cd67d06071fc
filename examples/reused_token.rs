//! A token that is used for all new connections of ten minutes: RDS throttles new connections, but not those with the same token.
use aws_config::BehaviorVersion;
use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use std::error::Error;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
use url::Url;

pub type Failure = Box<dyn Error + Send + Sync>;

/// RDS accepts a token for 15 minutes, and not after the credentials that it was signed with have expired.
const VALID: Duration = Duration::from_secs(900);
const MARGIN: Duration = Duration::from_secs(60);

pub struct ReusedToken {
    settings: aws_config::SdkConfig,
    request: Url,
    reuse: Duration,
    current: Mutex<Option<(String, SystemTime)>>,
}

impl ReusedToken {
    pub async fn new(host: &str, port: &str, user: &str) -> Result<Self, Failure> {
        let query = [("Action", "connect"), ("DBUser", user)];
        Ok(Self {
            settings: aws_config::load_defaults(BehaviorVersion::latest()).await,
            request: Url::parse_with_params(&format!("https://{host}:{port}/"), query)?,
            reuse: seconds_of("TOKEN_REUSE_SECONDS").unwrap_or(Duration::from_secs(600)),
            current: Mutex::new(None),
        })
    }

    /// What a pool calls for the password of each new connection: it signs only when the token gets old.
    pub async fn get(&self) -> Result<String, Failure> {
        let mut current = self.current.lock().await;
        let now = SystemTime::now();
        if let Some((token, renew_at)) = &*current && now < *renew_at {
            return Ok(token.clone());
        }
        let provider = self.settings.credentials_provider().ok_or("there are no credentials")?;
        let credentials = provider.provide_credentials().await?;
        let reused = now + self.reuse;
        let renew_at = credentials.expiry().map_or(reused, |expiry| reused.min(expiry - MARGIN));
        let token = self.signed(credentials, now)?;
        *current = Some((token.clone(), renew_at));
        Ok(token)
    }

    fn signed(&self, credentials: Credentials, time: SystemTime) -> Result<String, Failure> {
        let region = self.settings.region().ok_or("there is no Region: set AWS_REGION")?;
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(VALID);
        let parameters = v4::SigningParams::builder()
            .identity(&identity).region(region.as_ref()).name("rds-db").time(time).settings(settings).build()?.into();
        let request = SignableRequest::new("GET", self.request.as_str(), std::iter::empty(), SignableBody::Bytes(&[]))?;
        let (instructions, _) = sign(request, &parameters)?.into_parts();
        let mut url = self.request.clone();
        url.query_pairs_mut().extend_pairs(instructions.params());
        Ok(url.as_str().trim_start_matches("https://").to_owned())
    }
}

/// A duration in a variable.
pub fn seconds_of(variable: &str) -> Option<Duration> {
    std::env::var(variable).ok()?.parse().ok().map(Duration::from_secs_f64)
}
