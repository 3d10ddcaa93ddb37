//! A running sandbox with a token, for the tests of the Oracle side.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use sandbox::oracle::OracleSettings;
use sandbox::{GenerateOptions, Sandbox, SandboxConfig};
use serde_json::Value;

pub const ROOT: &str = "/fscmRestApi/resources/11.13.18.05";

pub struct Pod {
    pub sandbox: Sandbox,
    pub http: Client,
    pub token: String,
}

/// What a request brought.
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    async fn read(response: Response) -> Self {
        let status = response.status();
        let header = response.headers().get("content-type");
        let content_type = header.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        Self { status, content_type, text: response.text().await.unwrap() }
    }
}

impl Pod {
    pub async fn start(options: GenerateOptions) -> Self {
        Self::start_with(options, OracleSettings::default()).await
    }

    pub async fn start_with(options: GenerateOptions, settings: OracleSettings) -> Self {
        let config = SandboxConfig { oracle_settings: settings, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).await.unwrap();
        sandbox.oracle().generate(&options).unwrap();
        // a request that sets its own `Accept` sends that one
        let wanted = HeaderValue::from_static("*/*, application/vnd.oracle.adf.error+json");
        let headers = HeaderMap::from_iter([(ACCEPT, wanted)]);
        let http =
            Client::builder().timeout(Duration::from_secs(20)).default_headers(headers).build().unwrap();
        let mut pod = Self { sandbox, http, token: String::new() };
        pod.token = pod.new_token().await;
        pod
    }

    pub async fn new_token(&self) -> String {
        let config = self.sandbox.oracle().config().clone();
        let response = self
            .http
            .post(self.sandbox.token_url())
            .basic_auth(&config.client_id, Some(&config.client_secret))
            .form(&[("grant_type", "client_credentials"), ("scope", config.scope.as_str())])
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let body: Value = response.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub fn request(&self, version: u8, path: &str, query: &[(&str, &str)]) -> reqwest::RequestBuilder {
        self.http
            .get(format!("{}{path}", self.sandbox.oracle_url()))
            .query(query)
            .bearer_auth(&self.token)
            .header("REST-Framework-Version", version.to_string())
    }

    pub async fn get(&self, version: u8, path: &str, query: &[(&str, &str)]) -> Answer {
        Answer::read(self.request(version, path, query).send().await.unwrap()).await
    }

    /// GET that must succeed, below the version root.
    pub async fn page(&self, version: u8, resource: &str, query: &[(&str, &str)]) -> Value {
        let answer = self.get(version, &format!("{ROOT}/{resource}"), query).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// GET that must be refused with this status.
    pub async fn refused(&self, status: u16, version: u8, resource: &str, query: &[(&str, &str)]) -> Answer {
        let answer = self.get(version, &format!("{ROOT}/{resource}"), query).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        answer
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }
}

/// The values of one attribute over the items of a page.
#[track_caller]
pub fn column(page: &Value, attribute: &str) -> Vec<Value> {
    page["items"].as_array().unwrap().iter().map(|item| item[attribute].clone()).collect()
}

pub fn orders(count: usize) -> GenerateOptions {
    GenerateOptions { orders: count, invoices: count, ..GenerateOptions::default() }
}
