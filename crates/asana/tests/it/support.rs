//! Clients, records and a raw server for the tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asana::{Asana, BudgetSettings, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use url::Url;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) const TASK_FIELDS: &str = "name,notes,resource_subtype,approval_status,completed,completed_at,\
completed_by.name,created_at,modified_at,permalink_url,due_on,assignee.email,tags,parent,memberships.project.name,\
memberships.section.name,custom_fields.name,custom_fields.resource_subtype,\
custom_fields.representation_type,custom_fields.enabled,custom_fields.is_value_read_only,\
custom_fields.text_value,custom_fields.number_value,custom_fields.enum_value.name,\
custom_fields.enum_value.enabled,custom_fields.multi_enum_values.name,\
custom_fields.multi_enum_values.enabled,custom_fields.date_value.date,\
custom_fields.date_value.date_time,custom_fields.display_value";

static TOKENS: AtomicUsize = AtomicUsize::new(0);

/// A token that no other test uses: clients with the same token share a budget.
pub(crate) fn token() -> String {
    format!("token-{}-{}", std::process::id(), TOKENS.fetch_add(1, Ordering::Relaxed))
}

/// Settings for a server on this machine, with a budget that holds up no test.
pub(crate) fn config(base: &str) -> Config {
    Config {
        base: Url::parse(base).unwrap(),
        budget: BudgetSettings {
            requests_per_minute: 60_000,
            searches_per_minute: 60_000,
            ..BudgetSettings::default()
        },
        ..Config::new(token())
    }
}

pub(crate) fn client(server: &MockServer) -> Asana {
    Asana::new(config(&format!("{}/api/1.0", server.uri()))).unwrap()
}

/// A server that gives every request the same answer.
pub(crate) async fn answering(answer: ResponseTemplate) -> (MockServer, Asana) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = client(&server);
    (server, client)
}

pub(crate) fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// Method, path and decoded query of each request, in order.
pub(crate) async fn requests(server: &MockServer) -> Vec<String> {
    let received = server.received_requests().await.unwrap();
    received
        .iter()
        .map(|request| {
            let query: Vec<String> =
                request.url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {}?{}", request.method, request.url.path(), query.join("&"))
        })
        .collect()
}

pub(crate) fn task(gid: &str) -> Value {
    json!({
        "gid": gid,
        "resource_type": "task",
        "name": format!("Task {gid}"),
        "notes": "",
        "resource_subtype": "default_task",
        "completed": false,
        "completed_at": null,
        "created_at": "2026-06-01T08:00:00.000Z",
        "modified_at": "2026-06-02T08:00:00.000Z",
        "memberships": [{"project": {"gid": "77", "name": "AP"}, "section": {"gid": "88", "name": "Open"}}],
        "custom_fields": [{"gid": "101", "name": "PO", "resource_subtype": "text", "text_value": "PO-1"}],
    })
}

/// A server that takes requests and answers each only when told to, and counts how many are under way.
pub(crate) struct Gate {
    pub(crate) base: String,
    pub(crate) under_way: watch::Receiver<usize>,
    pub(crate) most: Arc<AtomicUsize>,
    pub(crate) answers: Arc<Semaphore>,
}

impl Gate {
    pub(crate) async fn open() -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (count, under_way) = watch::channel(0usize);
        let (most, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (count, seen, allowed) = (Arc::new(count), Arc::clone(&most), Arc::clone(&answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&count), Arc::clone(&seen), Arc::clone(&allowed)));
            }
        });
        Gate { base, under_way, most, answers }
    }

    pub(crate) async fn until_under_way(&mut self, count: usize) {
        let reached = self.under_way.wait_for(|now| *now >= count);
        tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap().unwrap();
    }
}

async fn serve(
    mut stream: TcpStream,
    count: Arc<watch::Sender<usize>>,
    most: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
) {
    while read_request(&mut stream).await {
        count.send_modify(|now| {
            *now += 1;
            most.fetch_max(*now, Ordering::SeqCst);
        });
        answers.acquire().await.unwrap().forget();
        count.send_modify(|now| *now -= 1);
        let body = json!({"data": task("5")}).to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads one request with its body; false when the connection has ended.
pub(crate) async fn read_request(stream: &mut TcpStream) -> bool {
    let mut received = Vec::new();
    let mut buffer = [0u8; 4_096];
    loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.trim().parse::<usize>().unwrap());
            if received.len() >= end + 4 + length {
                return true;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(read) => received.extend_from_slice(&buffer[..read]),
        }
    }
}

/// A server that reads each request and answers with these bytes, then closes the connection.
pub(crate) async fn raw(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if read_request(&mut stream).await {
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    base
}
