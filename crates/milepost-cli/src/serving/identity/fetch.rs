//! Asks a URL of keys over HTTP, with a limit on everything.

use std::time::Duration;

use milepost_server::identity::{FetchError, FetchKeys, FetchedKeys, Fetching, KEY_SET_BYTES_MAX};
use ureq::{Agent, http::header::CACHE_CONTROL};

/// The longest that one request takes, in all. A little less than the server waits, so that no thread is left behind.
const REQUEST_TIME_MAX: Duration = Duration::from_millis(4_500);

/// Asks over HTTP, with the roots of certificates that this program brings along, and no redirect followed.
#[derive(Debug)]
pub(super) struct KeysOverHttp {
    agent: Agent,
}

impl Default for KeysOverHttp {
    fn default() -> Self {
        let config = Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_TIME_MAX))
            .user_agent(concat!("milepost/", env!("CARGO_PKG_VERSION")));
        Self {
            agent: config.build().into(),
        }
    }
}

impl FetchKeys for KeysOverHttp {
    fn fetch(&self, url: &str) -> Fetching {
        let (agent, url) = (self.agent.clone(), url.to_owned());
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || ask(&agent, &url)).await;
            let asked = asked.unwrap_or_else(|error| Err(error.to_string()));
            asked.map_err(|detail| FetchError { detail })
        })
    }
}

fn ask(agent: &Agent, url: &str) -> Result<FetchedKeys, String> {
    let response = agent
        .get(url)
        .header("Accept", "application/jwk-set+json, application/json");
    let mut response = response.call().map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("answered {}", response.status()));
    }
    let cache_control = response.headers().get(CACHE_CONTROL);
    let cache_control = cache_control
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let bytes_max = u64::try_from(KEY_SET_BYTES_MAX).unwrap_or(u64::MAX);
    let body = response
        .body_mut()
        .with_config()
        .limit(bytes_max + 1)
        .read_to_vec();
    Ok(FetchedKeys {
        body: body.map_err(|error| error.to_string())?,
        cache_control,
    })
}
