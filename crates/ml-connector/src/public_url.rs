//! The public address: where Asana reaches this program.

use clap::Args;
use connector::hooks::register::check_public_url;
use connector::{Code, Error};
use url::Url;

/// The public address, for the commands that register webhooks or look after them.
#[derive(Debug, Args)]
pub struct PublicUrlArgs {
    /// Address under which Asana reaches a running `serve`, such as https://erp.example
    #[arg(long, env = "ML_CONNECTOR_PUBLIC_URL", hide_env_values = true, value_name = "URL")]
    public_url: Option<String>,
}

impl PublicUrlArgs {
    /// The address, checked; `None` when none is given.
    ///
    /// # Errors
    /// [`Code::HookAddress`]. The address is not repeated, since credentials may have strayed into it.
    pub fn read(&self) -> Result<Option<Url>, Error> {
        let Some(text) = self.public_url.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let url: Url = text.parse().map_err(|e: url::ParseError| {
            Error::new(Code::HookAddress, format!("the public address is not an address: {e}"))
        })?;
        check_public_url(&url)?;
        Ok(Some(url))
    }

    /// The address, which must be given.
    ///
    /// # Errors
    /// [`Code::HookAddress`].
    pub fn required(&self) -> Result<Url, Error> {
        self.read()?.ok_or_else(|| {
            let words = "no public address is given: pass the --public-url that `serve` is run with";
            Error::new(Code::HookAddress, words)
        })
    }
}
